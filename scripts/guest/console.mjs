// The host's end of a guest's serial console; root/init is the other. What the guest says is lines:
//
//   @interface {"deviceId":"eth1","mac":…}   what it has, as `GuestInterface`
//   @ready                                   from now on it runs commands
//   @result 7 0 aGVsbG8=                     command 7 exited with 0 and printed "hello", in base64
//
// and a command is a line with its number and the words for a shell. Whatever else is on the console,
// the kernel's messages or the firmware's, is kept in the log and means nothing.
import { createInterface } from "node:readline";

/**
 * What a guest has of an interface; `how` tells where its address is from.
 *
 * @typedef {{ deviceId: string, mac: string, address: string, how: "dhcp" | "static" | "none", up: boolean }} GuestInterface
 */

/** @typedef {{ code: number, output: string }} CommandResult */

/** @typedef {{ resolve(value: any): void, reject(reason: Error): void }} Settling How a promise ends. */

/** A guest's console; what waits for a guest that ends is rejected. */
export class GuestConsole {
  /** @type {string[]} What was said, the last lines of it. */
  #log = [];
  /** @type {GuestInterface[]} */
  #interfaces = [];
  /** @type {Map<number, Settling>} Commands that have no answer yet. */
  #waiting = new Map();
  #number = 0;
  #ended = false;
  #input;

  /**
   * The guest has its addresses, or has given up on them.
   *
   * @type {Promise<GuestInterface[]>}
   */
  ready;

  /**
   * @param {import("node:stream").Writable} input QEMU's standard input.
   * @param {import("node:stream").Readable} output Its standard output.
   */
  constructor(input, output) {
    this.#input = input;
    input.on("error", () => {}); // it has ended, which its output tells
    this.ready = this.#answer(0);
    this.ready.catch(() => {});
    createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY })
      .on("line", (line) => this.#take(line))
      .on("close", () => this.#end());
  }

  /** The end of what the guest has said, for people. */
  get log() {
    return this.#log.join("\n");
  }

  /** Adds to the log what others say of the guest. @param {string} text */
  note(text) {
    this.#log.push(text.trimEnd());
    this.#log.splice(0, this.#log.length - 100);
  }

  /**
   * Runs a command in the guest, by its shell. Those that are given at once run one after the other.
   *
   * @param {string} command One line.
   * @returns {Promise<CommandResult>} Its exit code, and what it printed, without the last line's end.
   */
  run(command) {
    if (/[\r\n]/.test(command) || command.length > 4000)
      throw new RangeError(`A command is one line of at most 4000 characters: ${command}`);
    this.#number += 1;
    const answer = this.#answer(this.#number);
    this.note(`> ${command}`);
    if (!this.#ended) this.#input.write(`${this.#number} ${command}\n`);
    return answer;
  }

  /** @param {number} number @returns {Promise<any>} What that command, or 0 for `ready`, is answered. */
  #answer(number) {
    return new Promise((resolve, reject) => {
      if (this.#ended) reject(this.#ending());
      else this.#waiting.set(number, { resolve, reject });
    });
  }

  /** @param {string} line */
  #take(line) {
    // Firmware writes without a line's end.
    const [, word, rest = ""] = /@(interface|ready|result) ?(.*)$/.exec(line) ?? [];
    if (word === "interface") this.#interfaces.push(JSON.parse(rest));
    if (word === "ready") this.#resolve(0, this.#interfaces);
    if (word !== "result") return this.note(line);
    const [number, code, text = ""] = rest.split(" ");
    const output = Buffer.from(text, "base64").toString();
    this.note(`${output}[${code}]`);
    this.#resolve(Number(number), { code: Number(code), output });
  }

  /** @param {number} number @param {CommandResult | GuestInterface[]} value */
  #resolve(number, value) {
    this.#waiting.get(number)?.resolve(value);
    this.#waiting.delete(number);
  }

  #ending() {
    return new Error(`The guest has ended; its console:\n${this.log}`);
  }

  #end() {
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) reject(this.#ending());
    this.#waiting.clear();
  }
}
