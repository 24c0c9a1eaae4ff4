/**
 * From a YAML document's nodes to plain values. The library's own way (`toJS`) takes quadratic time
 * for aliases, gives values that contain themselves, and knows no limit that goes by their size.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, type YAMLMap } from "yaml";
import { describeValue } from "./invalid-document.js";
import {
  isObject,
  keyAgain,
  type Limits,
  type Reading,
  type TextFault,
  tooMany,
} from "./reading.js";

/** What an anchor stands for; its size is known when it is complete. */
interface Anchored {
  value?: unknown;
  size?: number;
}

/** Leaves the recursion. Goes no further than this file. */
class Refusal extends Error {
  readonly fault: TextFault;

  constructor(fault: TextFault) {
    super(fault.expected);
    this.fault = fault;
  }
}

/**
 * Gives the values of the documents of one text, in which aliases are replaced and merge keys (`<<`)
 * carried out, as the tools of Kubernetes do although YAML 1.2 has none. The limit is for all of
 * them together. How deep they nest is known already.
 */
export class PlainValues {
  readonly #limits: Limits;
  #anchors = new Map<string, Anchored>();
  #values = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** The value of the next document, which is one without faults. */
  read({ contents, range: [offset] }: Document.Parsed): Reading {
    this.#anchors = new Map();
    try {
      return { offset, value: this.#valueOf(contents) };
    } catch (error) {
      if (error instanceof Refusal) return error.fault;
      throw error;
    }
  }

  #valueOf(node: unknown): unknown {
    if (isAlias(node)) return this.#aliased(node.source, node);
    this.#count(1, node);
    const before = this.#values;
    const anchored: Anchored = {};
    if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor !== undefined) {
      this.#anchors.set(node.anchor, anchored);
    }
    anchored.value = this.#content(node);
    anchored.size = this.#values - before + 1;
    return anchored.value;
  }

  #content(node: unknown): unknown {
    if (isMap(node)) return this.#object(node);
    if (isSeq(node)) return node.items.map((item) => this.#valueOf(item));
    return isScalar(node) ? node.value : null;
  }

  #aliased(anchor: string, node: unknown): unknown {
    const { value, size } = this.#anchors.get(anchor) ?? {};
    if (size === undefined) {
      const expected = "an alias of something that is complete before it";
      throw new Refusal({ offset: startOf(node), expected, received: describeValue(`*${anchor}`) });
    }
    this.#count(size, node);
    return value;
  }

  #count(values: number, node: unknown): void {
    this.#values += values;
    if (this.#values > this.#limits.values) {
      throw new Refusal(tooMany(startOf(node), this.#limits));
    }
  }

  #object({ items }: YAMLMap): unknown {
    const entries = new Map<string, unknown>();
    let merged: Record<string, unknown>[] | undefined;
    for (const { key, value } of items) {
      const name = this.#key(key);
      if (entries.has(name)) throw new Refusal(keyAgain(startOf(key), name));
      entries.set(name, this.#valueOf(value));
      if (isMergeKey(key)) merged = mergeSources(entries.get(name), value ?? key);
    }
    if (merged !== undefined) entries.delete("<<");
    for (const [name, value] of merged?.flatMap((source) => Object.entries(source)) ?? []) {
      if (!entries.has(name)) entries.set(name, value);
    }
    // Unlike an assignment, it takes `__proto__` for a key like any other.
    return Object.fromEntries(entries);
  }

  #key(node: unknown): string {
    const key = this.#valueOf(node);
    if (typeof key !== "object" || key === null) return String(key ?? "");
    const offset = startOf(node);
    throw new Refusal({
      offset,
      expected: "a key that is a text",
      received: "a list or an object",
    });
  }
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.type === "PLAIN" && key.value === "<<";
}

/** What a merge key takes its fields from, the one that leads first. */
function mergeSources(value: unknown, node: unknown): Record<string, unknown>[] {
  const sources: unknown[] = Array.isArray(value) ? value : [value];
  if (sources.every(isObject)) return sources;
  const expected = "an object to merge, or a list of them";
  throw new Refusal({ offset: startOf(node), expected, received: "something else" });
}

function startOf(node: unknown): number {
  const known = isAlias(node) || isMap(node) || isSeq(node) || isScalar(node);
  return (known ? node.range?.[0] : undefined) ?? 0;
}
