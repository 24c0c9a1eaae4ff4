/** createBridge, with iproute2 as the witness. */
import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import { createBridge, createTap, deleteLink, parseTag } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { ip, link, links } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const withBridge = needs("bridge", "proc-sys");
const withPorts = needs("bridge", "proc-sys", "veth");

stage(async () => {});

function acceptsAdvertisements(name: string): string {
  return readFileSync(`/proc/sys/net/ipv6/conf/${name}/accept_ra`, "utf8").trim();
}

/** What iproute2 tells of a bridge alone. */
async function bridgeData(name: string): Promise<Record<string, unknown> | undefined> {
  return (await link(name))?.linkinfo?.info_data;
}

describe("createBridge by default", () => {
  withBridge("makes a bridge without spanning tree and forward delay, and sets it up", async () => {
    const made = await createBridge();
    expect(made).toMatchObject({
      kind: "bridge",
      up: true,
      details: { stp: false, forwardDelay: 0, ageingTime: 30_000, mcastSnooping: true },
    });
    expect(made.name).toMatch(/^flbr[0-9a-f]{11}$/);
    expect(made.index).toBeGreaterThan(1_000_000);
    expect(await link(made.name)).toMatchObject({
      ifindex: made.index,
      flags: expect.arrayContaining(["UP"]),
      linkinfo: { info_kind: "bridge", info_data: { stp_state: 0, forward_delay: 0 } },
    });
  });

  withBridge("makes it deaf to router advertisements, and keeps IPv6 on it", async () => {
    const { name, ipv6 } = await createBridge();
    expect(ipv6).toMatchObject({ state: "open", acceptRouterAdvertisements: 0 });
    expect(acceptsAdvertisements(name)).toBe("0");
    expect(readFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "utf8")).toBe("0\n");
  });

  withPorts("gives it a MAC of its own that stays when ports join and leave", async () => {
    const { name, mac } = await createBridge();
    expect(mac).toMatch(/^[0-9a-f][26ae]:/);
    const address = async (): Promise<string | undefined> => (await link(name))?.address;
    expect(await address()).toBe(mac);
    await ip("link add low0 address 00:00:00:00:00:02 type veth peer name low1");
    await ip(`link set low0 up master ${name}`);
    expect(await address()).toBe(mac);
    await ip("link set low0 nomaster");
    expect(await address()).toBe(mac);
  });

  withBridge("marks it by an alt name of its own and by its tag", async () => {
    const made = await createBridge({ tag: { microvm: "all" } });
    const seen = await link(made.name);
    expect(made.identity).toMatch(/^flintap-[0-9a-f]{32}$/);
    expect(seen?.altnames).toEqual([made.identity]);
    expect(parseTag(seen?.ifalias)).toEqual(made.tag);
  });

  withPorts("forwards on a new port at once", async () => {
    const { name } = await createBridge();
    await ip("link add end0 type veth peer name end1");
    await ip("link set end1 up");
    await ip(`link set end0 up master ${name}`);
    expect((await link("end0"))?.linkinfo?.info_slave_data).toMatchObject({ state: "forwarding" });
  });
});

describe("createBridge", () => {
  withBridge("makes one as it is asked to", async () => {
    const wanted = {
      name: "br7",
      index: 1_234_569,
      mac: "02:00:00:00:00:09",
      mtu: 9000,
      txQueueLength: 333,
      up: false,
    };
    expect(await createBridge(wanted)).toMatchObject(wanted);
    const seen = await link("br7");
    expect(seen).toMatchObject({
      ifindex: 1_234_569,
      address: "02:00:00:00:00:09",
      mtu: 9000,
      txqlen: 333,
    });
    expect(seen?.flags).not.toContain("UP");
    expect(acceptsAdvertisements("br7")).toBe("0");
  });

  withBridge("runs the spanning tree with the usual forward delay when asked to", async () => {
    const { name, details } = await createBridge({ stp: true });
    expect(details).toMatchObject({ stp: true, forwardDelay: 1500 });
    expect(await bridgeData(name)).toMatchObject({ stp_state: 1, forward_delay: 1500 });
  });

  withBridge("sets forward delay, ageing time and multicast snooping", async () => {
    const settings = { forwardDelay: 400, ageingTime: 12_000, mcastSnooping: false };
    const { name, details } = await createBridge(settings);
    expect(details).toMatchObject(settings);
    expect(await bridgeData(name)).toMatchObject({
      forward_delay: 400,
      ageing_time: 12_000,
      mcast_snooping: 0,
    });
  });

  withBridge(
    "takes times that the kernel rounds to its ticks, and tells them rounded",
    async () => {
      const { name, details } = await createBridge({ forwardDelay: 3, ageingTime: 12_003 });
      expect(await bridgeData(name)).toMatchObject({
        forward_delay: details.forwardDelay,
        ageing_time: details.ageingTime,
      });
      expect([2, 3]).toContain(details.forwardDelay);
      expect([12_002, 12_003]).toContain(details.ageingTime);
    },
  );

  needs("bridge-vlan-filtering")("keeps VLANs apart when asked to", async () => {
    const { name } = await createBridge({ vlanFiltering: true });
    expect(await bridgeData(name)).toMatchObject({ vlan_filtering: 1 });
  });

  withBridge("hears router advertisements only when asked to", async () => {
    const { name, ipv6 } = await createBridge({ acceptRouterAdvertisements: true });
    expect(ipv6?.acceptRouterAdvertisements).toBe(1);
    expect(acceptsAdvertisements(name)).toBe("1");
  });

  withBridge("makes one with an MTU too small for IPv6, which is closed then", async () => {
    const { mtu, ipv6 } = await createBridge({ mtu: 1000 });
    expect({ mtu, state: ipv6?.state }).toEqual({ mtu: 1000, state: "closed" });
  });

  withBridge("refuses a forward delay that a spanning tree cannot have", async () => {
    const error = await refusal(createBridge({ stp: true, forwardDelay: 0 }));
    expect(error).toMatchObject({
      code: "ERR_FLINTAP_IGNORED",
      reason: "setting-ignored",
      attribute: "details.forwardDelay",
      expected: "0",
    });
    expect(await links("type bridge")).toEqual([]);
  });

  needs(
    "bridge",
    "tun",
    "proc-sys",
  )("makes what taps attach to, and what goes with them", async () => {
    const bridge = await createBridge();
    const tap = await createTap({ bridge });
    expect((await link(tap.name))?.master).toBe(bridge.name);
    await deleteLink(bridge);
    expect(await link(bridge.name)).toBeUndefined();
    const freed = await link(tap.name);
    expect(freed?.ifindex).toBe(tap.index);
    expect(freed?.master).toBeUndefined();
  });
});
