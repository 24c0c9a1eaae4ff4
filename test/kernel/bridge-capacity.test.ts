/** Several bridges, of which some are full or nearly so, with iproute2 as the witness. */
import { afterAll, beforeAll, describe, expect } from "vitest";
import {
  desiredDevices,
  type HostConfig,
  type Microvm,
  networkPort,
  provision,
  release,
} from "../../src/flintlock/index.js";
import { apply, bridgeUsage, type DesiredTap, NetworkNamespace, plan } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { flintap, specFolder } from "../setup/command.js";
import { addBridge, ip, ipBatch, link, links } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";
import { stateOfLinks } from "../setup/state.js";

const most = 1_023;
/** With one port more, still a tenth of the ports is free; with two, no longer. */
const nearly = 919;

/** `full0` and `full1` with all the ports that they can have, `near0` with fewer, `br0` and `br1`. */
async function addBridges(): Promise<void> {
  for (const bridge of ["br0", "br1", "full0", "full1", "near0"]) await addBridge(bridge);
  const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);
  await ipBatch([
    ...numbers(most).flatMap((at) => [
      `link add p${at}a type veth peer name p${at}b`,
      `link set p${at}a master full0`,
      `link set p${at}b master full1`,
    ]),
    ...numbers(nearly).flatMap((at) => [
      `link add n${at} type veth peer name n${at}-far`,
      `link set n${at} master near0`,
    ]),
  ]);
}

const onBridges = needs("tun", "veth", "bridge", "proc-sys");
const specs = specFolder();
let namespace: NetworkNamespace;

stage(addBridges);
beforeAll(() => {
  namespace = NetworkNamespace.current();
});
afterAll(async () => {
  await namespace.close();
  specs[Symbol.dispose]();
});

const lists = (...bridgeName: string[]): HostConfig => ({ bridgeName });
const microvm = (id: string): Microvm => ({
  id,
  namespace: "ns1",
  interfaces: [{ deviceId: "eth1", type: "tap" }],
});

/** A microVM whose tap is to be on `first` before all others of the list. */
function preferring(first: string, { bridgeName = [] }: HostConfig): Microvm {
  const all = Array.from({ length: 1_000 }, (_, at) => microvm(`vm${at}`));
  const found = all.find((one) => bridgeOf(one, { bridgeName }) === first);
  if (found === undefined) throw new Error(`None prefers ${first}`);
  return found;
}

const bridgeOf = (one: Microvm, config: HostConfig) =>
  (desiredDevices(one, config)[0] as DesiredTap).bridge;

async function give(to: Microvm, config: HostConfig) {
  const { interfaces, nearlyFull } = await provision(to, { config, namespace });
  const [made] = interfaces;
  const seen = await link(made?.link.name ?? "");
  return { name: made?.link.name ?? "", action: made?.action, seen, nearlyFull };
}

