/** createMacvtap, with iproute2 as the witness. */
import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import {
  createMacvtap,
  getLink,
  type MacvtapMode,
  NetworkNamespace,
  parseTag,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { addBridge, addParent, ip, link, linkNames, links } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const withMacvtap = needs("veth", "macvtap", "proc-sys");

stage(async () => {
  await addParent();
  await ip("link set enp0 mtu 1600 txqueuelen 77");
});

/** How the device's MAC came to be: 3 is "set by whoever made it". */
function macOrigin(name: string): string {
  return readFileSync(`/sys/class/net/${name}/addr_assign_type`, "utf8").trim();
}

function ipv6IsDisabled(name: string): boolean {
  return readFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "utf8").trim() === "1";
}

describe("createMacvtap by default", () => {
  withMacvtap("makes a macvtap in bridge mode on the parent, and sets it up", async () => {
    const made = await createMacvtap({ parent: "enp0" });
    expect(made).toMatchObject({ kind: "macvtap", up: true, details: { mode: "bridge" } });
    expect(made.name).toMatch(/^flvtap[0-9a-f]{9}$/);
    expect(await link(made.name)).toMatchObject({
      ifindex: made.index,
      link: "enp0",
      flags: expect.arrayContaining(["UP"]),
      linkinfo: { info_kind: "macvtap", info_data: { mode: "bridge" } },
    });
  });

  withMacvtap("chooses an index that no kernel chooses, so that /dev/tapN is unique", async () => {
    const { index } = await createMacvtap({ parent: "enp0" });
    expect(index).toBeGreaterThan(1_000_000);
  });

  withMacvtap("chooses a local unicast MAC and gives it in the create, so it stays", async () => {
    const { name, mac } = await createMacvtap({ parent: "enp0" });
    expect(mac).toMatch(/^[0-9a-f][26ae]:/);
    expect(await link(name)).toMatchObject({ address: mac });
    expect(macOrigin(name)).toBe("3");
  });

  withMacvtap("takes MTU and queue length from the parent", async () => {
    const made = await createMacvtap({ parent: "enp0" });
    expect(made).toMatchObject({ mtu: 1600, txQueueLength: 77 });
    expect(await link(made.name)).toMatchObject({ mtu: 1600, txqlen: 77 });
  });

  withMacvtap("leaves the kernel's queue length where the parent has none", async () => {
    await ip("link set enp0 txqueuelen 0");
    try {
      const { name } = await createMacvtap({ parent: "enp0" });
      expect((await link(name))?.txqlen).toBeGreaterThan(0);
    } finally {
      await ip("link set enp0 txqueuelen 77");
    }
  });

  withMacvtap("marks the device by an alt name of its own and by its tag", async () => {
    const tag = { microvm: "ns1/vm 1", interface: "eth1", specHash: "abc" };
    const before = Math.floor(Date.now() / 1000) * 1000;
    const made = await createMacvtap({ parent: "enp0", tag });
    const seen = await link(made.name);
    expect(made.identity).toMatch(/^flintap-[0-9a-f]{32}$/);
    expect(seen?.altnames).toEqual([made.identity]);
    expect(parseTag(seen?.ifalias)).toEqual(made.tag);
    expect(made.tag).toMatchObject({ version: 1, owner: "flintap", ...tag });
    expect(made.tag?.createdAt.getTime()).toBeGreaterThanOrEqual(before);
    expect(made.tag?.bootId).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  });

  withMacvtap("has room for the longest tag", async () => {
    await using namespace = NetworkNamespace.current({ owner: "o".repeat(32) });
    const long = (length: number): string => "x".repeat(length);
    const tag = { microvm: long(60), interface: long(23), specHash: long(23), bridge: long(23) };
    const made = await namespace.createMacvtap({ parent: "enp0", tag });
    expect(made.tag).toMatchObject({ owner: "o".repeat(32), ...tag });
    expect(parseTag((await link(made.name))?.ifalias)).toEqual(made.tag);
  });

  withMacvtap("closes the host's IPv6 on it", async () => {
    const { name, ipv6 } = await createMacvtap({ parent: "enp0" });
    expect(ipv6?.state).toBe("closed");
    expect(ipv6IsDisabled(name)).toBe(true);
    expect(JSON.parse(await ip(`-json address show dev ${name}`))[0].addr_info).toEqual([]);
  });
});

