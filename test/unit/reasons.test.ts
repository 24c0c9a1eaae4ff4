import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { argumentCodes, libraryCodes } from "../../src/codes.js";
import { facadeReasons, type ReasonEntry, reasons } from "../../src/reasons.js";

const entries: [string, ReasonEntry][] = Object.entries({ ...reasons, ...facadeReasons });

test("docs/errors.md is up to date", () => {
  const script = fileURLToPath(new URL("../../scripts/errors-page.mjs", import.meta.url));
  const { stderr, status } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
});

test.each(entries)("%s says what is wrong in a clause and what to do in sentences", (_, entry) => {
  expect(entry.summary).toMatch(/^[a-z/].*[^.]$/);
  const hint = typeof entry.hint === "string" ? entry.hint : entry.hint({});
  expect(hint).toMatch(/^[A-Z]|^(openTap|openMacvtap|A )/);
  expect(hint).toMatch(/\.$/);
});

test("a code of the library's own is one that the page explains", () => {
  const codes = entries.flatMap(([, { code }]) => (code === undefined ? [] : [code]));
  expect(codes.filter((code) => !Object.hasOwn(libraryCodes, code))).toEqual([]);
});

test("every code of the library's own is used", () => {
  const used = new Set(entries.map(([, { code }]) => code));
  expect(Object.keys(libraryCodes).filter((code) => !used.has(code))).toEqual([]);
});

test("no code is both an argument error's and the library's", () => {
  expect(Object.keys(argumentCodes).filter((code) => code in libraryCodes)).toEqual([]);
});
