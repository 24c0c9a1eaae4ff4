import { describe, expect, test } from "vitest";
import { maxDocumentLength, parseDocuments, parseText } from "../../../src/flintlock/document.js";
import { refusal } from "./fixture.js";

describe("a document", () => {
  test.each([
    ["JSON with comments", '// one\n/* two */ {"a": [1, 2,], /* three */}'],
    ["JSON after a byte order mark", '\uFEFF{"a": [1, 2]}'],
    ["YAML", "# one\na:\n  - 1\n  - 2\n"],
    ["YAML with an alias", "x: &x [1, 2]\na: *x\n"],
    ["YAML with a merge key", "x: &x { a: [1, 2] }\n<<: *x\n"],
    ["YAML whose own key leads over a merge key's", "<<: [{ a: 3 }, { a: 4 }]\na: [1, 2]\n"],
    ["YAML whose first merge source leads", "<<: [{ a: [1, 2] }, { a: 4 }]\n"],
    ["YAML with Windows' line ends", "a:\r\n- 1\r\n- 2\r\n"],
    ["YAML of version 1.1", "%YAML 1.1\n---\na: [1, 2]\n"],
  ])("is read as %s", (_, text) => {
    expect(parseText(text, "spec")).toMatchObject({ a: [1, 2] });
  });

  test.each([
    ["JSON", '{\n  "a": [1,\n', "line 3, column 1: expected JSON with comments, received "],
    ["YAML", "a: [1\nb: 2\n", "line 2, column 1: expected YAML, received a fault: "],
    ["single one", "a: 1\n---\na: 2\n", "line 2, column 1: expected one document, received "],
  ])("that is no %s is refused with the place", (_, text, start) => {
    expect(refusal(() => parseText(text, "spec"))[0]).toContain(start);
  });

  test.each([
    ['{"a": 1', 'JSON with comments, received the end of the text instead of a "}"'],
    ['{"a" 1}', 'JSON with comments, received "1" instead of a ":"'],
    ['{"a": 1} x', 'received "x" instead of'],
    ['{"a": "b\n}', "instead of the end of the text in double quotes"],
    ["{a: 1}", 'JSON with comments, as a text is read that begins with {, received "a" instead of'],
  ])("of JSON is refused in words: %j", (text, words) => {
    expect(refusal(() => parseText(text, "spec"))[0]).toContain(words);
  });

  test.each([
    ["JSON", '{"a": 1,\n "a": 2}', "line 2, column 2"],
    ["YAML", "a: 1\na: 2\n", "line 2, column 1"],
  ])("with a key twice is refused in %s", (_, text, place) => {
    expect(refusal(() => parseText(text, "spec"))).toEqual([
      `  ${place}: expected each key once, received "a" again`,
    ]);
  });

  test.each([
    ["brackets in JSON", "[".repeat(200_000)],
    ["brackets in YAML", `a: ${"[".repeat(200_000)}`],
    ["braces in YAML", `a: ${"{".repeat(200_000)}`],
    ["dashes in YAML", "- ".repeat(100_000)],
    ["nested aliases", bomb()],
    ["an alias without an anchor", "a: *b"],
    ["an alias of what it stands in", "a: &a [*a]"],
    ["nested merge keys", mergeBomb()],
    ["a million documents", "---\n".repeat(1_000_000)],
    ["as many documents as fit", "---\n".repeat(65_000)],
    ["faults of syntax", "}".repeat(200_000)],
    ["directives", "%A\n".repeat(80_000)],
    ["numbers in JSON", `[${"1,".repeat(130_000)}1]`],
    ["empty values in YAML", "-\n".repeat(70_000)],
    ["anchors and their aliases", `[${"&a 1,*a,".repeat(30_000)}]`],
  ])("cannot exhaust the reader with %s", (_, text) => {
    expect(refusal(() => parseText(text, "spec"))).toHaveLength(1);
  });

  test("is read with the others of its text as far as all of them together may go", () => {
    const { documents, issues } = parseDocuments(manyBombs());
    expect(documents.length).toBeLessThan(10);
    expect(documents.length + issues.length).toBe(900);
  });

  test("is refused when it is too long, before it is read", () => {
    expect(refusal(() => parseText(" ".repeat(maxDocumentLength + 1), "spec"))).toEqual([
      `  expected at most ${maxDocumentLength} characters, received ${maxDocumentLength + 1}`,
    ]);
  });

  test.each([
    ["JSON", '{"__proto__": {"polluted": true}}'],
    ["YAML", "__proto__: { polluted: true }"],
  ])("cannot reach a prototype by %s", (_, text) => {
    const value = parseText(text, "spec");
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(Object(value))).toEqual(["__proto__"]);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test("means the same in every version of YAML, whatever its tags say", () => {
    const text = "%YAML 1.1\n---\nmac: 02:00:00:00:00:01\nset: !!set { a }\non: no\n";
    expect(parseText(text, "spec")).toEqual({
      mac: "02:00:00:00:00:01",
      set: { a: null },
      on: "no",
    });
  });

  test.each([
    ["a key that is a list", "? [1]\n: 2\n", "line 1, column 3: expected a key that is a text"],
    ["a key again in another type", "1: a\n'1': b\n", "line 2, column 1: expected each key once"],
    [
      "a merge key without an object",
      "a: 1\n<<: 2\n",
      "line 2, column 5: expected an object to merge",
    ],
    ["two merge keys", "<<: {}\n<<: {}\n", "line 2, column 1: expected each key once"],
  ])("may not have %s", (_, text, start) => {
    expect(refusal(() => parseText(text, "spec"))[0]).toContain(start);
  });
});

/** Nine hundred documents, each of which stands for 10^4 values by its aliases. */
function manyBombs(): string {
  const levels = bomb().split("\n").slice(0, 4).join("\n");
  return Array(900).fill(levels).join("\n---\n");
}

/** Sixty levels of two merge keys each: 2^60 copies when carried out one by one. */
function mergeBomb(): string {
  const levels = Array.from({ length: 60 }, (_, level) => {
    return `l${level + 1}: &l${level + 1} { <<: [*l${level}, *l${level}] }`;
  });
  return ["l0: &l0 { a: 1, b: 2 }", ...levels].join("\n");
}

/** Ten levels of ten aliases each: 10^10 values when expanded. */
function bomb(): string {
  const levels = Array.from({ length: 10 }, (_, level) => {
    const inner = level === 0 ? "1" : `*l${level - 1}`;
    return `l${level}: &l${level} [${Array(10).fill(inner).join(", ")}]`;
  });
  return levels.join("\n");
}
