/**
 * A set of 200 devices that somebody renames, moves, detaches, rewrites and deletes for a minute: the
 * report names everything that was done, and what is wanted is there at the end.
 */
import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect } from "vitest";
import {
  apply,
  changesNothing,
  type DesiredDevice,
  type KeeperReport,
  keepInState,
  plan,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { hostOfFile } from "../setup/host.js";
import { ip, links } from "../setup/iproute2.js";
import { type OtherNamespace, otherNamespace } from "../setup/other-namespace.js";
import { repetitions } from "../setup/repetitions.js";

const seconds = repetitions(60);
const count = 200;

const host = hostOfFile();
let elsewhere: OtherNamespace;

beforeAll(async () => {
  elsewhere = await otherNamespace();
});
afterAll(() => elsewhere[Symbol.asyncDispose]());

const devices = Array.from({ length: count }, (_, at): DesiredDevice => {
  const digits = at.toString(16).padStart(2, "0");
  const guestMac = `02:00:00:00:01:${digits}`;
  const common = {
    name: `guest${at}`,
    tag: { microvm: `ns1/mvm${at}`, interface: "eth1", guestMac },
  };
  return at % 2 === 0
    ? { kind: "macvtap", parent: "enp0", mac: guestMac, ...common }
    : { kind: "tap", bridge: "br0", ...common };
});

/** What is done to a device, and the field by which the report names it; "gone" where it has none. */
interface Deed {
  field: string;
  to(device: DesiredDevice, round: number): Promise<unknown>;
  /** Only to devices of this kind. */
  kind?: DesiredDevice["kind"];
}

const deeds: Deed[] = [
  { field: "name", to: ({ name }, round) => ip(`link set ${name} name other${round}`) },
  { field: "bridge", kind: "tap", to: ({ name }) => ip(`link set ${name} nomaster`) },
  { field: "bridge", kind: "tap", to: ({ name }) => ip(`link set ${name} master br1`) },
  {
    field: "mac",
    to: ({ name, tag }) => ip(`link set ${name} address ${tag.guestMac?.replace(":01:", ":02:")}`),
  },
  { field: "mtu", to: ({ name }, round) => ip(`link set ${name} mtu ${1_300 + (round % 100)}`) },
  { field: "up", to: ({ name }) => ip(`link set ${name} down`) },
  { field: "altNames", to: ({ name }) => losesItsName(name) },
  { field: "tag.owner", to: ({ name }, round) => ip(`link set ${name} alias`, `mine ${round}`) },
  {
    field: "hostIPv6",
    kind: "macvtap",
    to: ({ name }) => writeFile(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "0"),
  },
  { field: "gone", to: ({ name }) => ip(`link del ${name}`) },
  { field: "gone", to: ({ name }) => leaves(name) },
];

/** It is deleted over there, since its names would be in the way of the next. */
async function leaves(name: string): Promise<void> {
  await ip(`link set ${name} netns ${elsewhere.pid}`);
  await elsewhere.run("ip", "link", "del", name);
}

async function losesItsName(name: string): Promise<void> {
  const [found] = await links(`dev ${name}`);
  const known = found?.altnames?.find((one) => one.startsWith("flvm-"));
  await ip(`link property del dev ${name} altname ${known}`);
}

/** What was done and has not been put right yet, by the device's name. */
class Deeds {
  readonly #pending = new Map<string, { field: string; isTold: boolean }>();
  readonly #waiting = new Set<() => void>();
  readonly done = new Map<string, number>();

  start(name: string, field: string): void {
    this.#pending.set(name, { field, isTold: false });
  }

  isBusy(name: string): boolean {
    return this.#pending.has(name);
  }

  /** For `report` of the keeper. */
  readonly hear = (report: KeeperReport): void => {
    if (report.device === undefined) return;
    if (report.type === "contested") return; // chance has chosen one twice
    const { name } = report.device;
    const deed = this.#pending.get(name);
    if (deed === undefined) throw new Error(`Nobody touched ${name}: ${JSON.stringify(report)}`);
    if (report.type === "drift") {
      const fields = report.changes.map(({ field }) => field);
      const told = report.link === undefined ? ["gone"] : fields;
      deed.isTold ||= told.includes(deed.field);
    }
    if (report.type !== "repaired") return;
    if (!deed.isTold) throw new Error(`${deed.field} of ${name} was put right and not told`);
    this.#pending.delete(name);
    this.done.set(deed.field, (this.done.get(deed.field) ?? 0) + 1);
    for (const wake of this.#waiting) wake();
  };

  /** Waits until so few are pending. */
  async untilFewer(most: number): Promise<void> {
    while (this.#pending.size > most)
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
  }

  get pending(): string {
    return JSON.stringify([...this.#pending]);
  }
}

const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;

/** What iproute2 tells of the guests' devices, but for what a device that was made anew has another. */
async function seen() {
  const guests = (await links()).filter(({ ifname }) => ifname.startsWith("guest"));
  return guests
    .map(({ ifname, link, master, address, mtu, txqlen, flags }) => {
      return { ifname, link, master, address, mtu, txqlen, up: flags.includes("UP") };
    })
    .sort((a, b) => a.ifname.localeCompare(b.ifname));
}

const storm = needs("tun", "macvtap", "veth", "bridge", "proc-sys", "root", "live-rename");

storm(
  `keeps ${count} devices through ${seconds} s of being changed, and names each drift`,
  async () => {
    const { namespace } = host;
    await apply(await plan({ devices }, { namespace }), { namespace });
    const before = await seen();
    expect(before).toHaveLength(count);
    const log = new Deeds();
    await using keeper = keepInState({ devices }, { namespace, report: log.hear, repair: true });
    await keeper.ready;
    const end = performance.now() + seconds * 1_000;
    let round = 0;
    for (; performance.now() < end; round += 1) {
      await Promise.race([log.untilFewer(32), keeper.done]);
      const free = devices.filter(({ name }) => !log.isBusy(name));
      const device = pick(free);
      const deed = pick(deeds.filter(({ kind }) => kind === undefined || kind === device.kind));
      log.start(device.name, deed.field);
      await deed.to(device, round);
    }
    await Promise.race([log.untilFewer(0), keeper.done]);
    expect(log.pending).toBe("[]");
    const named = [...log.done.values()].reduce((sum, one) => sum + one, 0);
    expect(named).toBe(round);
    expect(round).toBeGreaterThan(5 * seconds);
    const fields = new Set(deeds.map(({ field }) => field));
    if (round > 300) expect(new Set(log.done.keys())).toEqual(fields);
    expect(await seen()).toEqual(before);
    await keeper.close();
    expect(changesNothing(await plan({ devices }, { namespace }))).toBe(true);
  },
  (seconds + 120) * 1_000,
);
