/**
 * What is wrong with a config or a spec: every fault of the document at once, each with the place,
 * what belongs there and what was found. Knows nothing of files, formats or the kernel.
 */
import type { ArgumentCode } from "../codes.js";
import { shown } from "../shown.js";

/** One fault of a document. */
export interface DocumentIssue {
  /**
   * Where, in the document's own spelling: `interfaces[1].guest_mac`; empty for the whole. Of a text
   * that holds several documents it begins with which one: `document 2: interfaces[1].guest_mac`,
   * `MicrovmMachine vm1: spec.networkInterfaces[1].guestMac`.
   */
  path: string;
  /** What belongs there, such as `a unicast MAC`. */
  expected: string;
  /** What was found, such as `"e7:00:00:00:00:01" (multicast bit set)`. */
  received: string;
}

/**
 * A config or spec was refused, before anything was sent to the kernel. The message has one line
 * for each of the `issues`.
 */
export class InvalidDocumentError extends Error {
  /** Always `"InvalidDocumentError"`. */
  override readonly name = "InvalidDocumentError";
  /** Always `"ERR_INVALID_DOCUMENT"`. */
  readonly code = "ERR_INVALID_DOCUMENT" satisfies ArgumentCode;
  /** What the document is called: a file's path, or "spec" and "config" for plain text. */
  readonly source: string;
  /** All the faults: of syntax, then document by document, then those between documents. */
  readonly issues: readonly DocumentIssue[];

  /**
   * @param source What the document is called.
   * @param issues Its faults; at least one.
   * @param options The cause, where another library refused it.
   */
  constructor(source: string, issues: readonly DocumentIssue[], options?: ErrorOptions) {
    const faults = issues.map((issue) => `  ${issueLine(issue)}`);
    super([`${source} is refused:`, ...faults].map(shown).join("\n"), options);
    this.source = source;
    this.issues = issues;
  }
}

/** One issue in one line: `interfaces[0].type: expected 0 or 1, received 7`. */
export function issueLine({ path, expected, received }: DocumentIssue): string {
  const fault = `expected ${expected}, received ${received}`;
  return path === "" ? fault : `${path}: ${fault}`;
}

/** Puts a value of a document into the words of a {@link DocumentIssue}. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return shorten(typeof value === "string" ? JSON.stringify(value) : String(value), 60);
}

/** A text as it may stand in a message: {@link shown}, and not much longer than `most`. */
export function shorten(text: string, most: number): string {
  const kept = shown(text.slice(0, most));
  return text.length <= most ? kept : `${kept}…`;
}
