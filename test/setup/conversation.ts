/** A Node process that a test talks to, line by line: for what several processes do at once. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { nodeCommand, packageRoot } from "./child.js";

/** An ES module, given as text, that answers each line of its standard input by one line. */
export class Conversation {
  readonly #child: ChildProcess;
  readonly #answers: Interface;
  readonly #lines: AsyncIterator<string>;
  #complaints = "";

  constructor(source: string) {
    const [command = "", ...rest] = nodeCommand(undefined);
    const child = spawn(command, [...rest, "--input-type=module", "--eval", source], {
      cwd: packageRoot,
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints += text;
    });
    this.#child = child;
    this.#answers = createInterface({ input: child.stdout });
    this.#lines = this.#answers[Symbol.asyncIterator]();
  }

  /** The next line. */
  async answer(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`The child said nothing more:\n${this.#complaints}`);
    return value;
  }

  /** Says a line, and gives what it is answered. */
  async ask(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    return await this.answer();
  }

  /** Lets it come to its end, which must be a clean one. */
  async end(): Promise<void> {
    const closed = once(this.#child, "close");
    this.#child.stdin?.end();
    const [code, signal] = await closed;
    if (code !== 0) throw new Error(`The child ended with ${signal ?? code}:\n${this.#complaints}`);
  }
}
