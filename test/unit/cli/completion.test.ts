import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bashCompletion } from "../../../src/cli/completion/bash.js";
import { fishCompletion } from "../../../src/cli/completion/fish.js";
import { commandTree } from "../../../src/cli/completion/tree.js";
import { zshCompletion } from "../../../src/cli/completion/zsh.js";
import { createProgram } from "../../../src/cli/program.js";

const never = new AbortController().signal;
const tree = commandTree(
  createProgram({
    print: () => {},
    drained: async () => {},
    note: () => {},
    changing: (work) => work(),
    exitWith: () => {},
    interrupted: never,
    unread: never,
  }),
);

const folder = mkdtempSync(join(tmpdir(), "flintap-completion-"));
mkdirSync(join(folder, "specs"));
for (const name of ["spec one.yaml", "specs/a.yaml"]) writeFileSync(join(folder, name), "");
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash offers for the last of these words. */
function offered(...words: string[]): string[] {
  return offeredWith("", ...words);
}

/** The same in a shell with a setting. */
function offeredWith(setting: string, ...words: string[]): string[] {
  const ask = `
    ${setting}
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _flintap
    ((\${#COMPREPLY[@]})) && printf '%s\\n' "\${COMPREPLY[@]}"; true`;
  // Twice, as a shell that reads its startup file again does.
  const script = [bashCompletion("flintap", tree), bashCompletion("flintap", tree), ask].join("\n");
  const output = execFileSync("bash", ["-c", script, "bash", "flintap", ...words], {
    cwd: folder,
    encoding: "utf8",
  });
  return output.split("\n").filter(Boolean);
}

test("bash is offered the commands, also below a command and behind an option", () => {
  expect(offered("")).toEqual(expect.arrayContaining(["up", "down", "watch", "config"]));
  expect(offered("pl")).toEqual(["plan"]);
  expect(offered("config", "")).toEqual(["check", "help"]);
  expect(offered("help", "pl")).toEqual(["plan"]);
  expect(offered("config", "help", "")).toEqual(["check"]);
  expect(offered("--netns", "up", "--json", "li")).toEqual(["list"]);
  expect(offered("up", "li")).toEqual([]);
});

test("bash is offered a command's own options and those of all", () => {
  expect(offered("plan", "--exit")).toEqual(["--exit-code"]);
  expect(offered("up", "--exit")).toEqual([]);
  expect(offered("spec", "check", "--js")).toEqual(["--json"]);
  expect(offered("plan", "-f", "a.yaml", "--repl")).toEqual(["--replace"]);
  expect(offered("gc", "-f", "a.yaml", "--keep")).toEqual(["--keep-none"]);
});

test("bash is offered files where a file is meant, one with a blank in its name as well", () => {
  const all = ["spec one.yaml", "specs"];
  expect(offered("up", "-f", "sp").sort()).toEqual(all);
  expect(offered("up", "--file", "=", "sp").sort()).toEqual(all);
  expect(offered("up", "--file", "=").sort()).toEqual(all);
  expect(offered("plan", "-f", "a.yaml", "specs/")).toEqual(["specs/a.yaml"]);
  expect(offered("spec", "check", "-c", "x", "specs/")).toEqual(["specs/a.yaml"]);
  expect(offered("--netns", "./specs/")).toEqual(["./specs/a.yaml"]);
  expect(offered("up", "--id", "sp")).toEqual([]);
});

test("bash is offered words whatever the shell splits at", () => {
  expect(offeredWith("IFS=:", "up", "--host-ipv6", "")).toEqual(["closed", "reduced", "open"]);
});

test("bash is offered choices, and evaluates nothing of what was typed", () => {
  expect(offered("up", "--host-ipv6", "")).toEqual(["closed", "reduced", "open"]);
  expect(offered("completion", "z")).toEqual(["zsh"]);
  offered("list", `$(touch ${folder}/evaluated)`, "--al");
  offered("up", "-f", `$(touch ${folder}/evaluated)`);
  expect(offered("up", "-f", "eval")).toEqual([]);
});

test.each([
  ["zsh", zshCompletion],
  ["fish", fishCompletion],
] as const)("%s takes its script, which has every command", (shell, generate) => {
  const script = generate("flintap", tree);
  for (const { path } of tree.commands) expect(script).toContain(path[0]);
  expect(script).toContain("host-ipv6");
  const { error, status, stderr } = spawnSync(shell, ["-n"], { input: script, encoding: "utf8" });
  if (error === undefined) expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
