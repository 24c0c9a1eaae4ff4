/** Reads YAML 1.2, which may be several documents. */
import { Composer, type CST, type Document, Parser } from "yaml";
import { shorten } from "./invalid-document.js";
import { type Limits, type Reading, type TextFault, tooDeep } from "./reading.js";
import { PlainValues } from "./yaml-value.js";

/** The most documents, directives and faults of syntax of one text. Each costs much more than its text. */
const maxParts = 1_000;

/**
 * What YAML means here, whatever version a `%YAML` directive or which type a tag asks for: 1.1 would
 * read `02:00:00:00:00:01` as a number. The library's own search for repeated keys is quadratic.
 */
const dialect = {
  schema: "core",
  merge: false,
  resolveKnownTags: false,
  uniqueKeys: false,
  logLevel: "silent",
} as const;

/** Reads each document of a text. */
export function readYaml(text: string, limits: Limits): Reading[] {
  const tokens = tokensOf(text);
  if (!Array.isArray(tokens)) return [tokens];
  const deep = tokens.find((token) => depth(token) > limits.depth);
  if (deep !== undefined) return [tooDeep(deep.offset, limits)];
  const documents = new Composer(dialect).compose(tokens, true, text.length);
  const values = new PlainValues(limits);
  return Array.from(documents, (document) => faultOf(document) ?? values.read(document));
}

/** The syntax tree, or what is too much of it: the parser is left as soon as that is known. */
function tokensOf(text: string): CST.Token[] | TextFault {
  const tokens: CST.Token[] = [];
  let parts = 0;
  for (const token of new Parser().parse(text)) {
    tokens.push(token);
    if (["document", "directive", "error"].includes(token.type)) parts += 1;
    if (parts > maxParts) {
      const expected = `at most ${maxParts} documents, directives and faults of syntax`;
      return { offset: token.offset, expected, received: "more" };
    }
  }
  return tokens;
}

/** Counted in the syntax tree, which is built without recursion. */
function depth(root: CST.Token): number {
  let level: (CST.Token | null | undefined)[] = root.type === "document" ? [root.value] : [];
  for (let count = 0; ; count += 1) {
    level = level.flatMap((token) => {
      if (token == null || !("items" in token)) return [];
      return token.items.flatMap(({ key, value }) => [key, value]);
    });
    if (level.length === 0) return count;
  }
}

function faultOf({ errors: [fault] }: Document.Parsed): TextFault | undefined {
  if (fault === undefined) return undefined;
  const received = `a fault: ${shorten(fault.message, 120)}`;
  return { offset: fault.pos[0], expected: "YAML", received };
}
