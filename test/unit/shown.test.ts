import { expect, test } from "vitest";
import { shown } from "../../src/shown.js";

test.each([
  ["plain ä € 😀", "plain ä € 😀"],
  ["\u001b[2J\n", "\\u001b[2J\\u000a"],
  ["a\u202eb\u009bc", "a\\u202eb\\u009bc"],
  ["\ud800 \u2028", "\\ud800 \\u2028"],
  ["\u{e0001}", "\\udb40\\udc01"],
])("%j is shown as %j", (text, words) => {
  expect(shown(text)).toBe(words);
});
