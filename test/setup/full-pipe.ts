/** A process whose standard output nobody takes. */
import { execFileSync, spawn } from "node:child_process";
import { constants, openSync, writeSync } from "node:fs";
import { text } from "node:stream/consumers";
import { nodeCommand, packageRoot } from "./child.js";

/** Makes a pipe at a path that takes nothing more, as that of a reader that rests. */
export function fullPipe(path: string): number {
  execFileSync("mkfifo", [path]);
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(pipe, Buffer.alloc(4096));
  } catch {
    return pipe;
  }
}

/** Starts the command; `ended` has how it ended, and what it said on standard error. */
export function startCommand(stdout: number | "pipe", ...args: string[]) {
  const [command = "", ...rest] = [...nodeCommand(undefined), "dist/cli/main.js", ...args];
  const child = spawn(command, rest, { cwd: packageRoot, stdio: ["ignore", stdout, "pipe"] });
  const exit = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal })),
  );
  const said = child.stderr === null ? Promise.resolve("") : text(child.stderr);
  const ended = Promise.all([exit, said]).then(([end, stderr]) => ({ ...end, stderr }));
  return { child, ended };
}
