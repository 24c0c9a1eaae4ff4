/** What the readers of JSON and of YAML have in common. */
import { describeValue } from "./invalid-document.js";

/** Why a text can't be read, and where: `offset` is in UTF-16 code units. */
export interface TextFault {
  offset: number;
  expected: string;
  received: string;
}

/** What a reader makes of one document: its value and where it begins, or a fault. */
export type Reading = TextFault | { offset: number; value: unknown };

/** Whether a value is an object with keys, as a document's `{}` gives one. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How much of a text is read. */
export interface Limits {
  /** The deepest nesting. Parsers recurse, so it is counted before they run. */
  depth: number;
  /** The most values, keys among them, counted as if YAML's aliases were copies, of all its documents. */
  values: number;
}

/** Nesting that is deeper than what is read. */
export function tooDeep(offset: number, { depth }: Limits): TextFault {
  return { offset, expected: `at most ${depth} levels of nesting`, received: "more" };
}

/** More values than are read. */
export function tooMany(offset: number, { values }: Limits): TextFault {
  return { offset, expected: `at most ${values} keys and values`, received: "more" };
}

/** The second of two equal keys of one object, of which a parser would silently let one win. */
export function keyAgain(offset: number, key: string): TextFault {
  return { offset, expected: "each key once", received: `${describeValue(key)} again` };
}
