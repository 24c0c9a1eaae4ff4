import { CommanderError } from "commander";
import { expect, test } from "vitest";
import {
  endingOf,
  errorJson,
  errorText,
  Interrupted,
  SeveralErrors,
  UsageError,
} from "../../../src/cli/failure.js";
import { commandHint, commandHints } from "../../../src/cli/hints.js";
import { FlintapError } from "../../../src/error.js";
import { InvalidDocumentError, loadSpec } from "../../../src/flintlock/index.js";
import { NetworkNamespace } from "../../../src/network-namespace.js";
import type { Reason } from "../../../src/reasons.js";

/** The exit code, and what is printed for people and for programs. */
function ended(error: unknown) {
  const { report, exitCode } = endingOf(error, "up") ?? {};
  if (report === undefined) return { exitCode };
  return { exitCode, text: errorText(report), json: JSON.parse(errorJson(report)).error };
}

test("a refusal is one line and its hint, and ends with 1; programs are told all its facts", () => {
  const error = new FlintapError({
    errno: 19,
    reason: "no-such-parent",
    operation: "createMacvtap",
    step: "create",
    device: "flvtap0",
    leftBehind: ["flvtap1"],
  });
  const { exitCode, text, json } = ended(error);
  expect(exitCode).toBe(1);
  const message = error.message.replace(/^createMacvtap/, "up");
  const hint = expect.stringMatching(/^Check parent-iface in the config\. /);
  expect(text).toMatch(/^.*\nhint: .*$/);
  expect(text).toContain(`flintap: ${message}\n`);
  expect(json).toEqual({
    code: "ENODEV",
    reason: "no-such-parent",
    errno: 19,
    operation: "up",
    step: "create",
    device: "flvtap0",
    leftBehind: ["flvtap1"],
    message,
    hint,
  });
});

test("a document's faults are a line each, and end with 2", () => {
  const fault = { path: "id", expected: "an id", received: "nothing" };
  const { exitCode, text, json } = ended(new InvalidDocumentError("spec.json", [fault]));
  expect(exitCode).toBe(2);
  expect(text).toBe("flintap: spec.json is refused:\n  id: expected an id, received nothing");
  expect(json).toMatchObject({
    code: "ERR_INVALID_DOCUMENT",
    source: "spec.json",
    issues: [fault],
  });
});

test("a file that cannot be read is one line and its hint, and ends with 2", async () => {
  const error = await loadSpec("/nonexistent/spec.json").catch((thrown) => thrown);
  const { exitCode, text, json } = ended(error);
  expect(exitCode).toBe(2);
  expect(text).toMatch(/^flintap: the spec \/nonexistent\/spec\.json: .*\(ENOENT\)\nhint: .*$/);
  expect(json).toMatchObject({ code: "ENOENT", path: "/nonexistent/spec.json" });
});

test("several wrong files are told one after the other", () => {
  const fault = { path: "id", expected: "an id", received: "nothing" };
  const errors = [new InvalidDocumentError("a", [fault]), new InvalidDocumentError("b", [fault])];
  const { exitCode, text, json } = ended(new SeveralErrors(errors, "2 files are wrong"));
  expect(exitCode).toBe(2);
  expect(text?.match(/^flintap: /gm)).toHaveLength(2);
  expect(json.errors).toMatchObject([{ source: "a" }, { source: "b" }]);
  expect(endingOf(new SeveralErrors([errors[0], new Error("unexpected")], ""), "")).toBeUndefined();
});

test("wrong usage ends with 2 and commander's suggestion, help that was asked for with 0", () => {
  const message = "error: unknown option '--jsn'\n(Did you mean --json?)";
  const { exitCode, text, json } = ended(new CommanderError(1, "commander.unknownOption", message));
  expect(exitCode).toBe(2);
  expect(text).toBe("flintap: unknown option '--jsn'\nhint: Did you mean --json?");
  expect(json.code).toBe("ERR_USAGE");
  expect(ended(new CommanderError(0, "commander.helpDisplayed", ""))).toEqual({ exitCode: 0 });
  expect(ended(new CommanderError(1, "commander.help", ""))).toEqual({ exitCode: 2 });
  const own = new UsageError("no microVM is named", { hint: "Name it." });
  expect(ended(own)).toMatchObject({
    exitCode: 2,
    text: "flintap: no microVM is named\nhint: Name it.",
  });
});

test("what an argument check of the library refuses is wrong usage, in one line", () => {
  let error: unknown;
  try {
    NetworkNamespace.current({ owner: "x".repeat(33) });
  } catch (thrown) {
    error = thrown;
  }
  const { exitCode, text, json } = ended(error);
  expect(exitCode).toBe(2);
  expect(text).toMatch(/^flintap: Expected 1 to 32 bytes .*$/);
  expect(json.code).toBe("ERR_INVALID_ARG_VALUE");
});

test("a signal that ends a command is a refusal", () => {
  expect(ended(new Interrupted("SIGINT"))).toMatchObject({
    exitCode: 1,
    text: "flintap: SIGINT: given up; nothing was changed",
  });
});

test("an error that is the library's own fault keeps its stack", () => {
  expect(endingOf(new TypeError("x is undefined"), "")).toBeUndefined();
});

test("a hint for the command is the library's where that says what a shell needs", () => {
  const refused = { errno: 1, operation: "createTap", step: "open /dev/net/tun" } as const;
  const error = new FlintapError({ ...refused, reason: "tun-not-allowed" });
  expect(ended(error).json.hint).toBe(error.hint);
});

test.each(Object.keys(commandHints) as Reason[])(
  "the command's hint for %s is in sentences, and in no JavaScript",
  (reason) => {
    const hint = commandHint(reason, {});
    expect(hint).toMatch(/^[A-Z].*[.…]$/);
    expect(hint).not.toMatch(
      /\b(create|delete|open|list|get|move|set)[A-Z]|: true|'\w+'|leftBehind/,
    );
  },
);
