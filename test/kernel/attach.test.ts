/** attachToBridge and detachFromBridge, with iproute2 as the witness. */
import { describe, expect } from "vitest";
import {
  attachToBridge,
  createBridge,
  createMacvtap,
  createTap,
  detachFromBridge,
  getLink,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { addBridge, addParent, bridgePort, ip, ipBatch, link, links } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const withBridge = needs("bridge", "veth");
const withTap = needs("bridge", "veth", "tun", "proc-sys");

stage(async () => {
  await addBridge("br0");
  await addBridge("br1");
  await addParent();
});

/** Makes a link that can be a port, and is none. */
async function addLink(name = "port0"): Promise<void> {
  await ip(`link add ${name} type veth peer name ${name}-far`);
}

/** What iproute2 tells of a port, timers aside, which run. */
async function portOf(name: string): Promise<unknown> {
  const seen = await link(name);
  const settings = Object.entries(seen?.linkinfo?.info_slave_data ?? {});
  return [seen?.master, Object.fromEntries(settings.filter(([key]) => !/timer/.test(key)))];
}

describe("attachToBridge", () => {
  withBridge("makes a link a port, and gives it as it is then", async () => {
    await addLink();
    const attached = await attachToBridge("port0", "br0");
    const bridge = await link("br0");
    expect(attached).toMatchObject({ name: "port0", master: bridge?.ifindex, portKind: "bridge" });
    expect(await link("port0")).toMatchObject({
      master: "br0",
      linkinfo: { info_slave_kind: "bridge" },
    });
  });

  withBridge("sets every setting of the port, and reads it back", async () => {
    await addLink();
    const settings = {
      isolated: true,
      hairpin: true,
      learning: false,
      flood: false,
      mcastFlood: false,
      bcastFlood: false,
      neighSuppress: true,
    };
    const { port } = await attachToBridge("port0", "br0", settings);
    expect(port).toMatchObject(settings);
    expect(await bridgePort("port0")).toMatchObject({
      master: "br0",
      isolated: true,
      hairpin: true,
      learning: false,
      flood: false,
      mcast_flood: false,
      bcast_flood: false,
      neigh_suppress: true,
    });
  });

  withTap("takes link and bridge by name, index and held link", async () => {
    const tap = await createTap();
    const bridge = await getLink("br0");
    for (const [ofLink, ofBridge] of [
      [tap.name, bridge.name],
      [tap.index, bridge.index],
      [tap, bridge],
    ] as const) {
      await attachToBridge(ofLink, ofBridge);
      expect((await link(tap.name))?.master).toBe("br0");
      await detachFromBridge(ofLink);
      expect((await link(tap.name))?.master).toBeUndefined();
    }
  });

  withBridge("leaves a port where it is when it is attached again", async () => {
    await addLink("port1");
    await addLink();
    await attachToBridge("port1", "br0");
    await attachToBridge("port0", "br0", { isolated: true });
    await ip("link set port1 nomaster");
    const before = await portOf("port0");
    await attachToBridge("port0", "br0");
    expect(await portOf("port0")).toEqual(before);
  });

  withBridge("changes the settings named of a port that is there, and no other", async () => {
    await addLink();
    await attachToBridge("port0", "br0", { isolated: true, learning: false });
    const { port } = await attachToBridge("port0", "br0", { learning: true, hairpin: true });
    const expected = { isolated: true, learning: true, hairpin: true };
    expect(port).toMatchObject(expected);
    expect(await bridgePort("port0")).toMatchObject(expected);
  });
});

describe("a link with another master", () => {
  withBridge("stays there", async () => {
    await addLink();
    await ip("link set port0 master br1");
    const before = await portOf("port0");
    const error = await refusal(attachToBridge("port0", "br0"));
    expect(error).toMatchObject({ code: "ERR_FLINTAP_REFUSED", reason: "other-master", errno: 0 });
    expect(error.device).toBe("port0");
    expect(await portOf("port0")).toEqual(before);
  });

  withBridge("is taken from there when forced", async () => {
    await addLink();
    await ip("link set port0 master br1");
    await ip("link set port0 type bridge_slave isolated on");
    const { port } = await attachToBridge("port0", "br0", { force: true, hairpin: true });
    expect(port).toMatchObject({ hairpin: true, isolated: false });
    expect(await bridgePort("port0")).toMatchObject({
      master: "br0",
      hairpin: true,
      isolated: false,
    });
  });

  withBridge("goes back to it, with its settings, when the bridge is full", async () => {
    await addFullBridge("br9");
    await addLink();
    await ip("link set port0 master br1");
    await ip("link set port0 type bridge_slave isolated on learning off hairpin on locked on");
    await ip("link set port0 type bridge_slave guard on cost 77 priority 5 mcast_router 2");
    const before = await portOf("port0");
    const call = attachToBridge("port0", "br9", { force: true, isolated: false });
    expect(await refusal(call)).toMatchObject({ code: "EXFULL", reason: "bridge-full" });
    expect(await portOf("port0")).toEqual(before);
  });
});

/** Makes a bridge with as many ports as it can have. */
async function addFullBridge(name: string): Promise<void> {
  const most = 1023;
  const pairs = Array.from({ length: (most + 1) / 2 }, (_, at) => [`full${at}a`, `full${at}b`]);
  await ipBatch([
    `link add ${name} type bridge`,
    ...pairs.map(([one, other]) => `link add ${one} type veth peer name ${other}`),
    ...pairs
      .flat()
      .slice(0, most)
      .map((port) => `link set ${port} master ${name}`),
  ]);
}

describe("a bridge", () => {
  withBridge("holds 1,023 ports, and says so to the next", async () => {
    await addFullBridge("br9");
    await addLink();
    expect((await links("master br9")).length).toBe(1023);
    const error = await refusal(attachToBridge("port0", "br9"));
    expect(error).toMatchObject({
      code: "EXFULL",
      reason: "bridge-full",
      errno: 54,
      device: "port0",
      step: "attach",
    });
    expect((await link("port0"))?.master).toBeUndefined();
    expect((await links("master br9")).length).toBe(1023);
  });

  withBridge("is not what a veth is", async () => {
    await addLink();
    const error = await refusal(attachToBridge("port0", "enp0"));
    expect(error).toMatchObject({ code: "ERR_FLINTAP_REFUSED", reason: "not-a-bridge" });
    expect(error.device).toBe("enp0");
    expect((await link("port0"))?.master).toBeUndefined();
  });

  needs("bridge", "proc-sys")("cannot be a port of itself or of another bridge", async () => {
    const { name } = await createBridge();
    for (const bridge of [name, "br1"]) {
      const error = await refusal(attachToBridge(name, bridge));
      expect(error).toMatchObject({ code: "ELOOP", reason: "cannot-be-port", device: name });
    }
    expect((await link(name))?.master).toBeUndefined();
  });

  withBridge("does not take lo", async () => {
    const error = await refusal(attachToBridge("lo", "br0"));
    expect(error).toMatchObject({ code: "EINVAL", reason: "cannot-be-port", device: "lo" });
  });

  needs(
    "bridge",
    "veth",
    "macvtap",
    "proc-sys",
  )("takes no macvtap and no parent of one", async () => {
    const macvtap = await createMacvtap({ parent: "enp0" });
    for (const name of [macvtap.name, "enp0"]) {
      const error = await refusal(attachToBridge(name, "br0"));
      expect(error).toMatchObject({ code: "EBUSY", reason: "cannot-be-port", device: name });
      expect((await link(name))?.master).toBeUndefined();
    }
  });

  withBridge("or the link may be missing, which is told apart", async () => {
    await addLink();
    const noBridge = await refusal(attachToBridge("port0", "nowhere"));
    expect(noBridge).toMatchObject({ code: "ENODEV", reason: "no-such-bridge", device: "nowhere" });
    const noLink = await refusal(attachToBridge("nothing", "br0"));
    expect(noLink).toMatchObject({ code: "ENODEV", reason: "no-such-link", device: "nothing" });
    expect((await link("port0"))?.master).toBeUndefined();
  });
});

describe("detachFromBridge", () => {
  withBridge("takes a port out, and gives the link as it is then", async () => {
    await addLink();
    await ip("link set port0 master br1");
    const freed = await detachFromBridge("port0");
    expect(freed).not.toHaveProperty("master");
    expect(freed).not.toHaveProperty("port");
    expect((await link("port0"))?.master).toBeUndefined();
  });

  withBridge("leaves a link alone that is no port", async () => {
    await addLink();
    const before = await ip("-details link show dev port0");
    expect(await detachFromBridge("port0")).toMatchObject({ name: "port0" });
    expect(await ip("-details link show dev port0")).toBe(before);
  });

  withBridge("says that the link is gone", async () => {
    const error = await refusal(detachFromBridge("port0"));
    expect(error).toMatchObject({ code: "ENODEV", reason: "no-such-link", device: "port0" });
  });
});
