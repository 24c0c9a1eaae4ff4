/**
 * From text to plain values: JSON with comments, or YAML. Bounded in time and memory whatever the
 * text. Knows nothing of what the values mean.
 */
import { InvalidDocumentError } from "./invalid-document.js";
import { isJson, readJson } from "./json.js";
import { readYaml } from "./yaml.js";

/** The longest text that is read, in UTF-16 code units. Specs have a few thousand. */
export const maxDocumentLength = 256 * 1024;

/** The deepest nesting that is read. The parsers recurse, so this is counted before they run. */
export const maxDocumentDepth = 64;

/**
 * Reads one document. Text that begins with a brace or bracket, comments aside, is JSON, with
 * comments and trailing commas; everything else is YAML.
 *
 * @param text The document.
 * @param source What it is called in errors.
 * @throws {InvalidDocumentError} It is neither, or too long, or nests too deeply.
 */
export function parseText(text: string, source: string): unknown {
  if (text.length > maxDocumentLength) {
    const expected = `at most ${maxDocumentLength} characters`;
    throw new InvalidDocumentError(source, [{ path: "", expected, received: `${text.length}` }]);
  }
  const read = isJson(text) ? readJson : readYaml;
  const reading = read(text, maxDocumentDepth);
  if ("value" in reading) return reading.value;
  const { offset, cause, ...fault } = reading;
  throw new InvalidDocumentError(source, [{ path: place(text, offset), ...fault }], { cause });
}

/** An offset as people count: lines and columns, from 1. */
function place(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
