/** Children that count their threads and descriptors: for how handles, workers and watches end. */
import { afterEach, beforeAll } from "vitest";
import { type Ending, type RunOptions, runModule } from "./child.js";
import { addParent, type IpLink, links } from "./iproute2.js";
import { removeLinks } from "./stage.js";

/** Text of a module: what every child here begins with. */
export const prologue = `
  import { once } from "node:events";
  import { readdirSync, readlinkSync } from "node:fs";
  import { Worker } from "node:worker_threads";
  import * as flintap from "flintap";
  const { NetworkNamespace } = flintap;
  const macvtap = { parent: "enp0" };
  const threads = () => readdirSync("/proc/self/task").length;
  const target = (fd) => { try { return readlinkSync("/proc/self/fd/" + fd); } catch { return ""; } };
  // Without those that a sanitizer writes its report with.
  const descriptors = () => readdirSync("/proc/self/fd")
    .map(target)
    .filter((path) => !/report\\.\\d+$|\\/maps$/.test(path)).length;
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
  // A thread that was joined is in /proc for a moment still.
  const until = async (condition) => {
    const deadline = Date.now() + ${process.env.FLINTAP_PATIENCE ?? 60_000};
    while (!condition()) {
      if (Date.now() > deadline) throw new Error("waited in vain for " + condition);
      await nextTurn();
    }
  };
  // A worker of this text, in which the package is there as well.
  const work = (text) => new Worker(
    "import * as flintap from 'flintap'; import { parentPort as port } from 'node:worker_threads';" + text,
    { eval: true, execArgv: ["--input-type=module"] },
  );
  const ended = (worker) => new Promise((resolve) => worker.once("exit", resolve));
`;

export function child(body: string, options?: RunOptions): Promise<Ending> {
  return runModule(`${prologue}\n${body}`, options);
}

export const ended = (code: number, stdout = "") => ({ code, signal: null, stdout, stderr: "" });

/** Lays out `enp0` for the tests of a file; gives the links made since, which go after each test. */
export function madeLinksOfFile(): () => Promise<IpLink[]> {
  let laidOut: string[];

  beforeAll(async () => {
    await addParent();
    laidOut = (await links()).map(({ ifname }) => ifname);
  });

  async function madeLinks(): Promise<IpLink[]> {
    return (await links()).filter(({ ifname }) => !laidOut.includes(ifname));
  }

  afterEach(async () => {
    const made = (await madeLinks()).map(({ ifname }) => ifname);
    if (made.length > 0) await removeLinks(made);
  });

  return madeLinks;
}
