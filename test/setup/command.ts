/** The `flintap` command as it is shipped, run on a host that a test makes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ending, type RunOptions, runNode } from "./child.js";
import { addBridge, addParent, ip, linkNames, links } from "./iproute2.js";
import { stateOfLinks } from "./state.js";

/** A config that names `enp0` and `br0`. */
export const config = "test/fixtures/flintlock/config.yaml";

/** Runs the command. */
export function flintap(...args: string[]): Promise<Ending> {
  return runNode(["dist/cli/main.js", ...args]);
}

/** Runs the command under another, as {@link runNode} does. */
export function flintapUnder(options: RunOptions, ...args: string[]): Promise<Ending> {
  return runNode(["dist/cli/main.js", ...args], options);
}

/** What to do when a command that goes on has said something; `end` sends it a signal, once. */
export type React = (said: string, end: (signal: NodeJS.Signals) => void) => Promise<void>;

/** Runs a command that goes on; `react` is called with all that it has said whenever it says more. */
export async function flintapUntil(args: string[], react: React): Promise<Ending> {
  let said = "";
  let turn = Promise.resolve();
  let isEnded = false;
  const onOutput = (text: string, pid: number) => {
    said += text;
    // A second signal would end it as it would without flintap.
    const end = (signal: NodeJS.Signals) => {
      if (!isEnded) process.kill(pid, signal);
      isEnded = true;
    };
    turn = turn.then(() => react(said, end));
  };
  const ending = await flintapUnder({ onOutput }, ...args);
  await turn;
  return ending;
}

/** A folder of specs, gone when it is disposed of. */
export interface Specs extends Disposable {
  /** Writes a spec; gives its path. */
  write(name: string, spec: unknown): string;
}

/** Makes one. */
export function specFolder(): Specs {
  const folder = mkdtempSync(join(tmpdir(), "flintap-cli-"));
  return {
    write: (name, spec) => {
      const path = join(folder, name);
      writeFileSync(path, typeof spec === "string" ? spec : JSON.stringify(spec));
      return path;
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

/** A microVM with a macvtap and a tap. */
export const microvm = {
  id: "mvm1",
  namespace: "ns1",
  interfaces: [
    { device_id: "eth1", type: 0, guest_mac: "02:00:00:00:00:0a" },
    { device_id: "eth2", type: 1, guest_mac: "02:00:00:00:00:0b" },
  ],
};

/** What stands for the host: a parent and a bridge. Gives the names of all links. */
export async function addHost(): Promise<string[]> {
  await addParent();
  await addBridge();
  return await linkNames();
}

/** Deletes all links but these. */
export async function deleteOthers(kept: readonly string[]): Promise<void> {
  for (const { ifname } of await links()) if (!kept.includes(ifname)) await ip("link del", ifname);
}

/** What the links are like, to compare before and after. */
export async function everything(): Promise<string> {
  return JSON.stringify(await stateOfLinks());
}
