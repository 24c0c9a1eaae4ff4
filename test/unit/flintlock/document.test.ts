import { describe, expect, test } from "vitest";
import { maxDocumentLength, parseText } from "../../../src/flintlock/document.js";
import { refusal } from "./fixture.js";

describe("a document", () => {
  test.each([
    ["JSON with comments", '// one\n/* two */ {"a": [1, 2,], /* three */}'],
    ["JSON after a byte order mark", '\uFEFF{"a": [1, 2]}'],
    ["YAML", "# one\na:\n  - 1\n  - 2\n"],
    ["YAML with an alias", "x: &x [1, 2]\na: *x\n"],
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
  ])("cannot exhaust the reader with %s", (_, text) => {
    expect(refusal(() => parseText(text, "spec"))).toHaveLength(1);
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
    expect(Reflect.get(Object(value), "polluted")).toBeUndefined();
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });
});

/** Ten levels of ten aliases each: 10^10 values when expanded. */
function bomb(): string {
  const levels = Array.from({ length: 10 }, (_, level) => {
    const inner = level === 0 ? "1" : `*l${level - 1}`;
    return `l${level}: &l${level} [${Array(10).fill(inner).join(", ")}]`;
  });
  return levels.join("\n");
}
