/**
 * Runs programs by a shell that stands ready, in the namespaces of the test's process. To start one
 * itself, Node copies its page tables, which in a virtual machine costs more than all that `ip` does.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";

/** After each command comes NUL and its status on stdout, and NUL on stderr. */
const loop = `
newline='
'
while read -r command; do
  eval "$command" </dev/null
  printf '\\0%d\\n' $?
  printf '\\0' >&2
done`;

/** A program that has ended with another status than 0. */
export class CommandFailed extends Error {
  readonly code: number;
  readonly stderr: string;

  constructor(command: readonly string[], code: number, stderr: string) {
    super(`Command failed: ${command.join(" ")}\n${stderr}`);
    this.code = code;
    this.stderr = stderr;
  }
}

/** What a command came to. */
interface Outcome {
  stdout: string;
  stderr: string;
  code: number;
}

/** A shell, which runs one command after the other. It ends with this process. */
class Shell {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #settle: ((outcome: Outcome) => void)[] = [];
  #stdout = "";
  #stderr = "";

  constructor() {
    this.#process = spawn("/bin/sh", ["-c", loop], { stdio: ["pipe", "pipe", "pipe"] });
    const { stdin, stdout, stderr } = this.#process;
    stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#take();
    });
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#take();
    });
    this.#process.unref();
    for (const stream of [stdin, stdout, stderr]) if (stream instanceof Socket) stream.unref();
  }

  run(command: readonly string[]): Promise<Outcome> {
    this.#process.stdin.write(`${command.map(quoted).join(" ")}\n`);
    return new Promise((resolve) => this.#settle.push(resolve));
  }

  #take(): void {
    for (;;) {
      const out = /^([^\0]*)\0(\d+)\n/.exec(this.#stdout);
      const end = this.#stderr.indexOf("\0");
      if (out === null || end < 0) return;
      const [whole, stdout = "", code] = out;
      const stderr = this.#stderr.slice(0, end);
      this.#stdout = this.#stdout.slice(whole.length);
      this.#stderr = this.#stderr.slice(end + 1);
      this.#settle.shift()?.({ stdout, stderr, code: Number(code) });
    }
  }
}

const quoted = (argument: string) =>
  `'${argument.replaceAll("'", "'\\''").replaceAll("\n", `'"$newline"'`)}'`;

let shell: Shell | undefined;

/** Runs a program; gives what it prints. Rejects with a {@link CommandFailed}. */
export async function execute(program: string, ...more: string[]): Promise<string> {
  const command = [program, ...more];
  shell ??= new Shell();
  const { stdout, stderr, code } = await shell.run(command);
  if (code !== 0) throw new CommandFailed(command, code, stderr);
  return stdout;
}
