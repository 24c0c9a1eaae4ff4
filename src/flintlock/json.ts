/** Reads JSON with comments and trailing commas. */
import {
  createScanner,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import type { Reading } from "./reading.js";

/** Whether the first token, comments aside, opens an object or a list. */
export function isJson(text: string): boolean {
  const scanner = createScanner(text, true);
  scanner.scan();
  return ["{", "["].includes(text.charAt(scanner.getTokenOffset()));
}

/** Reads a text that nests at most `maxDepth` deep. */
export function readJson(text: string, maxDepth: number): Reading {
  const tooDeep = offsetOfDepth(text, maxDepth + 1);
  if (tooDeep !== undefined) {
    return { offset: tooDeep, expected: `at most ${maxDepth} levels of nesting`, received: "more" };
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined || root === undefined) {
    const received = first === undefined ? "nothing" : printParseErrorCode(first.error);
    return { offset: first?.offset ?? 0, expected: "JSON with comments", received };
  }
  const repeated = repeatedKey(root);
  if (repeated !== undefined) {
    const received = `${JSON.stringify(repeated.value)} again`;
    return { offset: repeated.offset, expected: "each key once", received };
  }
  return { value: getNodeValue(root) };
}

function offsetOfDepth(text: string, limit: number): number | undefined {
  const scanner = createScanner(text, true);
  for (let depth = 0; ; ) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    if (offset >= text.length) return undefined;
    if ("{[".includes(text.charAt(offset))) depth += 1;
    if ("}]".includes(text.charAt(offset))) depth -= 1;
    if (depth === limit) return offset;
  }
}

/** The second of two equal keys of one object: the parser would silently let it win. */
function repeatedKey(node: Node): Node | undefined {
  const seen = new Set<string>();
  for (const child of node.children ?? []) {
    const [key] = child.children ?? [];
    if (child.type === "property" && key !== undefined) {
      if (seen.has(key.value)) return key;
      seen.add(key.value);
    }
    const deeper = repeatedKey(child);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}
