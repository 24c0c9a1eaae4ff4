// A bar on standard error, on a terminal: what runs, how much is done, and how long the rest will take.
import { performance } from "node:perf_hooks";
import process from "node:process";

const width = 24;

/** @param {number} ms */
function minutes(ms) {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Steps are told with the time that they are expected to take; what they took corrects the rest. */
export class Progress {
  #left;
  #total;
  #expectedDone = 0;
  #start = performance.now();
  #shows = process.stderr.isTTY;

  /** @param {number} expectedMs Of all steps together. */
  constructor(expectedMs) {
    this.#left = expectedMs;
    this.#total = expectedMs;
  }

  /** @param {string} what @param {number} expectedMs */
  begin(what, expectedMs) {
    if (this.#shows) process.stderr.write(`\r\x1b[K${this.#line(what)}`);
    this.#left -= expectedMs;
    return () => {
      this.#expectedDone += expectedMs;
    };
  }

  /** How long it has taken, in minutes. */
  end() {
    if (this.#shows) process.stderr.write("\r\x1b[K");
    return (performance.now() - this.#start) / 60_000;
  }

  /** @param {string} what */
  #line(what) {
    const elapsed = performance.now() - this.#start;
    const pace = this.#expectedDone > 0 ? elapsed / this.#expectedDone : 1;
    const done = 1 - this.#left / this.#total;
    const full = Math.round(done * width);
    const bar = "#".repeat(full) + "-".repeat(width - full);
    return `[${bar}] ${Math.round(done * 100)} %, ${minutes(this.#left * pace)} left: ${what}`;
  }
}