describe("createMacvtap", () => {
  const modes: MacvtapMode[] = ["bridge", "private", "vepa", "passthru", "source"];
  for (const mode of modes) {
    withMacvtap(`makes one in mode ${mode}`, async () => {
      const made = await createMacvtap({ parent: "enp0", mode });
      expect(made.details.mode).toBe(mode);
      expect((await link(made.name))?.linkinfo?.info_data).toMatchObject({ mode });
    });
  }

  withMacvtap("gives one in mode passthru its parent's MAC", async () => {
    const { name, mac } = await createMacvtap({ parent: "enp0", mode: "passthru" });
    expect(mac).toBe((await link("enp0"))?.address);
    expect((await link(name))?.address).toBe(mac);
  });

  withMacvtap("takes mode source's addresses, in any order, each once", async () => {
    const sourceMacs = ["02:00:00:00:00:0b", "02:00:00:00:00:0A", "02:00:00:00:00:0b"];
    const { name, details } = await createMacvtap({ parent: "enp0", mode: "source", sourceMacs });
    const distinct = ["02:00:00:00:00:0a", "02:00:00:00:00:0b"];
    expect(details.sourceMacs?.toSorted()).toEqual(distinct);
    const shown = await ip(`-details link show dev ${name}`);
    expect(shown).toMatch(/remotes \(2\)/);
    for (const mac of distinct) expect(shown).toContain(mac);
  });

  withMacvtap("takes none in mode source, too", async () => {
    const made = await createMacvtap({ parent: "enp0", mode: "source", sourceMacs: [] });
    expect(await ip(`-details link show dev ${made.name}`)).toMatch(/remotes \(0\)/);
  });

  withMacvtap("takes the parent by name, index, held link and alt name", async () => {
    const parent = await getLink("enp0");
    await ip("link property add dev enp0 altname", "a-very-long-name-for-an-interface");
    const references = ["enp0", parent.index, parent, "a-very-long-name-for-an-interface"];
    for (const reference of references) {
      const { name } = await createMacvtap({ parent: reference });
      expect(await link(name)).toMatchObject({ link: "enp0" });
    }
    await ip("link property del dev enp0 altname", "a-very-long-name-for-an-interface");
  });

  withMacvtap("makes one as it is asked to", async () => {
    const wanted = {
      name: "guest7",
      index: 1_234_567,
      mac: "02:00:00:00:00:07",
      mtu: 1400,
      txQueueLength: 500,
      up: false,
    };
    expect(await createMacvtap({ parent: "enp0", ...wanted })).toMatchObject(wanted);
    const seen = await link("guest7");
    expect(seen).toMatchObject({
      ifindex: 1_234_567,
      address: "02:00:00:00:00:07",
      mtu: 1400,
      txqlen: 500,
    });
    expect(seen?.flags).not.toContain("UP");
    expect(macOrigin("guest7")).toBe("3");
    expect(ipv6IsDisabled("guest7")).toBe(true);
  });

  withMacvtap("makes one with an MTU too small for IPv6, which is closed then", async () => {
    const made = await createMacvtap({ parent: "enp0", mtu: 1000 });
    expect(made).toMatchObject({ mtu: 1000, ipv6: { state: "closed" } });
    expect((await link(made.name))?.mtu).toBe(1000);
  });

  needs("macvtap", "bridge")("makes one on a bridge", async () => {
    await addBridge("br1");
    const { name } = await createMacvtap({ parent: "br1" });
    expect(await link(name)).toMatchObject({ link: "br1", flags: expect.arrayContaining(["UP"]) });
  });

  withMacvtap("refuses one on another macvtap, which is no parent", async () => {
    const lower = await createMacvtap({ parent: "enp0" });
    const error = await refusal(createMacvtap({ parent: lower }));
    expect(error.reason).toBe("parent-unusable");
    expect((await links("type macvtap")).length).toBe(1);
  });

  withMacvtap("tags what a handle makes with the handle's owner", async () => {
    await using namespace = NetworkNamespace.current({ owner: "other; one" });
    const { name, tag } = await namespace.createMacvtap({ parent: "enp0" });
    expect(tag?.owner).toBe("other; one");
    expect(parseTag((await link(name))?.ifalias)?.owner).toBe("other; one");
  });

  withMacvtap("makes a hundred at once, no two alike", async () => {
    const before = await linkNames();
    const made = await Promise.all(
      Array.from({ length: 100 }, () => createMacvtap({ parent: "enp0" })),
    );
    for (const key of ["name", "index", "mac", "identity"] as const)
      expect(new Set(made.map((one) => one[key])).size).toBe(100);
    const seen = await links("type macvtap");
    expect(seen.map(({ ifindex }) => ifindex).toSorted()).toEqual(
      made.map(({ index }) => index).toSorted(),
    );
    expect((await linkNames()).length).toBe(before.length + 100);
  });
});
