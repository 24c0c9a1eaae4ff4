/** Everything that a text describes, of whatever kind, and what must hold between them. */
import { describeObject, isKubernetesObject, listedObjects } from "./capmvm.js";
import { type Description, issueOf, pathIn } from "./description.js";
import { type Document, parseDocuments } from "./document.js";
import { describeMicrovm } from "./flintlock-spec.js";
import { guestMacs } from "./interface-form.js";
import { type DocumentIssue, describeValue } from "./invalid-document.js";
import { isObject } from "./reading.js";
import { repeatsIn } from "./repeats.js";

/** A text, searched. */
export interface Descriptions {
  /** The microVMs and templates, in the text's order. */
  descriptions: Description[];
  /** What is wrong with documents that can't be read at all. */
  issues: DocumentIssue[];
  /** The kinds of the Kubernetes objects that are passed over. */
  otherKinds: string[];
}

/** Searches all documents of a text. */
export function describe(text: string): Descriptions {
  const { documents, issues, count } = parseDocuments(text);
  const found: Descriptions = { descriptions: [], issues, otherKinds: [] };
  for (const document of documents) {
    for (const { value, position } of objectsIn(document, count)) {
      const description = isKubernetesObject(value)
        ? describeObject(value, position)
        : describeMicrovm(value, position);
      if (description !== undefined) found.descriptions.push(description);
      else if (isObject(value)) found.otherKinds.push(describeValue(value.kind));
    }
  }
  return { ...found, descriptions: toldApart(found.descriptions) };
}

/** What a document holds, each with its place in the text: a Kubernetes List holds several. */
function objectsIn(
  { number, value }: Document,
  count: number,
): { value: unknown; position: string }[] {
  const position = count > 1 ? `document ${number}` : "";
  // Nothing, between two separators or behind the last one.
  if (value === null || value === undefined) return [];
  const listed = isKubernetesObject(value) ? listedObjects(value) : undefined;
  if (listed === undefined) return [{ value, position }];
  return listed.flatMap((item, at) => {
    const place = [position, `items[${at}]`].filter(Boolean).join(" ");
    return isKubernetesObject(item) ? [{ value: item, position: place }] : [];
  });
}

/** Adds the position to labels that are not unique. */
function toldApart(descriptions: readonly Description[]): Description[] {
  const repeats = repeatsIn(descriptions, ({ label }) => label);
  const shared = new Set(repeats.map(({ item }) => item.label));
  return descriptions.map((description) => {
    const { label, position } = description;
    return shared.has(label) && label !== position
      ? { ...description, label: `${label} (${position})` }
      : description;
  });
}

/** The microVMs that have the name of another, and the guests that have the MAC of another's. */
export function clashesBetween(descriptions: readonly Description[]): DocumentIssue[] {
  const readable = descriptions.filter(({ fault }) => fault === undefined);
  return [...sharedNames(readable), ...sharedMacs(readable)];
}

function sharedNames(descriptions: readonly Description[]): DocumentIssue[] {
  return repeatsIn(descriptions, nameKey).map(({ item, first }) => {
    const received = `${describeValue(item.name ?? item.id)} (${first.label} has it)`;
    const keys = [isTemplate(item) ? "name" : "id"];
    return issueOf({ keys, expected: "a name of its own", received }, item);
  });
}

/** A machine may have the MAC of a template: that is where it comes from. */
function sharedMacs(descriptions: readonly Description[]): DocumentIssue[] {
  const guests = descriptions.flatMap((description) => {
    const macs = guestMacs(description.interfaces, description.form);
    return Array.from(macs, ([mac, keys]) => ({ description, mac, keys }));
  });
  const repeats = repeatsIn(guests, ({ mac, description }) => `${isTemplate(description)} ${mac}`);
  return repeats.map(({ item: { description, mac, keys }, first }) => {
    const holder = pathIn(first.description, first.keys);
    const received = `${describeValue(mac)} (${holder} has it)`;
    return issueOf({ keys, expected: "one of its own", received }, description);
  });
}

function isTemplate({ kind }: Description): boolean {
  return kind === "MicrovmMachineTemplate";
}

/** What no other may have: of a template its own name, of the others the microVM's. */
function nameKey(description: Description): string | undefined {
  const { name, id, namespace, uid } = description;
  const parts = isTemplate(description) ? [name] : [id, uid || ""];
  if (typeof parts[0] !== "string" || parts[0] === "") return undefined;
  return JSON.stringify([isTemplate(description), namespace || "default", ...parts]);
}
