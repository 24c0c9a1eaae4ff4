/**
 * From text to plain values: JSON with comments, or YAML. Bounded in time and memory whatever the
 * text. Knows nothing of what the values mean.
 */
import { LineCounter } from "yaml";
import { type DocumentIssue, InvalidDocumentError } from "./invalid-document.js";
import { isJson, readJson } from "./json.js";
import type { Limits, Reading } from "./reading.js";
import { readYaml } from "./yaml.js";

/** The longest text that is read, in UTF-16 code units. Specs have a few thousand. */
export const maxDocumentLength = 256 * 1024;

/** How much of a text is read. Specs nest 6 deep and have a few hundred values. */
const limits: Limits = { depth: 64, values: 64 * 1024 };

/** One of the documents of a text. */
export interface Document {
  /** Which one it is, from 1. */
  number: number;
  /** Where it begins: `line 5, column 1`. */
  place: string;
  /** What is in it; null for nothing. */
  value: unknown;
}

/** A text, read. */
export interface Documents {
  /** The documents that can be read. */
  documents: Document[];
  /** What is wrong with the others. */
  issues: DocumentIssue[];
  /** How many there are, those that can't be read included. */
  count: number;
}

/**
 * Reads all documents of a text. Text that begins with a brace or bracket, comments aside, is one
 * document of JSON, with comments and trailing commas; everything else is YAML.
 */
export function parseDocuments(text: string): Documents {
  if (text.length > maxDocumentLength) {
    return { documents: [], issues: [tooLong(String(text.length))], count: 1 };
  }
  const readings = isJson(text) ? [readJson(text, limits)] : readYaml(text, limits);
  return placed(readings, lineCounter(text));
}

/**
 * Reads the only document of a text.
 *
 * @param text The document.
 * @param source What it is called in errors.
 * @throws {InvalidDocumentError} It can't be read, or is followed by another.
 */
export function parseText(text: string, source: string): unknown {
  const { documents, issues } = parseDocuments(text);
  const [document, ...others] = documents;
  const surplus = others.map(({ place }) => {
    return { path: place, expected: "one document", received: "another one" };
  });
  if (issues.length + surplus.length > 0) {
    throw new InvalidDocumentError(source, [...issues, ...surplus]);
  }
  return document?.value;
}

/** The fault of a text of which only the length is known, in words. */
export function tooLong(length: string): DocumentIssue {
  return { path: "", expected: `at most ${maxDocumentLength} characters`, received: length };
}

/** Offsets as people count: lines and columns, from 1. */
function lineCounter(text: string): LineCounter {
  const lines = new LineCounter();
  for (let at = 0; at >= 0; at = text.indexOf("\n", at) + 1 || -1) lines.addNewLine(at);
  return lines;
}

function placed(readings: readonly Reading[], lines: LineCounter): Documents {
  const result: Documents = { documents: [], issues: [], count: readings.length };
  for (const [at, { offset, ...reading }] of readings.entries()) {
    const { line, col } = lines.linePos(offset);
    const place = `line ${line}, column ${col}`;
    if ("value" in reading) result.documents.push({ number: at + 1, place, ...reading });
    else result.issues.push({ path: place, ...reading });
  }
  return result;
}
