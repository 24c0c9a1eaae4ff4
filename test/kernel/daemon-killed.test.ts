/**
 * The example daemon, killed at random moments of its life and started again: nothing is leaked, and
 * nothing is there twice. What stands for QEMU holds its descriptors, and does nothing else.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { parseTag } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { nodeCommand, packageRoot } from "../setup/child.js";
import { hostOfFile } from "../setup/host.js";
import { ip, links } from "../setup/iproute2.js";
import { repetitions } from "../setup/repetitions.js";

const kills = repetitions(50);

hostOfFile();

const folder = mkdtempSync(join(tmpdir(), "flintap-killed-"));
const specs = join(folder, "specs");
const interfaces = [
  { device_id: "eth1", type: "MACVTAP" },
  { device_id: "eth2", type: "TAP" },
];
const all = ["vm0", "vm1", "vm2", "vm3", "vm4", "vm5"];

beforeAll(() => {
  mkdirSync(specs);
  writeFileSync(join(folder, "config.yaml"), "parent-iface: enp0\nbridge-name: [br0, br1]\n");
  const qemu = join(folder, "qemu-system-x86_64");
  writeFileSync(qemu, "#!/bin/sh\nexec sleep infinity\n", { mode: 0o755 });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The specs that the next daemon is to have. */
function writeSpecs(names: readonly string[]): void {
  rmSync(specs, { recursive: true });
  mkdirSync(specs);
  for (const name of names)
    writeFileSync(join(specs, `${name}.json`), JSON.stringify({ interfaces }));
}

interface Told {
  event: string;
  microvm?: string;
  text?: string;
}

class Daemon {
  readonly #child: ChildProcess;
  readonly told: Told[] = [];
  errors = "";

  constructor() {
    const program = join(packageRoot, "examples/microvm-daemon/daemon.mjs");
    const files = ["--config", join(folder, "config.yaml"), "--specs", specs];
    const [command = "", ...args] = [
      ...nodeCommand(undefined),
      program,
      ...files,
      "--min-age",
      "0",
    ];
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    this.#child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      this.told.push(JSON.parse(line));
      this.#child.emit("told");
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.errors += text;
    });
  }

  /** Waits until it has told of so many guests that they are started. */
  async starts(count: number): Promise<void> {
    const started = () => new Set(this.#of("started").map(({ microvm }) => microvm)).size;
    while (started() < count && this.#child.exitCode === null) await once(this.#child, "told");
    expect(started(), this.errors + JSON.stringify(this.told)).toBe(count);
  }

  #of(event: string): Told[] {
    return this.told.filter((one) => one.event === event);
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const closed = once(this.#child, "close");
    this.#child.kill(signal);
    await closed;
    return this.#child.exitCode;
  }
}

/** What is there for whom, by the tags that iproute2 reads: each as often as it is there. */
async function purposes(): Promise<string[]> {
  const devices = (await links()).filter(({ linkinfo }) =>
    ["macvtap", "tun"].includes(linkinfo?.info_kind ?? ""),
  );
  return devices.map(({ ifname, ifalias }) => {
    const tag = parseTag(ifalias);
    // The kernel shows a tap before it has its tag; who is killed then takes it along.
    return tag === undefined ? ifname : `${tag.microvm} ${tag.interface}`;
  });
}

/** Of a set of microVMs, what is to be there. */
const wanted = (names: readonly string[]) =>
  names.flatMap((name) => interfaces.map(({ device_id: id }) => `default/${name} ${id}`)).sort();

const killing = needs("tun", "macvtap", "veth", "bridge", "proc-sys", "root");

killing(
  `a daemon that is killed ${kills} times leaves nothing, and makes nothing twice`,
  async () => {
    writeSpecs(all);
    const first = new Daemon();
    const begun = performance.now();
    await first.starts(all.length);
    const whole = performance.now() - begun;
    expect((await purposes()).sort()).toEqual(wanted(all));
    await first.end("SIGKILL");

    for (let kill = 0; kill < kills; kill += 1) {
      const some = all.filter(() => Math.random() < 0.7);
      writeSpecs(some.length === 0 ? all : some);
      const daemon = new Daemon();
      await setTimeout(Math.random() * 1.3 * whole);
      await daemon.end("SIGKILL");
      expect(daemon.errors).toBe("");
      const there = await purposes();
      expect(new Set(there).size).toBe(there.length);
      expect(wanted(all)).toEqual(expect.arrayContaining(there));
    }

    const rest = all.slice(1);
    writeSpecs(rest);
    const last = new Daemon();
    await last.starts(rest.length);
    await expect.poll(async () => (await purposes()).sort()).toEqual(wanted(rest));
    for (const bridge of ["br0", "br1"]) {
      const ports = await links(`master ${bridge}`);
      expect(ports.every(({ flags }) => flags.includes("UP"))).toBe(true);
    }
    const taps = (await links("type tun")).map(({ master }) => master);
    expect(taps.filter((master) => master === "br0" || master === "br1")).toHaveLength(rest.length);
    expect(await last.end("SIGTERM")).toBe(0);
    expect(await purposes()).toEqual([]);
    expect(await ip("link show group default")).not.toContain("flold");
  },
  (kills * 10 + 120) * 1_000,
);