describe("a guest whose bridge is full", () => {
  const config = lists("full0", "br0");

  onBridges("gets the next of the list, which its tag records", async () => {
    const made = await give(preferring("full0", config), config);
    expect(made.seen).toMatchObject({
      master: "br0",
      ifalias: expect.stringContaining(";b=br0;"),
      altnames: expect.arrayContaining([
        expect.stringMatching(`^flmac-${(await link("br0"))?.ifindex}-`),
      ]),
    });
  });

  onBridges("keeps it, in whichever order the list is, and whatever is added", async () => {
    const guest = preferring("full0", config);
    await give(guest, config);
    const before = await stateOfLinks();
    for (const list of [config, lists("br0", "full0"), lists("br1", "near0", "full0", "br0")]) {
      expect((await give(guest, list)).action).toBe("adopt");
      expect(await stateOfLinks()).toEqual(before);
    }
  });

  onBridges("has it put back on the bridge that the tag records", async () => {
    const guest = preferring("full0", config);
    const { name } = await give(guest, config);
    const before = await stateOfLinks();
    await ip(`link set ${name} nomaster`);
    expect((await give(guest, config)).action).toBe("repair");
    expect(await stateOfLinks()).toEqual(before);
  });

  onBridges("gets nothing where all are full, and is told which", async () => {
    const before = await stateOfLinks();
    const all = lists("full0", "full1");
    const error = await refusal(give(preferring("full0", all), all));
    expect(error).toMatchObject({ code: "EXFULL", reason: "bridge-full", alsoFull: ["full0"] });
    expect(error.message).toMatch(/ on full1: .*; also full: full0 \(EXFULL/);
    expect(await stateOfLinks()).toEqual(before);
  });

  onBridges("gets it by flintlock's port as well", async () => {
    const port = networkPort(config, namespace);
    for (const deviceName of ["fltap1", "fltap2", "fltap3", "fltap4", "fltap5", "fltap6"]) {
      const made = await port.create({ deviceName, type: "tap" });
      expect((await link(deviceName))?.master).toBe("br0");
      expect(await port.create({ deviceName, type: "tap" })).toEqual(made);
    }
    expect(await links("master full0")).toHaveLength(most);
  });
});

describe("a guest whose bridge is taken out of the list", () => {
  onBridges("is attached to another, and keeps its device", async () => {
    const guest = preferring("br0", lists("br0", "br1"));
    const first = await give(guest, lists("br0", "br1"));
    const moved = await give(guest, { bridgeName: "br1" });
    expect(moved.action).toBe("repair");
    expect(moved.seen).toMatchObject({
      ifindex: first.seen?.ifindex,
      master: "br1",
      ifalias: expect.stringContaining(";b=br1;"),
    });
  });

  onBridges("is attached to the next where the first of the others is full", async () => {
    const config = lists("full0", "br1");
    const guest = preferring("full0", config);
    await give(guest, { bridgeName: "br0" });
    expect(await give(guest, config)).toMatchObject({ action: "repair", seen: { master: "br1" } });
    expect((await give(guest, config)).action).toBe("adopt");
  });

  onBridges("stays where it is while all others are full", async () => {
    const guest = microvm("vm1");
    await give(guest, { bridgeName: "br0" });
    const before = await stateOfLinks();
    const error = await refusal(give(guest, lists("full0", "full1")));
    expect(error.reason).toBe("bridge-full");
    expect(await stateOfLinks()).toEqual(before);
  });
});

describe("a device that goes back to its bridge", () => {
  onBridges("goes to no other where that one is full by now", async () => {
    const device: DesiredTap = {
      kind: "tap",
      name: "guest1",
      bridge: "near0",
      otherBridges: ["br0"],
      tag: { interface: "eth1" },
    };
    const put = async () => {
      const planned = await plan({ devices: [device] }, { namespace });
      return await apply(planned, { namespace });
    };
    await put();
    await ip("link set guest1 nomaster");
    const rest = Array.from({ length: most - nearly }, (_, at) => `n${at}-far`);
    await ipBatch(rest.map((port) => `link set ${port} master near0`));
    const error = await refusal(put());
    expect(error).toMatchObject({ reason: "bridge-full", device: "guest1" });
    expect((await link("guest1"))?.master).toBeUndefined();
    await ipBatch(rest.map((port) => `link set ${port} nomaster`));
    expect((await put()).devices).toMatchObject([{ action: "repair" }]);
    expect((await link("guest1"))?.master).toBe("near0");
  });
});

describe("a bridge that is nearly full", () => {
  const config: HostConfig = { bridgeName: "near0" };

  onBridges("is told of by who makes the tap that leaves less than a tenth", async () => {
    expect((await give(microvm("vm1"), config)).nearlyFull).toEqual([]);
    const told = { bridge: "near0", ports: nearly + 2, most, free: 102 };
    expect((await give(microvm("vm2"), config)).nearlyFull).toEqual([told]);
    expect(await links("master near0")).toHaveLength(told.ports);
    expect(await bridgeUsage("near0", { namespace })).toEqual(told);
    expect((await give(microvm("vm2"), config)).nearlyFull).toEqual([]);
    expect((await give(microvm("vm3"), { bridgeName: "br0" })).nearlyFull).toEqual([]);
    for (const id of ["vm1", "vm2", "vm3"]) await release(microvm(id), { namespace });
  });

  onBridges("is noted by flintap up, apply and config check", async () => {
    const file = specs.write("config.yaml", "bridge-name: [near0, full0]\n");
    const note = (ports: string) => `note: bridge near0 has ${ports} of 1,023 ports: `;
    for (const [command, id] of [
      ["up", "a"],
      ["up", "b"],
      ["apply", "c"],
    ] as const) {
      const spec = specs.write(`${id}.json`, { id, interfaces: [{ device_id: "eth1", type: 1 }] });
      const { code, stderr } = await flintap(command, "-c", file, "-f", spec);
      expect(code).toBe(0);
      if (id === "a") expect(stderr).toBe("");
      else expect(stderr).toContain(note(id === "b" ? "921" : "922"));
    }
    const checked = await flintap("config", "check", "-c", file, "--host");
    expect(checked.code).toBe(0);
    expect(checked.stderr).toContain(note("922"));
    expect(checked.stdout).toMatch(
      /^bridge-name +near0 .* usable: index \d+, MTU 1500, [a-z-]+, 922 of 1,023 ports$/m,
    );
    expect(checked.stdout).toMatch(/^bridge-name +full0 .*, 1,023 of 1,023 ports$/m);
    const json = await flintap("config", "check", "-c", file, "--host", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject([
      { key: "parent-iface", value: null },
      { key: "bridge-name", value: "near0", host: { usable: true, ports: 922, mostPorts: most } },
      { key: "bridge-name", value: "full0", host: { usable: true, ports: most } },
    ]);
  });
});

describe("bridgeUsage", () => {
  onBridges("names a bridge that is not there, and what is none", async () => {
    expect(await refusal(bridgeUsage("br9", { namespace }))).toMatchObject({
      reason: "no-such-bridge",
      operation: "bridgeUsage",
    });
    expect(await refusal(bridgeUsage("p0a", { namespace }))).toMatchObject({
      reason: "not-a-bridge",
    });
  });
});
