/**
 * A microVM as some kind of document describes it, and its check: the one way into the model for
 * all of them.
 */
import * as v from "valibot";
import {
  check,
  type Fault,
  formatPath,
  optionalText,
  placeholderFault,
  text,
  wordFault,
} from "./fields.js";
import { clashes, type InterfaceForm, placeholders } from "./interface-form.js";
import type { DocumentIssue } from "./invalid-document.js";
import type { MicrovmSpec, SpecKind } from "./microvm.js";

/** What was found in a document. Nothing of it is checked yet. */
export interface Description {
  kind: SpecKind;
  /** What its faults begin with: `MicrovmMachine vm1`; empty where there is nothing else. */
  label: string;
  /** Where in its text it is, such as `document 2`; empty where there is nothing else. */
  position: string;
  /** The object's own name, where it has one. */
  name?: unknown;
  id: unknown;
  namespace: unknown;
  uid: unknown;
  interfaces: unknown;
  /** How the interfaces are written. */
  form: InterfaceForm;
  /** The way back: the document's keys of a field of this description. */
  keysInDocument(keys: readonly unknown[]): unknown[];
  /** Why nothing more can be read of it. */
  fault?: Fault;
}

/** What a microVM is called, as far as it is given beside a document; it leads over the document. */
export interface MicrovmName {
  /** The microVM's id. */
  id?: string;
  /** The microVM's namespace. Default: "default", as in flintlock and Kubernetes. */
  namespace?: string;
  /** The microVM's uid. */
  uid?: string;
}

/** What a check gives: the microVM, or what is wrong with it. */
export interface Checked {
  spec?: MicrovmSpec;
  issues: DocumentIssue[];
}

const idExpected: Record<SpecKind, string> = {
  flintlock: "the microVM's id, in the document or beside it",
  MicrovmMachine: "the microVM's id, in the document or beside it",
  MicrovmMachineTemplate: "the microVM's id beside it, since a template names no microVM",
};

const namespaceExpected = "the microVM's namespace";
const uidExpected = "the microVM's uid";

/** What is wrong with a part of a microVM's name by which devices are made and found again. */
function nameFault(value: string): string | undefined {
  return wordFault(value) ?? placeholderFault(value);
}

/** The fields of a microVM that may still be without a name, or have placeholders in it. */
const fragmentFields = (kind: SpecKind) => ({
  id: v.pipe(
    optionalText(idExpected[kind], wordFault),
    v.transform((id) => (id !== undefined && placeholderFault(id) ? undefined : id)),
  ),
  namespace: text(namespaceExpected, wordFault),
  uid: optionalText(uidExpected, wordFault),
});

/** The fields of a microVM that devices can be made for. */
const completeFields = (kind: SpecKind) => ({
  id: text(idExpected[kind], nameFault),
  namespace: text(namespaceExpected, nameFault),
  uid: optionalText(uidExpected, nameFault),
});

/** Checks a description as a fragment: the microVM may be without an id. */
export function checkFragment(description: Description): Checked {
  return checkFields(description, {}, fragmentFields(description.kind));
}

/** Checks a description of a microVM that devices can be made for: the spec it gives has an id. */
export function checkComplete(
  description: Description,
  { id, namespace, uid }: MicrovmName,
): Checked {
  const { interfaces, form } = description;
  const unfilled = placeholders(interfaces, form);
  const naming = completeFields(description.kind);
  return checkFields(description, { id, namespace, uid }, naming, unfilled);
}

function checkFields(
  description: Description,
  given: MicrovmName,
  naming: ReturnType<typeof fragmentFields | typeof completeFields>,
  unfilled: readonly Fault[] = [],
): Checked {
  const { kind, form, interfaces, fault } = description;
  if (fault !== undefined) return { issues: [issueOf(fault, description)] };
  const id = given.id ?? description.id;
  const schema = v.object({
    ...naming,
    name: optionalText("the object's name", wordFault),
    interfaces: form.schema,
  });
  const { output, faults } = check(schema, {
    id,
    namespace: given.namespace ?? (description.namespace || "default"),
    uid: given.uid ?? description.uid,
    // One fault is enough where both come from the same field.
    name: description.name === id ? undefined : description.name,
    interfaces,
  });
  const all = [...faults, ...unfilled, ...clashes(interfaces, form)].sort(byInterface);
  if (output === undefined || all.length > 0) {
    return { issues: all.map((one) => issueOf(one, description, given)) };
  }
  const name = typeof description.name === "string" ? description.name : undefined;
  return { spec: { kind, ...output, name }, issues: [] };
}

function byInterface({ keys: [, a] }: Fault, { keys: [, b] }: Fault): number {
  return Number(a ?? -1) - Number(b ?? -1);
}

/** A fault in the words of the document, or of the option that it came by. */
export function issueOf(
  { keys, expected, received }: Fault,
  description: Description,
  given: MicrovmName = {},
): DocumentIssue {
  const [first] = keys;
  const isOption = keys.length === 1 && given[first as keyof MicrovmName] !== undefined;
  return { path: isOption ? `option ${first}` : pathIn(description, keys), expected, received };
}

/** Where a field stands, in the words of the document. */
export function pathIn({ label, keysInDocument }: Description, keys: readonly unknown[]): string {
  return [label, formatPath(keysInDocument(keys))].filter(Boolean).join(": ");
}
