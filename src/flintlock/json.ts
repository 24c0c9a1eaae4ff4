/** Reads JSON with comments and trailing commas. */
import {
  createScanner,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { describeValue } from "./invalid-document.js";
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
  if (first !== undefined) return syntaxFault(text, first);
  if (root === undefined) return { offset: 0, expected: "JSON with comments", received: "nothing" };
  const repeated = repeatedKey(root);
  if (repeated !== undefined) return keyAgain(repeated.offset, repeated.value);
  return { offset: root.offset, value: plainValue(root) };
}

/** What belongs where the parser stopped. */
const wanted: Record<ReturnType<typeof printParseErrorCode>, string> = {
  InvalidSymbol: "a text in double quotes, a number, true, false or null",
  InvalidNumberFormat: "a number",
  PropertyNameExpected: "a name in double quotes",
  ValueExpected: "a value",
  ColonExpected: 'a ":"',
  CommaExpected: 'a ","',
  CloseBraceExpected: 'a "}"',
  CloseBracketExpected: 'a "]"',
  EndOfFileExpected: "the end of the text",
  InvalidCommentToken: "a comment",
  UnexpectedEndOfComment: "the end of the comment",
  UnexpectedEndOfString: "the end of the text in double quotes",
  UnexpectedEndOfNumber: "the end of the number",
  InvalidUnicode: "four hexadecimal digits behind \\u",
  InvalidEscapeCharacter: "an escape sequence of JSON's",
  InvalidCharacter: "a character that JSON does not want escaped",
  "<unknown ParseErrorCode>": "JSON",
};

function syntaxFault(text: string, { error, offset, length }: ParseError): TextFault {
  const code = printParseErrorCode(error);
  const token = text.slice(offset, offset + length);
  const found = token === "" ? "the end of the text" : describeValue(token);
  // Most likely YAML, which may begin so as well.
  const form =
    code === "InvalidSymbol" ? `, as a text is read that begins with ${text.trimStart()[0]}` : "";
  const expected = `JSON with comments${form}`;
  return { offset, expected, received: `${found} instead of ${wanted[code]}` };
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
