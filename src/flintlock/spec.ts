/**
 * Reads descriptions of microVMs into the model, whatever form they have: flintlock's specs, and
 * CAPMVM's MicrovmMachines and MicrovmMachineTemplates.
 */
import { string } from "../check.js";
import {
  type Checked,
  checkComplete,
  checkFragment,
  type Description,
  type MicrovmName,
} from "./description.js";
import { clashesBetween, type Descriptions, describe } from "./descriptions.js";
import { readDocument } from "./document-file.js";
import { type DocumentIssue, describeValue, InvalidDocumentError } from "./invalid-document.js";
import type { Microvm, MicrovmSpec } from "./microvm.js";

/** What a spec may leave to its reader. What is given here leads over the document. */
export interface SpecOptions extends MicrovmName {
  /** What the document is called in errors. Default: "spec". */
  source?: string;
  /**
   * Which one is meant, of several that a document describes: the `metadata.name` of a Kubernetes
   * object, the id of a flintlock spec.
   */
  name?: string;
}

/**
 * Reads the description of one microVM: a flintlock spec as JSON with comments or YAML, field names
 * in snake_case or camelCase, as `{"interfaces": […]}` with the id in `options`, or inside
 * `{"microvm": …}` or `{"spec": …}`; or a MicrovmMachine or MicrovmMachineTemplate of CAPMVM. Other
 * Kubernetes objects beside it are passed over. A MicrovmMachine is the microVM of its name; a
 * template names none, so the id has to be in `options`.
 *
 * @param text The document or documents.
 * @param options What they leave out, and what they are called.
 * @throws {InvalidDocumentError} With all the faults there are; also where several microVMs are
 *   described, and `options.name` names none of them.
 */
export function parseSpec(text: string, options: SpecOptions = {}): Microvm {
  string(text, { call: "parseSpec", argument: "text" });
  const found = describe(text);
  const chosen = choose(found, options.name);
  const checked = found.descriptions.map((description, at) =>
    at === chosen.at ? checkComplete(description, options) : checkFragment(description),
  );
  const issues = [...issuesOf(found, checked), ...chosen.issues];
  const spec = chosen.at === undefined ? undefined : checked[chosen.at]?.spec;
  if (spec?.id === undefined || issues.length > 0) throw refusal(options, issues);
  const { id, namespace, uid, interfaces } = spec;
  return { id, namespace, uid, interfaces };
}

/**
 * Reads the description of one microVM from a file.
 *
 * @param path The file.
 * @param options As for {@link parseSpec}; the source is the path.
 * @throws {InvalidDocumentError} As {@link parseSpec}, or it is no UTF-8.
 * @throws {UnreadableDocumentError} The system can't read the file.
 */
export async function loadSpec(path: string, options: SpecOptions = {}): Promise<Microvm> {
  return parseSpec(await readDocument({ what: "the spec", path }), { source: path, ...options });
}

/**
 * Reads everything that a text describes: the same forms as {@link parseSpec}, as many as there
 * are. None of them needs an id.
 *
 * @param text The document or documents.
 * @param options What they are called in errors.
 * @returns At least one, in the text's order.
 * @throws {InvalidDocumentError} With all the faults of all documents, and those between them: two
 *   of the same name, two guests with the same MAC.
 */
export function parseSpecs(text: string, options: Pick<SpecOptions, "source"> = {}): MicrovmSpec[] {
  string(text, { call: "parseSpecs", argument: "text" });
  const found = describe(text);
  const checked = found.descriptions.map(checkFragment);
  const issues = [...issuesOf(found, checked), ...nothingIn(found)];
  if (issues.length > 0) throw refusal(options, issues);
  return checked.flatMap(({ spec }) => spec ?? []);
}

/**
 * Reads everything that a file describes.
 *
 * @param path The file.
 * @param options As for {@link parseSpecs}; the source is the path.
 * @throws {InvalidDocumentError} As {@link parseSpecs}, or it is no UTF-8.
 * @throws {UnreadableDocumentError} The system can't read the file.
 */
export async function loadSpecs(
  path: string,
  options: Pick<SpecOptions, "source"> = {},
): Promise<MicrovmSpec[]> {
  return parseSpecs(await readDocument({ what: "the spec", path }), { source: path, ...options });
}

function issuesOf({ descriptions, issues }: Descriptions, checked: Checked[]): DocumentIssue[] {
  return [...issues, ...checked.flatMap((one) => one.issues), ...clashesBetween(descriptions)];
}

function refusal({ source = "spec" }: SpecOptions, issues: DocumentIssue[]): InvalidDocumentError {
  return new InvalidDocumentError(source, issues);
}

/** The fault that nothing is described; none where something is that can't be read. */
function nothingIn({ descriptions, issues, otherKinds }: Descriptions): DocumentIssue[] {
  if (descriptions.length + issues.length > 0) return [];
  const expected = "a flintlock spec, a MicrovmMachine or a MicrovmMachineTemplate";
  return [{ path: "", expected, received: listed([...new Set(otherKinds)]) }];
}

/** Which one is meant, or why that can't be said. */
function choose(found: Descriptions, name?: string): { at?: number; issues: DocumentIssue[] } {
  const { descriptions, issues } = found;
  const candidates = descriptions.flatMap((description, at) =>
    name === undefined || nameOf(description) === name ? [at] : [],
  );
  if (candidates.length === 1) return { at: candidates[0], issues: [] };
  // It may be in the part that can't be read.
  if (descriptions.length === 0 || issues.length > 0) return { issues: nothingIn(found) };
  const existing = listed(descriptions.map(({ label }) => label || "one without a name"));
  const issue =
    name === undefined
      ? { path: "", expected: "one microVM, or the name of one as an option", received: existing }
      : { path: "option name", expected: `one of ${existing}`, received: describeValue(name) };
  return { issues: [issue] };
}

function nameOf({ name, id }: Description): unknown {
  return name ?? id;
}

/** The words in a row, however many there are. */
function listed(words: readonly string[]): string {
  const most = 20;
  const rest = words.length - most;
  const shown = words.slice(0, most).join(", ") || "nothing";
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
