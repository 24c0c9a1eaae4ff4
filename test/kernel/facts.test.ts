/**
 * What the kernel does, where the library relies on it: a kernel that differs is noticed here
 * first. Mostly without flintap; where a queue is needed, it is flintap's.
 */
import { existsSync, readFileSync, readSync, writeFileSync, writeSync } from "node:fs";
import { describe, expect } from "vitest";
import {
  createBridge,
  createMacvtap,
  createTap,
  type MacvtapMode,
  openMacvtap,
  openTap,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import {
  countFrames,
  everybody,
  macvtapHeader,
  receiveUntil,
  send,
  sendPayload,
} from "../setup/frames.js";
import { addBridge, addParent, type IpLink, ip, link, qdiscs } from "../setup/iproute2.js";
import { type OtherNamespace, otherNamespace } from "../setup/other-namespace.js";
import { execute } from "../setup/shell.js";
import { stage } from "../setup/stage.js";

const withVeth = needs("veth", "bridge");
const withMacvtap = needs("veth", "bridge", "macvtap");
const withQueues = needs("veth", "bridge", "macvtap", "proc-sys", "macvtap-queue");
const withTap = needs("veth", "bridge", "tun", "proc-sys");

const ipv4 = 0x0800;

/** An empty UDP datagram from this port; its checksums are nobody's concern here. */
function datagram(port: number): Buffer {
  const packet = Buffer.alloc(28);
  packet.write("4500001c0000000040110000c0000201c0000202", "hex");
  packet.writeUInt16BE(port, 20);
  packet.writeUInt16BE(9, 22);
  packet.writeUInt16BE(8, 24);
  return packet;
}

stage(async () => {
  await addParent();
  await addBridge();
});

/** Runs a command of `ip` that the kernel refuses, with these words. */
async function refused(command: string, words: string): Promise<void> {
  await expect(ip(command)).rejects.toMatchObject({ stderr: expect.stringContaining(words) });
}

describe("a create", () => {
  withVeth("takes the index, the MAC and the MTU", async () => {
    const options = "index 1300000 address 02:00:00:00:00:01 mtu 1400 txqueuelen 7";
    await ip(`link add made ${options} type bridge`);
    expect(await link("made")).toMatchObject({
      ifindex: 1_300_000,
      address: "02:00:00:00:00:01",
      mtu: 1400,
      txqlen: 7,
    });
  });

  withVeth("ignores the alias without a word", async () => {
    await ip("link add made alias given type bridge");
    expect((await link("made"))?.ifalias).toBeUndefined();
  });

  withVeth("does not take an IPv6 address mode", () =>
    refused("link add made addrgenmode none type bridge", "Address family not supported"),
  );

  withVeth("leaves the kernel's own choice of indexes low", async () => {
    await ip("link add high index 2147483647 type bridge");
    await ip("link add low type bridge");
    expect((await link("low"))?.ifindex).toBeLessThan(1_000_000);
  });

  withVeth("says the same of a taken name, alt name and index", async () => {
    await ip("link add first index 1300001 type bridge");
    await ip("link property add dev first altname alternative");
    for (const settings of ["first", "alternative", "second index 1300001"])
      await refused(`link add ${settings} type bridge`, "File exists");
  });

  withMacvtap("that fails after the device was there has removed it again", async () => {
    await refused("link add link enp0 name made master br0 type macvtap", "resource busy");
    expect(await link("made")).toBeUndefined();
  });

  withMacvtap("does not say why it refuses a MAC or an MTU", async () => {
    const macvtap = (settings: string): string => `link add link enp0 ${settings} type macvtap`;
    await refused(macvtap("address 01:00:00:00:00:01"), "Cannot assign requested address");
    await refused(macvtap("mtu 1501"), "Invalid argument");
  });

  needs("tun")("makes no tap", () =>
    refused("link add made type tun", "tun/tap creation via rtnetlink is not supported"),
  );

  withVeth("gives a MAC that stays only where one was given", async () => {
    const origin = (name: string): string =>
      readFileSync(`/sys/class/net/${name}/addr_assign_type`, "utf8").trim();
    await ip("link add given address 02:00:00:00:00:01 type veth peer name chosen");
    expect([origin("given"), origin("chosen")]).toEqual(["3", "1"]);
  });
});

describe("a link", () => {
  withVeth("has room for an alias of 255 bytes and an alt name of 127", async () => {
    await ip("link set wire0 alias", "a".repeat(255));
    await ip("link property add dev wire0 altname", "n".repeat(127));
    expect(await link("wire0")).toMatchObject({
      ifalias: "a".repeat(255),
      altnames: ["n".repeat(127)],
    });
    await ip("link property del dev wire0 altname", "n".repeat(127));
    await ip("link set wire0 alias", "");
    await refused(`link property add dev wire0 altname ${"n".repeat(128)}`, "policy validation");
  });

  withVeth("does not move to where its alt name is taken", async () => {
    await using elsewhere = await otherNamespace();
    for (const name of ["first", "second"]) {
      await ip(`link add ${name} type veth peer name ${name}-far`);
      await ip(`link property add dev ${name} altname same`);
      if (name === "first") await ip(`link set first netns ${elsewhere.pid}`);
    }
    await refused(`link set second netns ${elsewhere.pid}`, "exists");
  });

  withVeth("goes with its group, whatever its kind", async () => {
    await ip("link add one group 77 type bridge");
    await ip("link add two group 77 type veth peer name two-far");
    await ip("link del group 77");
    for (const name of ["one", "two", "two-far"]) expect(await link(name)).toBeUndefined();
  });

  needs("veth", "proc-sys")("has its IPv6 opened again by a small MTU, and by a move", async () => {
    await using elsewhere = await otherNamespace();
    await ip("link add end0 type veth peer name end1");
    const disableIPv6 = "/proc/sys/net/ipv6/conf/end0/disable_ipv6";
    writeFileSync(disableIPv6, "1");
    await ip("link set end0 mtu 1000");
    expect(existsSync(disableIPv6)).toBe(false);
    await ip("link set end0 mtu 1500");
    expect(readFileSync(disableIPv6, "utf8")).toBe("0\n");
    writeFileSync(disableIPv6, "1");
    await ip(`link set end0 netns ${elsewhere.pid}`);
    expect(await elsewhere.run("cat", disableIPv6)).toBe("0\n");
  });
});

/** The links of another namespace. */
async function linksOf({ run }: OtherNamespace): Promise<IpLink[]> {
  return JSON.parse(await run("ip", "-json", "-details", "link"));
}

describe("a link that moves to another namespace", () => {
  withVeth("keeps its index, and takes another in silence where it is taken", async () => {
    await using elsewhere = await otherNamespace();
    await ip("link add free0 index 1300000 type veth peer name free1");
    await ip("link add taken0 index 1300001 type veth peer name taken1");
    await elsewhere.run("ip", "link", "add", "mine0", "index", "1300001", "type", "bridge");
    for (const name of ["free0", "taken0"]) await ip(`link set ${name} netns ${elsewhere.pid}`);
    const moved = (await linksOf(elsewhere)).filter(({ ifname }) => /0$/.test(ifname));
    const indexes = new Map(moved.map(({ ifname, ifindex }) => [ifname, ifindex]));
    expect(indexes.get("free0")).toBe(1_300_000);
    expect(indexes.get("taken0")).toBeLessThan(1_000_000);
  });

  withVeth("goes out of its bridge, down, and without addresses", async () => {
    await using elsewhere = await otherNamespace();
    await ip("link add end0 type veth peer name end1");
    await ip("link set end0 up master br0");
    await ip("address add 192.0.2.1/24 dev end0");
    await ip(`link set end0 netns ${elsewhere.pid}`);
    const there = (await linksOf(elsewhere)).find(({ ifname }) => ifname === "end0");
    expect(there).not.toHaveProperty("master");
    expect(there?.flags).not.toContain("UP");
    expect(await elsewhere.run("ip", "-brief", "address", "show", "dev", "end0")).not.toContain(
      "192",
    );
  });

  withTap("gets a ring of packets for each of its queues", async () => {
    await using elsewhere = await otherNamespace();
    await ip("tuntap add dev many0 mode tap multi_queue");
    await execute("tc", ..."qdisc replace dev many0 root noqueue".split(" "));
    await ip(`link set many0 netns ${elsewhere.pid}`);
    await elsewhere.run("ip", "link", "set", "many0", "up");
    const there = (await linksOf(elsewhere)).find(({ ifname }) => ifname === "many0");
    expect(there?.qdisc).toBe("mq");
  });

  withVeth("is no bridge, and not lo", async () => {
    await using elsewhere = await otherNamespace();
    for (const name of ["br0", "lo"]) await refused(`link set ${name} netns ${elsewhere.pid}`, "");
    expect(await link("br0")).toBeDefined();
  });
});

describe("another namespace", () => {
  needs("root", "veth")("does not show in the sysfs that was mounted before", async () => {
    await using elsewhere = await otherNamespace();
    const shown = (await elsewhere.run("ls", "/sys/class/net")).trim().split("\n");
    expect(shown).toContain("enp0");
    expect((await linksOf(elsewhere)).map(({ ifname }) => ifname)).toEqual(["lo"]);
  });
});

describe("a bridge", () => {
  withVeth("without ports has no MAC, unless one was set by hand", async () => {
    await ip("link add floating type bridge");
    await ip("link add fixed address 02:00:00:00:00:01 type bridge");
    await ip("link add end0 type veth peer name end1");
    for (const name of ["floating", "fixed"]) {
      await ip(`link set end0 master ${name}`);
      await ip("link set end0 nomaster");
    }
    expect((await link("floating"))?.address).toBe("00:00:00:00:00:00");
    expect((await link("fixed"))?.address).toBe("02:00:00:00:00:01");
  });

  withMacvtap("can be a macvtap's parent, but no macvtap its port", async () => {
    await ip("link add link br0 name above type macvtap");
    expect((await link("above"))?.link).toBe("br0");
    await ip("link add link enp0 name beside type macvtap");
    await refused("link set beside master br0", "Device or resource busy");
  });

  withTap(
    "takes frames for the MAC of a port for its own, so a tap has not its guest's",
    async () => {
      const bridge = await createBridge();
      const guest = "02:00:00:00:00:02";
      await using from = await createTap({ bridge, persist: false });
      await using to = await createTap({ bridge, persist: false, mac: guest });
      const [sender = -1, receiver = -1] = [from, to].map(({ queues }) => queues[0]?.fd);
      send(receiver, { to: everybody, from: guest, text: "here I am" });
      expect(await receiveUntil(sender, "here I am")).toEqual(["here I am"]);
      send(sender, { to: guest, from: "02:00:00:00:00:01", text: "unicast" });
      send(sender, { to: everybody, from: "02:00:00:00:00:01", text: "broadcast" });
      expect(await receiveUntil(receiver, "broadcast")).toEqual(["broadcast"]);
    },
  );
});

describe("a tap", () => {
  needs("tun")(
    "is attached to by its name, whoever made it, if the flags are the same",
    async () => {
      await ip("tuntap add dev theirs mode tap multi_queue");
      // What ip does to remove a tap: it attaches to it, and takes its persistence away.
      await refused("tuntap del dev theirs mode tap", "Invalid argument");
      expect(await link("theirs")).toBeDefined();
      await ip("tuntap del dev theirs mode tap multi_queue");
      expect(await link("theirs")).toBeUndefined();
    },
  );

  withTap("with a queue length of 0 loses every frame", async () => {
    const bridge = await createBridge();
    await using from = await createTap({ bridge, persist: false });
    const to = await createTap({ bridge });
    await ip(`link set ${to.name} txqueuelen 0`);
    await using queue = await openTap(to);
    const fd = from.queues[0]?.fd ?? -1;
    send(fd, { to: everybody, from: "02:00:00:00:00:01", text: "lost" });
    await ip(`link set ${to.name} txqueuelen 1000`);
    send(fd, { to: everybody, from: "02:00:00:00:00:01", text: "found" });
    expect(await receiveUntil(queue.fd, "found")).toEqual(["found"]);
  });

  needs("tun")("with many queues gets a discipline for each, and keeps their number", async () => {
    await ip("tuntap add dev many mode tap multi_queue");
    await ip("link set many up");
    const [root, each] = await qdiscs("many");
    expect(root).toBe("mq");
    // As the kernel was built, or its sysctl says.
    expect(["pfifo_fast", "fq_codel"]).toContain(each);
    await ip("link set many numtxqueues 4");
    expect((await link("many"))?.num_tx_queues).toBe(256);
  });
});

describe("macvtaps on one parent", () => {
  withMacvtap("may have the same MAC until they are up", async () => {
    const add = "address 02:00:00:00:00:01 type macvtap mode bridge";
    await ip(`link add link enp0 name one ${add}`);
    await ip("link set one up");
    await ip(`link add link enp0 name other ${add}`);
    await refused("link set other up", "Address already in use");
  });

  withMacvtap("go with it", async () => {
    await ip("link add end0 type veth peer name end1");
    await ip("link add link end0 name one type macvtap");
    await ip("link del end0");
    expect(await link("one")).toBeUndefined();
  });

  for (const mode of ["private", "vepa"] satisfies MacvtapMode[]) {
    withQueues(`do not reach each other in mode ${mode}`, async () => {
      const options = { parent: "enp0", mode } as const;
      const [one, other] = [await createMacvtap(options), await createMacvtap(options)];
      const outside = await createMacvtap({ parent: "wire0" });
      await using from = await openMacvtap(one);
      await using to = await openMacvtap(other);
      await using wire = await openMacvtap(outside);
      const frame = { to: everybody, from: one.mac ?? "", text: "to my neighbour" };
      send(from.fd, frame, macvtapHeader);
      expect(await receiveUntil(wire.fd, frame.text, macvtapHeader)).toEqual([frame.text]);
      const answer = { to: everybody, from: outside.mac ?? "", text: "from outside" };
      send(wire.fd, answer, macvtapHeader);
      expect(await receiveUntil(to.fd, answer.text, macvtapHeader)).toEqual([answer.text]);
    });
  }

  withQueues("spread what comes for a guest over all its open queues", async () => {
    const [one, other] = [
      await createMacvtap({ parent: "enp0" }),
      await createMacvtap({ parent: "enp0" }),
    ];
    await using from = await openMacvtap(one);
    await using first = await openMacvtap(other);
    await using second = await openMacvtap(other, { additionalQueue: true });
    const total = 64;
    const addresses = { to: other.mac ?? "", from: one.mac ?? "" };
    for (let port = 1; port <= total; port++)
      sendPayload(from.fd, addresses, ipv4, datagram(port), macvtapHeader);
    const counts = await countFrames([first.fd, second.fd], total, ipv4, macvtapHeader);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  withQueues("that are gone take what is written to them, and give nothing", async () => {
    const { name } = await createMacvtap({ parent: "enp0" });
    await using queue = await openMacvtap(name);
    await ip(`link del ${name}`);
    const frame = Buffer.alloc(macvtapHeader + 60);
    expect(writeSync(queue.fd, frame)).toBe(frame.length);
    expect(() => readSync(queue.fd, frame)).toThrow("EAGAIN");
  });
});
