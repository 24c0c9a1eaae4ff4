/** Reads YAML 1.2. */
import { Composer, type CST, type Document, isScalar, Parser, type Scalar, visit } from "yaml";
import type { Reading } from "./reading.js";

/** Reads a text of at most one document that nests at most `maxDepth` deep. */
export function readYaml(text: string, maxDepth: number): Reading {
  const tokens = [...new Parser().parse(text)];
  if (depth(tokens) > maxDepth) {
    return { offset: 0, expected: `at most ${maxDepth} levels of nesting`, received: "more" };
  }
  // The library's own search for repeated keys is quadratic.
  const composer = new Composer({ uniqueKeys: false });
  const [document, second] = composer.compose(tokens, true, text.length);
  const [fault] = document?.errors ?? [];
  if (fault !== undefined) {
    return { offset: fault.pos[0], expected: "YAML", received: `a fault: ${fault.message}` };
  }
  if (second !== undefined) {
    return { offset: second.range[0], expected: "one document", received: "a second one" };
  }
  const repeated = document && repeatedKey(document);
  if (repeated !== undefined) {
    const received = `${JSON.stringify(repeated.value)} again`;
    return { offset: repeated.range?.[0] ?? 0, expected: "each key once", received };
  }
  return resolved(document);
}

/** Counted in the syntax tree, which is built without recursion. */
function depth(tokens: readonly CST.Token[]): number {
  let level: (CST.Token | null | undefined)[] = [...tokens];
  for (let count = 0; ; count += 1) {
    level = level.flatMap((token) => {
      if (token?.type === "document") return [token.value];
      if (token == null || !("items" in token)) return [];
      return token.items.flatMap(({ key, value }) => [key, value]);
    });
    if (level.length === 0) return count;
  }
}

/** The second of two equal keys of one mapping. */
function repeatedKey(document: Document): Scalar | undefined {
  let found: Scalar | undefined;
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      found = items
        .map(({ key }) => key)
        .filter(isScalar)
        .find(({ value }) => seen.size === seen.add(value).size);
      return found === undefined ? undefined : visit.BREAK;
    },
  });
  return found;
}

function resolved(document: Document | undefined): Reading {
  try {
    return { value: document?.toJS() };
  } catch (error) {
    // Aliases that stand for nothing, or that would expand to very much.
    if (!(error instanceof ReferenceError)) throw error;
    const expected = "aliases that can be resolved";
    return { offset: 0, expected, received: error.message, cause: error };
  }
}
