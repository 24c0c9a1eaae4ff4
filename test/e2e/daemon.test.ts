/** The example daemon, as somebody who copies it would run it: guests come up, come back, and go. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect } from "vitest";
import { guestImage } from "../../scripts/guest/image.mjs";
import { parseSpec, provision, release } from "../../src/flintlock/index.js";
import { NetworkNamespace } from "../../src/index.js";
import { packageRoot } from "../setup/child.js";
import { ip, links } from "../setup/iproute2.js";
import { within } from "./kit/deadline.js";
import { DhcpServer } from "./kit/dhcp-server.js";
import { host, stop } from "./kit/place.js";
import { config, networks, sceneOfFile, withGuests } from "./kit/scene.js";

const scene = sceneOfFile();

/** A line of the daemon's. */
interface Told {
  event: string;
  microvm?: string;
  pid?: number;
  error?: string;
  devices?: { interface: string; device: string; guestMac: string; action: string }[];
}

const specs = {
  wired: { interfaces: [{ device_id: "eth1", type: "MACVTAP" }] },
  bridged: { interfaces: [{ device_id: "eth1", type: "TAP" }] },
};

/** The daemon, from its start until it is disposed of. */
class Daemon implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #told: Told[] = [];
  #log = "";

  private constructor(folder: string, { kernel, initrd }: { kernel: string; initrd: string }) {
    this.#folder = folder;
    const files = ["--config", join(folder, "config.yaml"), "--specs", join(folder, "specs")];
    const guest = ["--kernel", kernel, "--initrd", initrd, "--logs", folder];
    const append = ["--append", "console=ttyS0 quiet panic=-1 reboot=t"];
    const machine = ["--", "-M", "pc", "-accel", "tcg", "-m", "128"];
    const program = join(packageRoot, "examples/microvm-daemon/daemon.mjs");
    // A program in its folder is taken instead of the one that is installed.
    const path = ["env", `PATH=${folder}:${process.env.PATH}`];
    const command = [...path, process.execPath, program, ...files, ...guest, ...append, ...machine];
    this.#child = host.start(command, ["ignore", "pipe", "pipe"]);
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log += text;
    });
    this.#child.on("exit", () => this.#child.emit("told"));
    if (this.#child.stdout === null) throw new Error("The daemon has no standard output");
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.#log += `${line}\n`;
      this.#told.push(JSON.parse(line));
      this.#child.emit("told");
    });
  }

  /** With the specs of these microVMs; `prepare` is given its folder before, where the logs will be. */
  static async start(
    names = Object.keys(specs) as (keyof typeof specs)[],
    prepare: (folder: string) => Promise<unknown> = async () => {},
  ): Promise<Daemon> {
    const folder = mkdtempSync(join(tmpdir(), "flintap-daemon-"));
    await prepare(folder);
    await host.run("mkdir", join(folder, "specs"));
    writeFileSync(join(folder, "config.yaml"), "parent-iface: enp0\nbridge-name: br0\n");
    for (const name of names)
      writeFileSync(join(folder, "specs", `${name}.json`), JSON.stringify(specs[name]));
    return new Daemon(folder, await guestImage());
  }

  /** What it tells next, of what it has not been asked for yet; what comes before is passed over. */
  async tells(event: string, name?: keyof typeof specs): Promise<Told> {
    const microvm = name && `default/${name}`;
    const next = async (): Promise<Told> => {
      for (;;) {
        const at = this.#told.findIndex(
          (told) => told.event === event && (microvm ?? told.microvm) === told.microvm,
        );
        if (at >= 0) return this.#told.splice(at, 1)[0] as Told;
        if (this.#child.exitCode !== null) throw new Error(`The daemon has ended:\n${this.#log}`);
        await once(this.#child, "told");
      }
    };
    const what = `${event} of ${name ?? "the daemon"}`;
    return await within(120, what, next(), () => this.#log + this.console);
  }

  /** The ends of the guests' serial consoles. */
  get console(): string {
    return Object.keys(specs)
      .map((name) => join(this.#folder, `default.${name}.log`))
      .filter((path) => existsSync(path) && statSync(path).isFile())
      .map((path) => `${path}:\n${readFileSync(path, "utf8").slice(-2_000)}`)
      .join("\n");
  }

  /** Waits until it has ended by itself. */
  async ends(): Promise<number | null> {
    if (this.#child.exitCode === null)
      await within(20, "the daemon's end", once(this.#child, "exit"), () => this.#log);
    return this.#child.exitCode;
  }

  /** Ends it as its supervisor would. */
  async terminate(): Promise<number | null> {
    await stop(this.#child);
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#child, "SIGKILL");
    rmSync(this.#folder, { recursive: true });
  }
}

let onWire: DhcpServer;
let onBridge: DhcpServer;
let daemon: Daemon;
const macs = new Map<string, string>();
const pids = new Map<string, number>();

/** Waits until a guest was started and has a lease. */
async function comesUp(name: keyof typeof specs): Promise<Told> {
  const told = await daemon.tells("devices", name);
  const mac = told.devices?.[0]?.guestMac ?? "";
  pids.set(name, (await daemon.tells("started", name)).pid ?? 0);
  macs.set(name, mac);
  return told;
}

beforeAll(async () => {
  onWire = scene.keep(await DhcpServer.start(scene.peer, "wire0", networks.enp0));
  onBridge = scene.keep(await DhcpServer.start(host, "br0", networks.br0));
  daemon = scene.keep(await Daemon.start());
  await Promise.all([comesUp("wired"), comesUp("bridged")]);
});

describe("the example daemon", () => {
  withGuests("gives its guests devices by which they get addresses", async () => {
    const [wired, bridged] = [macs.get("wired") ?? "", macs.get("bridged") ?? ""];
    const given = await Promise.all([onWire.gives(wired), onBridge.gives(bridged)]);
    expect(await scene.peer.reaches(given[0], 30)).toBe(true);
    expect(await host.reaches(given[1], 30)).toBe(true);
  });

  withGuests("starts a guest again that dies, with the same address", async () => {
    const mac = macs.get("bridged") ?? "";
    const before = await onBridge.gives(mac);
    process.kill(pids.get("bridged") ?? 0, "SIGKILL");
    expect(await daemon.tells("ended", "bridged")).toMatchObject({ killedBy: "SIGKILL" });
    const [device] = (await comesUp("bridged")).devices ?? [];
    expect(device).toMatchObject({ guestMac: mac, action: "create" });
    expect(await onBridge.gives(mac, 2)).toBe(before);
    expect(await host.reaches(before, 30)).toBe(true);
  });

  withGuests("gives a guest a new device when its parent was deleted and is back", async () => {
    const mac = macs.get("wired") ?? "";
    await ip("link del enp0");
    await daemon.tells("device gone", "wired");
    await daemon.tells("ended", "wired");
    expect((await daemon.tells("failed", "wired")).error).toContain("enp0");
    await scene.addWire("enp0");
    const [device] = (await comesUp("wired")).devices ?? [];
    expect(device).toMatchObject({ guestMac: mac, action: "create" });
    expect(await scene.peer.reaches(await onWire.gives(mac, 2), 30)).toBe(true);
  });

  withGuests("is one in its network namespace", async () => {
    await using second = await Daemon.start();
    expect((await second.tells("failed")).error).toContain("EADDRINUSE");
    expect(await second.ends()).toBe(1);
    expect(await host.reaches(await onBridge.gives(macs.get("bridged") ?? ""), 30)).toBe(true);
  });

  withGuests("releases everything on SIGTERM, and ends with 0", async () => {
    expect(await daemon.terminate()).toBe(0);
    for (const type of ["macvtap", "tun"]) expect(await links(`type ${type}`)).toEqual([]);
    for (const pid of pids.values()) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  withGuests("leaves the devices of a guest that somebody else runs", async () => {
    await using namespace = NetworkNamespace.current({ owner: "microvm-daemon" });
    const microvm = parseSpec(JSON.stringify(specs.wired), { id: "wired" });
    const { interfaces } = await provision(microvm, { config, namespace, for: "qemu" });
    await using another = await Daemon.start(["wired"]);
    expect((await another.tells("failed", "wired")).error).toContain("held by");
    expect(await another.terminate()).toBe(0);
    expect(await links("type macvtap")).toHaveLength(1);
    for (const queue of interfaces.flatMap(({ queues = [] }) => queues)) await queue.close();
    await release(microvm, { namespace });
  });

  withGuests("ends a guest whose device has gone before it was started", async () => {
    let log = "";
    await using another = await Daemon.start(["wired"], async (folder) => {
      // QEMU itself would not start on the device; it may have looked at it just before.
      const qemu = join(folder, "qemu-system-x86_64");
      writeFileSync(qemu, "#!/bin/sh\nexec sleep infinity\n", { mode: 0o755 });
      // Nobody can open it to write until somebody has opened it to read.
      log = join(folder, "default.wired.log");
      await host.run("mkfifo", log);
    });
    const [device] = (await another.tells("devices", "wired")).devices ?? [];
    await ip(`link del ${device?.device}`);
    await another.tells("device gone", "wired");
    const reader = await open(log, "r+");
    try {
      await another.tells("started", "wired");
      expect(await another.tells("ended", "wired")).toMatchObject({ killedBy: "SIGTERM" });
      expect(await another.terminate()).toBe(0);
    } finally {
      await reader.close();
    }
  });
});
