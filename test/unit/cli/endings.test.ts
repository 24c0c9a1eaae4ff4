/** How the command ends when its input, its output or a signal does not go as it might wish. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runNode } from "../../setup/child.js";
import { fullPipe, startCommand } from "../../setup/full-pipe.js";

const spec = "test/fixtures/flintlock/microvm.json";
const folder = mkdtempSync(join(tmpdir(), "flintap-endings-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command with a redirection of the shell's. */
function redirected(redirection: string, ...args: string[]) {
  const under = ["sh", "-c", `exec "$@" ${redirection}`, "sh"];
  return runNode(["dist/cli/main.js", ...args], { under });
}

function fifo(name: string): string {
  const path = join(folder, name);
  execFileSync("mkfifo", [path]);
  return path;
}

describe("standard output that is full", () => {
  test.each([[["spec", "check", spec]], [["--help"]]])(
    "ends %j with 1 and one line",
    async (args) => {
      const { code, stderr } = await redirected("> /dev/full", ...args);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^flintap: standard output: no space left on device \(ENOSPC\); .*\n$/,
      );
    },
  );
});

describe("standard input", () => {
  test("that never ends is refused", async () => {
    const { code, stderr } = await redirected("< /dev/zero", "spec", "check", "-");
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        "flintap: standard input is refused:\n  expected at most 262144 characters, received more\n",
    });
  });

  test("that is no UTF-8 is refused", async () => {
    const path = join(folder, "latin1");
    writeFileSync(path, Buffer.from("id: b\xFCro\n", "latin1"));
    const { code, stderr } = await redirected(`< ${path}`, "spec", "check", "-");
    expect(code).toBe(2);
    expect(stderr).toContain("standard input is refused:\n  line 1: expected UTF-8");
  });

  test.each([[["spec", "check", "-", "-"]], [["plan", "-c", "/dev/null", "-f", "-", "-f", "-"]]])(
    "cannot be named twice: %j",
    async (args) => {
      const { code, stderr } = await redirected("", ...args);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^flintap: standard input is named twice\nhint: .*\n$/);
    },
  );
});

describe("a signal", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s ends a command that waits for a file, by that signal",
    async (signal) => {
      const path = fifo(signal);
      const { child, ended } = startCommand("pipe", "spec", "check", path);
      // Opening waits for the reader.
      await using _writer = await open(path, "w");
      child.kill(signal);
      expect(await ended).toEqual({
        code: null,
        signal,
        stderr: `flintap: ${signal}: given up; nothing was changed\n`,
      });
    },
  );

  test("ends a command whose output nobody takes", async () => {
    const path = fifo("spec");
    const { child, ended } = startCommand(fullPipe(join(folder, "full")), "spec", "check", path);
    const writer = await open(path, "w");
    await writer.writeFile('{"id": "vm", "interfaces": [{"device_id": "eth1"}]}');
    await writer.close();
    child.kill("SIGTERM");
    expect((await ended).signal).toBe("SIGTERM");
  });
});
