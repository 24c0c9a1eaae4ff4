/** Reads JSON with comments and trailing commas. */
import {
  createScanner,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import {
  keyAgain,
  type Limits,
  type Reading,
  type TextFault,
  tooDeep,
  tooMany,
} from "./reading.js";

/** Whether the first token, comments aside, opens an object or a list. */
export function isJson(text: string): boolean {
  const scanner = createScanner(text, true);
  scanner.scan();
  return ["{", "["].includes(text.charAt(scanner.getTokenOffset()));
}

/** Reads a text. */
export function readJson(text: string, limits: Limits): Reading {
  const excess = excessIn(text, limits);
  if (excess !== undefined) return excess;
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined || root === undefined) {
    const received = first === undefined ? "nothing" : printParseErrorCode(first.error);
    return { offset: first?.offset ?? 0, expected: "JSON with comments", received };
  }
  const repeated = repeatedKey(root);
  if (repeated !== undefined) return keyAgain(repeated.offset, repeated.value);
  return { offset: root.offset, value: plainValue(root) };
}

function excessIn(text: string, limits: Limits): TextFault | undefined {
  const scanner = createScanner(text, true);
  for (let depth = 0, values = 0; ; ) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    if (offset >= text.length) return undefined;
    const character = text.charAt(offset);
    if ("{[".includes(character)) depth += 1;
    if ("}]".includes(character)) depth -= 1;
    if (!"}],:".includes(character)) values += 1;
    if (depth > limits.depth) return tooDeep(offset, limits);
    if (values > limits.values) return tooMany(offset, limits);
  }
}

/** As the library's own `getNodeValue`, to which `__proto__` is no key but the object's prototype. */
function plainValue({ type, value, children = [] }: Node): unknown {
  if (type === "array") return children.map(plainValue);
  if (type !== "object") return value;
  const entries = children.map(({ children: [key, inner] = [] }): [string, unknown] => [
    key?.value,
    inner && plainValue(inner),
  ]);
  return Object.fromEntries(entries);
}

/** The second of two equal keys of one object. */
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
