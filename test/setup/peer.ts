/**
 * Other processes that have descriptors, without flintap: Python's socket module sends and receives
 * them, and the program says what it got, a line of JSON for each.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { nodeCommand, packageRoot } from "./child.js";

const python = `
import array, json, os, select, socket, sys
def say(**words): print(json.dumps(words), flush=True)
def what(fd): return os.readlink("/proc/self/fd/%d" % fd)
def tap(fd): return [line.split()[1] for line in open("/proc/self/fdinfo/%d" % fd) if line.startswith("iff:")][0]
def hear(): return sys.stdin.readline().strip()
def read_until(fd, text):
  while True:
    select.select([fd], [], [])
    if text.encode() in os.read(fd, 65600): return
`;

const javascript = `
import { readdirSync, readlinkSync, writeSync } from "node:fs";
import { FdSocket, handOver } from "flintap";
const say = (words) => console.log(JSON.stringify(words));
`;

/** A child process; gone at the end of its scope. */
export class Peer implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #words: AsyncIterator<string>;
  readonly #ended: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.child = child;
    this.#ended = once(child, "close");
    this.#words = createInterface(child.stdout ?? Readable.from([]))[Symbol.asyncIterator]();
  }

  /** Runs a Python program that has these descriptors from 3 on. */
  static python(program: string, fds: readonly number[] = []): Peer {
    const stdio = ["pipe", "pipe", "inherit", ...fds] as const;
    return new Peer(spawn("python3", ["-c", python + program], { stdio: [...stdio] }));
  }

  /** The same for a module that imports the built package. */
  static node(module: string, fds: readonly number[] = []): Peer {
    const [command = "", ...before] = nodeCommand(undefined);
    const args = [...before, "--input-type=module", "--eval", javascript + module];
    const stdio = ["pipe", "pipe", "inherit", ...fds] as const;
    return new Peer(spawn(command, args, { cwd: packageRoot, stdio: [...stdio] }));
  }

  /** What it says next. */
  async hear(): Promise<Record<string, unknown>> {
    const { value, done } = await this.#words.next();
    if (done) throw new Error("The peer has ended without a word");
    return JSON.parse(value);
  }

  /** A line on its standard input. */
  tell(line = ""): void {
    this.child.stdin?.write(`${line}\n`);
  }

  async end(): Promise<void> {
    this.child.kill("SIGKILL");
    this.child.stdin?.destroy();
    this.child.stdout?.destroy();
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
