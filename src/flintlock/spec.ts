/**
 * A microVM's spec as flintlock's API takes it (proto3 JSON, or the same in YAML), read into
 * {@link Microvm}. Only what concerns the network is looked at.
 */
import * as v from "valibot";
import { parseText } from "./document.js";
import { readDocument } from "./document-file.js";
import { check, type Fault, formatPath, optionalText, text, wordFault } from "./fields.js";
import { describeValue, InvalidDocumentError } from "./invalid-document.js";
import type { Microvm } from "./microvm.js";
import { clashes, networkInterface, toModel } from "./network-interface.js";
import { isObject } from "./reading.js";

/** What a spec may leave to its reader. What is given here leads over the document. */
export interface SpecOptions {
  /** What the document is called in errors. Default: "spec". */
  source?: string;
  /** The microVM's id. */
  id?: string;
  /** The microVM's namespace. Default: "default", as in flintlock. */
  namespace?: string;
  /** The microVM's uid. */
  uid?: string;
}

const idExpected = "the microVM's id, in the document or beside it";
const interfacesExpected = "a list of interfaces";

const wordOf = (value: string) => wordFault(value, /[/\s\p{Cc}]/u);

const microvm = v.object(
  {
    id: text(idExpected, wordOf),
    namespace: text("the microVM's namespace", wordOf),
    uid: optionalText("the microVM's uid", wordOf),
    interfaces: v.array(networkInterface, interfacesExpected),
  },
  (issue) => (issue.path?.at(-1)?.key === "id" ? idExpected : interfacesExpected),
);

/**
 * Reads a microVM's spec: JSON with comments, or YAML; field names in snake_case or camelCase; as
 * `{"interfaces": […]}` with the id in `options`, or inside `{"microvm": …}` or `{"spec": …}`.
 *
 * @param text The document.
 * @param options What it leaves out, and what it is called.
 * @throws {InvalidDocumentError} With all the faults there are.
 */
export function parseSpec(text: string, options: SpecOptions = {}): Microvm {
  const source = options.source ?? "spec";
  const { body, place } = unwrap(parseText(text, source));
  if (!isObject(body)) {
    const fault = { path: formatPath(place), expected: "a microVM's spec" };
    throw new InvalidDocumentError(source, [{ ...fault, received: describeValue(body) }]);
  }
  const listed = Array.isArray(body.interfaces) ? body.interfaces.map(snakeKeys) : body.interfaces;
  const { output, faults } = check(microvm, {
    id: options.id ?? body.id,
    namespace: options.namespace ?? (body.namespace || "default"),
    uid: options.uid ?? body.uid,
    interfaces: listed,
  });
  if (Array.isArray(listed)) faults.push(...clashes(listed));
  if (output === undefined || faults.length > 0) {
    const issues = faults.sort(byInterface).map(({ keys, expected, received }) => {
      return { path: formatPath([...place, ...spelled(body, keys)]), expected, received };
    });
    throw new InvalidDocumentError(source, issues);
  }
  return { ...output, interfaces: output.interfaces.map(toModel) };
}

/**
 * Reads a microVM's spec from a file.
 *
 * @param path The file.
 * @param options As for {@link parseSpec}; the source is the path.
 * @throws {InvalidDocumentError} As {@link parseSpec}, or it is no UTF-8.
 * @throws {UnreadableDocumentError} The system can't read the file.
 */
export async function loadSpec(path: string, options: SpecOptions = {}): Promise<Microvm> {
  return parseSpec(await readDocument(path, "the spec"), { source: path, ...options });
}

function byInterface({ keys: [, a] }: Fault, { keys: [, b] }: Fault): number {
  return Number(a ?? -1) - Number(b ?? -1);
}

/** Goes into `microvm` and `spec`, the messages that flintlock's API wraps a spec in. */
function unwrap(document: unknown): { body: unknown; place: string[] } {
  const place: string[] = [];
  let body = document;
  for (const wrapper of ["microvm", "spec"]) {
    if (!isObject(body) || !Object.hasOwn(body, wrapper)) continue;
    body = body[wrapper];
    place.push(wrapper);
  }
  return { body, place };
}

/**
 * Turns the camelCase keys of an object, and of the objects in it, into snake_case. A key whose
 * other spelling is there too keeps its own, and is then found unknown.
 */
function snakeKeys(value: unknown): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => {
    const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return [Object.hasOwn(value, snake) ? key : snake, snakeKeys(inner)];
  });
  return Object.fromEntries(entries);
}

/** The keys of a path as the document spells them. */
function spelled(body: unknown, keys: readonly unknown[]): unknown[] {
  let at = body;
  return keys.map((key) => {
    const camel = String(key).replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const own = isObject(at) && !Object.hasOwn(at, String(key)) && Object.hasOwn(at, camel);
    const spelling = own ? camel : key;
    at = isObject(at) || Array.isArray(at) ? Reflect.get(at, spelling as string) : undefined;
    return spelling;
  });
}
