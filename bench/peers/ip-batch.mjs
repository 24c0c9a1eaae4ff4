// One process of `ip -batch`, started before the clock and told what to do over a pipe: so that
// neither its start nor a process per command is measured. Knows nothing of flintap.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

/** @typedef {import("../meter.mjs").Cost} Cost */

/** `ip` is missing, or refused a command. */
export class IpFailure extends Error {}

// `ip` answers no command but one that shows something: that one tells that all before it are done.
const question = "link show dev lo";

export class IpBatch {
  #child;
  #lines;
  #complaint;

  /** @param {import("node:child_process").ChildProcessWithoutNullStreams} child */
  constructor(child) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.#complaint = text(child.stderr);
    // Where it has died, the missing answer tells, and why.
    child.stdin.on("error", () => {});
  }

  /** Starts `ip`, and waits until it listens. */
  static async start() {
    // Brief: then the answer is a single line.
    const child = spawn("ip", ["-brief", "-batch", "-"]);
    try {
      await once(child, "spawn");
    } catch (cause) {
      const missing = "ip cannot be run; it comes with Debian's iproute2";
      throw new IpFailure(`${missing}: ${/** @type {Error} */ (cause).message}`, { cause });
    }
    const ip = new IpBatch(child);
    await ip.#run([]);
    return ip;
  }

  /**
   * What these commands cost for each of `count` devices.
   *
   * @param {number} count
   * @param {readonly string[]} commands
   * @returns {Promise<Cost>}
   */
  async measure(count, commands) {
    const cpu = this.#cpuUs();
    const start = performance.now();
    await this.#run(commands);
    const wall = performance.now() - start;
    const cpuAfter = this.#cpuUs();
    return {
      wallUs: (wall * 1000) / count,
      cpuUs: cpu === undefined || cpuAfter === undefined ? undefined : (cpuAfter - cpu) / count,
    };
  }

  /** Waits for its end. */
  async close() {
    this.#child.stdin.end();
    await this.#complaint;
  }

  /** @param {readonly string[]} commands */
  async #run(commands) {
    this.#child.stdin.write(`${[...commands, question].join("\n")}\n`);
    const { done } = await this.#lines.next();
    if (done) throw new IpFailure((await this.#complaint).trim().replaceAll("\n", "; "));
  }

  /** Time on a processor, to the nanosecond; a kernel without CONFIG_SCHED_INFO does not tell. */
  #cpuUs() {
    try {
      const [onCpu] = readFileSync(`/proc/${this.#child.pid}/schedstat`, "utf8").split(" ");
      return Number(onCpu) / 1000;
    } catch {
      return undefined;
    }
  }
}
