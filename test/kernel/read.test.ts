/** getLink and listLinks against what iproute2 tells of the same links. */
import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import {
  createBridge,
  createMacvtap,
  createTap,
  createVeth,
  getLink,
  type Link,
  type LinkBase,
  type ListOptions,
  listLinks,
  NetworkNamespace,
  readAttributes,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { flintapAccount, ipAccount } from "../setup/comparison.js";
import { everybody, send } from "../setup/frames.js";
import {
  addBridge,
  addParent,
  type IpLink,
  ip,
  ipBatch,
  link,
  links,
  rename,
  settled,
} from "../setup/iproute2.js";
import { otherNamespace } from "../setup/other-namespace.js";
import { refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const withVeth = needs("veth", "bridge");
const withTap = needs("tun", "proc-sys", "bridge", "veth");
const withAll = needs("tun", "proc-sys", "bridge", "veth", "macvtap");

stage(async () => {
  await addParent();
  await addBridge();
});

const byIndex = (one: { index: number }, other: { index: number }): number =>
  one.index - other.index;

function namesOf(found: readonly LinkBase[]): string[] {
  return found.map(({ name }) => name).toSorted();
}

/** Compares the accounts of all links in the namespace, each field that both tell. */
async function expectSameAccounts(own: readonly Link[]): Promise<void> {
  const seen: IpLink[] = await links();
  const theirs = seen.map((one) => ipAccount(one, seen)) as (Record<string, unknown> & Link)[];
  expect(own.length).toBe(theirs.length);
  const pairs = own.toSorted(byIndex).map((one, at) => [one, theirs.toSorted(byIndex)[at]]);
  for (const [one, other] of pairs as [Link, Record<string, unknown>][])
    expect(flintapAccount(one, other)).toEqual(other);
}

describe("a link", () => {
  withAll("is told as iproute2 tells it, field by field, whatever its kind", async () => {
    await createMacvtap({ parent: "enp0", tag: { microvm: "a" } });
    await createMacvtap({ parent: "enp0", mode: "vepa", up: false });
    const taps = [
      await createTap({ bridge: "br0", isolated: true, learning: false }),
      await createTap({ uid: 0, vnetHeader: true, multiQueue: true }),
    ];
    await createBridge({ stp: true, ageingTime: 100 });
    await createVeth({ up: false, mtu: 3000 });
    await ipBatch([
      "tuntap add dev layer3 mode tun",
      "link add plain0 type veth peer name plain1",
      "link set plain0 group 17 txqueuelen 5 master br0 up",
      "link set plain1 allmulticast on promisc on arp off",
      "link property add dev plain0 altname alternative altname another",
    ]);
    await ip("link set plain1 alias", "an alias; with = signs, and ünicode");
    for (const { name } of taps) await settled(name);
    await expectSameAccounts(await listLinks());
    await expectSameAccounts(await Promise.all((await links()).map((one) => getLink(one.ifname))));
  });

  withVeth("is found by name, index, alt name and as it is held", async () => {
    const longest = "n".repeat(127);
    await ip("link property add dev wire0 altname", longest);
    const index = (await link("wire0"))?.ifindex ?? 0;
    const held = await getLink("wire0");
    for (const reference of ["wire0", index, longest, held])
      expect(await getLink(reference)).toMatchObject({ name: "wire0", index });
    await ip("link property del dev wire0 altname", longest);
  });

  withTap("is found as it is held after it was renamed", async () => {
    const tap = await createTap({ up: false });
    await rename(tap.name, "renamed");
    expect(await getLink(tap)).toMatchObject({ name: "renamed", index: tap.index });
    expect((await refusal(getLink(tap.name))).code).toBe("ENODEV");
  });

  withVeth("that is not there is ENODEV, and says which", async () => {
    const byName = await refusal(getLink("nothing"));
    expect(byName).toMatchObject({ code: "ENODEV", reason: "no-such-link", device: "nothing" });
    const byNumber = await refusal(getLink(2_000_000_000));
    expect(byNumber).toMatchObject({ code: "ENODEV", device: "index 2000000000" });
    const long = "n".repeat(127);
    expect(await refusal(getLink(long))).toMatchObject({ code: "ENODEV", device: long });
  });

  withVeth("tells the host's IPv6 on it", async () => {
    await ip("link add six0 type veth peer name six1");
    expect((await getLink("six0")).ipv6).toMatchObject({
      state: "open",
      acceptRouterAdvertisements: Number(
        readFileSync("/proc/sys/net/ipv6/conf/six0/accept_ra", "utf8"),
      ),
      forwarding: false,
    });
    await ip("link set six0 addrgenmode none");
    expect((await getLink("six0")).ipv6?.state).toBe("reduced");
    await ip("link set six0 mtu 1000");
    expect((await getLink("six0")).ipv6).toEqual({ state: "closed" });
  });

  withVeth("whose parent is in another namespace says so, and in which", async () => {
    await using elsewhere = await otherNamespace();
    await ip("link add near type veth peer name far");
    await ip(`link set far netns ${elsewhere.pid}`);
    const seen = await link("near");
    const near = await getLink("near");
    expect(seen?.link_netnsid).toBeGreaterThanOrEqual(0);
    expect(near).toMatchObject({
      parent: seen?.link_index,
      parentNamespace: seen?.link_netnsid,
    });
    expect(namesOf(await listLinks({ parent: near.parent }))).not.toContain("near");
  });
});

describe("statistics", () => {
  withTap("count every frame of a guest at once, in 64 bits", async () => {
    await using tap = await createTap({ persist: false });
    const { index, queues } = tap;
    const frame = { to: everybody, from: "02:00:00:00:00:01", text: "x".repeat(86) };
    for (let sent = 0; sent < 25; sent++) send(queues[0]?.fd ?? -1, frame);
    const { statistics } = await getLink(index, { statistics: true });
    expect(statistics).toMatchObject({ rxPackets: 25n, rxBytes: 2500n, rxErrors: 0n });
    const seen = (await link(tap.name, "-statistics"))?.stats64;
    expect(Object.values(statistics ?? {}).every((count) => typeof count === "bigint")).toBe(true);
    expect(seen?.rx).toMatchObject({ packets: 25, bytes: 2500 });
    expect(statistics).toMatchObject({
      rxDropped: BigInt(seen?.rx.dropped ?? -1),
      multicast: BigInt(seen?.rx.multicast ?? -1),
      txPackets: BigInt(seen?.tx.packets ?? -1),
      txBytes: BigInt(seen?.tx.bytes ?? -1),
      txErrors: BigInt(seen?.tx.errors ?? -1),
      txDropped: BigInt(seen?.tx.dropped ?? -1),
      collisions: BigInt(seen?.tx.collisions ?? -1),
    });
  });

  withVeth("are told only when they are asked for", async () => {
    expect(await getLink("enp0")).not.toHaveProperty("statistics");
    for (const one of await listLinks()) expect(one).not.toHaveProperty("statistics");
    for (const one of await listLinks({ statistics: true }))
      expect(typeof one.statistics?.rxPackets).toBe("bigint");
  });
});

describe("listLinks", () => {
  withVeth("finds all links of a kind, and physical ones by the empty string", async () => {
    expect(namesOf(await listLinks({ kind: "veth" }))).toEqual(["enp0", "wire0"]);
    expect(namesOf(await listLinks({ kind: "bridge" }))).toEqual(["br0"]);
    expect(namesOf(await listLinks({ kind: "" }))).toContain("lo");
    expect(namesOf(await listLinks({ kind: "" }))).not.toContain("enp0");
  });

  withVeth("finds nothing of a kind that the kernel does not know", async () => {
    expect(await listLinks({ kind: "nonsense" })).toEqual([]);
    expect((await links("type nonsense")).length).toBe((await links()).length);
  });

  withVeth("finds the ports of a master by name, index and held link", async () => {
    await ipBatch([
      "link add one0 type veth peer name one1",
      "link set one0 master br0",
      "link set one1 master br0",
    ]);
    const bridge = await getLink("br0");
    for (const master of ["br0", bridge.index, bridge])
      expect(namesOf(await listLinks({ master }))).toEqual(["one0", "one1"]);
    expect(await listLinks({ master: "enp0" })).toEqual([]);
    expect((await refusal(listLinks({ master: "nothing" }))).code).toBe("ENODEV");
  });

  withAll("finds what stands on a parent", async () => {
    const [one, other] = [
      await createMacvtap({ parent: "enp0" }),
      await createMacvtap({ parent: "enp0" }),
    ];
    const macvtaps = [one.name, other.name].toSorted();
    const parent = await getLink("enp0");
    for (const reference of ["enp0", parent.index, parent]) {
      expect(namesOf(await listLinks({ kind: "macvtap", parent: reference }))).toEqual(macvtaps);
      expect(namesOf(await listLinks({ parent: reference }))).toEqual([...macvtaps, "wire0"]);
    }
    expect(await listLinks({ parent: one })).toEqual([]);
  });

  withTap("finds what an owner has made, and only what all filters let through", async () => {
    await using namespace = NetworkNamespace.current({ owner: "other" });
    const ours = await createTap({ bridge: "br0" });
    const theirs = await namespace.createTap({ bridge: "br0" });
    const alone = await createTap();
    await ip("link set wire0 alias", "flintap1;other");
    try {
      expect(namesOf(await listLinks({ owner: "other" }))).toEqual([theirs.name]);
      expect(namesOf(await listLinks({ owner: "flintap" }))).toEqual(
        [ours.name, alone.name].toSorted(),
      );
      const filters = { owner: "flintap", master: "br0", kind: "tun" };
      expect(namesOf(await listLinks(filters))).toEqual([ours.name]);
      expect(await listLinks({ ...filters, kind: "veth" })).toEqual([]);
    } finally {
      await ip("link set wire0 alias", "");
    }
  });

  withTap("finds what has a tag with the parts named, escaped and hashed ones, too", async () => {
    await using namespace = NetworkNamespace.current({ owner: "other; one" });
    const tag = { microvm: "ns/vm 1;m=x", interface: "eth1" };
    const long = { microvm: "x".repeat(200), interface: "eth1" };
    const ours = await createTap({ tag });
    const theirs = await namespace.createTap({ tag });
    const hashed = await createTap({ tag: long });
    const other = await createTap({ tag: { ...tag, microvm: "ns/vm 1" } });
    const unhashed = `flintap1;larger;m=${long.microvm};i=eth1;t=1`;
    await ip("link set wire0 alias", unhashed);
    await ip("link set enp0 alias", "flintap1;no tag;m=ns/vm%201%3bm=x");
    try {
      const found = async (selection: ListOptions) => namesOf(await listLinks(selection));
      const { microvm } = tag;
      expect(await found({ tag })).toEqual([ours.name, theirs.name].toSorted());
      expect(await found({ tag: { microvm } })).toEqual([ours.name, theirs.name].toSorted());
      expect(await found({ tag, owner: "other; one" })).toEqual([theirs.name]);
      expect(await found({ tag: long })).toEqual([hashed.name, "wire0"].toSorted());
      expect(await found({ tag: { ...tag, bridge: "br0" } })).toEqual([]);
      expect(await found({ tag: {} })).toEqual(
        [ours, theirs, hashed, other]
          .map(({ name }) => name)
          .concat("wire0")
          .toSorted(),
      );
    } finally {
      for (const name of ["wire0", "enp0"]) await ip(`link set ${name} alias`, "");
    }
  });

  withVeth("gives a thousand links, each once", async () => {
    const pairs = Array.from(
      { length: 500 },
      (_, at) => `link add m${at} type veth peer name n${at}`,
    );
    await ipBatch(pairs);
    const own = await listLinks();
    expect(own.length).toBeGreaterThan(1000);
    expect(namesOf(own)).toEqual((await links()).map(({ ifname }) => ifname).toSorted());
  });

  withTap("gives no link twice and misses none that stays, while others come and go", async () => {
    await using namespace = NetworkNamespace.current();
    let busy = true;
    const churn = (async () => {
      for (let made = 0; made < 30; made++) await (await createTap({ persist: false })).close();
      busy = false;
    })();
    while (busy) {
      const names = namesOf(await namespace.listLinks());
      expect(new Set(names).size).toBe(names.length);
      expect(names).toEqual(expect.arrayContaining(["lo", "enp0", "wire0", "br0"]));
    }
    await churn;
  });
});

describe("what flintap has no name for is kept:", () => {
  needs("ifb")("a link of an unknown kind, by the kernel's word for it", async () => {
    await ip("link add other0 type ifb");
    const found: LinkBase = await getLink("other0");
    expect(found.kind).toBe("ifb");
    expect(found).not.toHaveProperty("details");
    expect(namesOf(await listLinks({ kind: "ifb" }))).toEqual(["other0"]);
  });

  needs("vxlan")("the details of such a link, as the kernel sent them", async () => {
    await ip("link add other0 type vxlan id 4711 dstport 4789");
    const { kind, unknown }: LinkBase = await getLink("other0", { unknown: true });
    expect(kind).toBe("vxlan");
    const linkInfo = 18;
    const raw = Buffer.from(
      readAttributes(unknown ?? "").find(({ type }) => type === linkInfo)?.data ?? [],
    );
    expect(raw.includes("vxlan")).toBe(true);
    const id = Buffer.alloc(4);
    new Uint32Array(id.buffer, id.byteOffset, 1)[0] = 4711;
    expect(raw.includes(id)).toBe(true);
  });

  withVeth("only where it is asked for, also in a list", async () => {
    expect(await getLink("enp0")).not.toHaveProperty("unknown");
    for (const one of await listLinks()) expect(one).not.toHaveProperty("unknown");
    for (const one of await listLinks({ unknown: true }))
      expect(one.unknown).toBe((await getLink(one.index, { unknown: true })).unknown);
  });

  withVeth("attributes without a name, with their number and bytes", async () => {
    const maxSegments = 40;
    const { unknown } = await getLink("enp0", { unknown: true });
    const raw = readAttributes(unknown ?? "").find(({ type }) => type === maxSegments)?.data;
    expect(raw).toHaveLength(4);
    const [value] = new Uint32Array((raw ?? new Uint8Array(4)).slice().buffer);
    const [seen] = JSON.parse(await ip("-json -details link show dev enp0"));
    expect(value).toBe(seen.gso_max_segs);
  });
});
