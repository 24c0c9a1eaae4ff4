import { CommanderError } from "commander";
import { expect, test } from "vitest";
import { endingOf } from "../../../src/cli/failure.js";
import { FlintapError } from "../../../src/error.js";
import { InvalidDocumentError, loadSpec } from "../../../src/flintlock/index.js";

test("a refusal is one line and its hint, and ends with 1", () => {
  const error = new FlintapError({
    errno: 19,
    reason: "no-such-parent",
    operation: "createMacvtap",
    step: "create",
    device: "flvtap0",
  });
  const ending = endingOf(error);
  expect(ending?.exitCode).toBe(1);
  expect(ending?.lines).toEqual([`flintap: ${error.message}`, `hint: ${error.hint}`]);
  expect(ending?.lines.join("")).not.toContain("\n");
});

test("a document's faults are a line each, and end with 2", () => {
  const fault = { path: "id", expected: "an id", received: "nothing" };
  expect(endingOf(new InvalidDocumentError("spec.json", [fault]))).toEqual({
    lines: ["flintap: spec.json is refused:\n  id: expected an id, received nothing"],
    exitCode: 2,
  });
});

test("a file that cannot be read is one line and its hint, and ends with 2", async () => {
  const error = await loadSpec("/nonexistent/spec.json").catch((thrown) => thrown);
  const ending = endingOf(error);
  expect(ending?.exitCode).toBe(2);
  expect(ending?.lines).toEqual([
    "flintap: the spec /nonexistent/spec.json: no such file or directory (ENOENT)",
    expect.stringMatching(/^hint: Check the path/),
  ]);
});

test("wrong usage ends with 2, help that was asked for with 0", () => {
  expect(endingOf(new CommanderError(1, "commander.unknownOption", ""))?.exitCode).toBe(2);
  expect(endingOf(new CommanderError(0, "commander.helpDisplayed", ""))?.exitCode).toBe(0);
});

test("an error that is the library's own fault keeps its stack", () => {
  expect(endingOf(new TypeError("x is undefined"))).toBeUndefined();
});
