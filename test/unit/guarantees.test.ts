/** docs/guarantees.md: every promise has limits and a proof, and the tests that it names are there. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const text = readFileSync("docs/guarantees.md", "utf8");

/** What begins with words in bold, up to the next that does, or to the next heading. */
const promises = text
  .split(/\n(?=\*\*|## )/)
  .filter((part) => part.startsWith("**"))
  .map((part) => ({ words: /^\*\*([^*]+)\*\*/.exec(part)?.[1]?.replace(/\s+/g, " ") ?? "", part }));

const proofsIn = (part: string) =>
  Array.from(part.matchAll(/^- `([^`]+)`: (.+)$/gm), ([, file = "", title = ""]) => ({
    file,
    title,
  }));

test("there are promises", () => {
  expect(promises.length).toBeGreaterThan(20);
});

describe.each(promises)("$words", ({ part }) => {
  test("says its limits", () => {
    expect(part).toMatch(/\*Limits:\*/);
  });

  test("is proved by tests that are there", () => {
    const proofs = proofsIn(part);
    expect(proofs.length).toBeGreaterThan(0);
    for (const { file, title } of proofs) {
      expect(existsSync(file), file).toBe(true);
      expect(readFileSync(file, "utf8")).toContain(title);
    }
  });
});
