/**
 * The operations that are put under faults: what each is called with, and what must be there when
 * it succeeded. Everything else is to be as it was before.
 */
import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import { DeviceQueue, type EphemeralTap, type Link, NetworkNamespace } from "../../src/index.js";
import type { Capability } from "../setup/capabilities.js";
import { ip, link } from "../setup/iproute2.js";
import { elsewhere, emptyElsewhere } from "./elsewhere.js";

/** One operation under faults. */
export interface Subject<Result = unknown> {
  name: string;
  /** The operation's name in an error. */
  operation: string;
  needs: Capability[];
  /** Fewer calls than this cannot be all of its calls. */
  least: number;
  /** Of the calls that fail together with a second one, only every so many: for an operation of many. */
  pairStride?: number;
  /** Puts the namespace into the state from which each run starts. */
  prepare?(steady: NetworkNamespace): Promise<unknown>;
  operate(namespace: NetworkNamespace, signal?: AbortSignal): Promise<Result>;
  /** What it does stays done when its caller gives it up, once it runs. */
  stays?: boolean;
  /** Asserts that what was asked for is there, all of it. */
  complete(result: Result): Promise<void>;
}

/** Lets TypeScript find out what an operation gives. */
function subject<Result>(description: Subject<Result>): Subject<Result> {
  return description;
}

const marked = {
  altnames: [expect.stringMatching(/^flintap-/)],
  ifalias: expect.stringMatching(/^flintap1;flintap;/),
  flags: expect.arrayContaining(["UP"]),
};

/** A link made by flintap has its marks, is up, and is what was asked for. */
async function expectMade(made: Link, wanted: object): Promise<void> {
  expect(await link(made.name)).toMatchObject({ ifindex: made.index, ...marked, ...wanted });
}

async function expectClosed(name: string): Promise<void> {
  const setting = await readFile(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "utf8");
  expect(setting).toBe("1\n");
}

/** A queue is open; closes it. */
export async function expectOpen(queue: DeviceQueue): Promise<void> {
  expect(queue).toBeInstanceOf(DeviceQueue);
  expect(queue.fd).toBeGreaterThan(2);
  await queue.close();
}

/** A port of br1 that is not as the kernel makes one. */
async function makePort(): Promise<void> {
  await ip("link add port0 type veth peer name port1");
  await ip("link set port0 master br1");
  await ip(
    "link set port0 type bridge_slave isolated on hairpin on learning off cost 7 priority 5",
  );
}

/** The same, up, so that it can be seen to go down. */
async function makeUpPort(): Promise<void> {
  await makePort();
  for (const end of ["port0", "port1"]) await ip(`link set ${end} up`);
}

const port = { isolated: true, hairpin: false, learning: true };

const expectAttached = async (bridge: string): Promise<void> => {
  expect(await link("port0")).toMatchObject({
    master: bridge,
    linkinfo: { info_slave_data: port },
  });
};

let stableMac: string | undefined;

/** Every operation of the facade, in the forms that take different ways. */
export const subjects: Subject[] = [
  subject({
    name: "createMacvtap",
    operation: "createMacvtap",
    needs: ["macvtap", "proc-sys"],
    least: 30,
    operate: (namespace, signal) =>
      namespace.createMacvtap({
        parent: "enp0",
        tag: { microvm: "vm1", interface: "eth1" },
        signal,
      }),
    complete: async (made) => {
      // A fault must not cost it what it has of the host: its stable address, its tag's boot id.
      stableMac ??= made.mac;
      await expectMade(made, { link: "enp0", linkinfo: { info_data: { mode: "bridge" } } });
      expect(made).toMatchObject({ mac: stableMac, tag: { bootId: expect.any(String) } });
      await expectClosed(made.name);
    },
  }),
  subject({
    name: "createMacvtap with an index of the caller's",
    operation: "createMacvtap",
    needs: ["macvtap", "proc-sys"],
    least: 28,
    operate: (namespace, signal) =>
      namespace.createMacvtap({ parent: "enp0", index: 4_711, hostIPv6: "reduced", signal }),
    complete: async (made) => {
      await expectMade(made, { ifindex: 4_711, inet6_addr_gen_mode: "none" });
    },
  }),
  subject({
    name: "createTap, persistent",
    operation: "createTap",
    needs: ["tun", "proc-sys"],
    least: 33,
    operate: (namespace, signal) =>
      namespace.createTap({ uid: 1_212, gid: 3_434, mtu: 1_400, signal }),
    complete: async (made) => {
      const details = { type: "tap", persist: true, user: 1212, group: 3434 };
      await expectMade(made, { mtu: 1_400, linkinfo: { info_data: details } });
      await expectClosed(made.name);
    },
  }),
  subject({
    name: "createTap, on a bridge with port settings",
    operation: "createTap",
    needs: ["tun", "bridge", "proc-sys"],
    least: 36,
    operate: (namespace, signal) => namespace.createTap({ bridge: "br0", ...port, signal }),
    complete: async (made) => {
      await expectMade(made, { master: "br0", linkinfo: { info_slave_data: port } });
    },
  }),
  subject({
    name: "createTap, not persistent, with several queues",
    operation: "createTap",
    needs: ["tun", "proc-sys"],
    least: 35,
    operate: (namespace, signal) =>
      namespace.createTap({
        persist: false,
        multiQueue: true,
        queues: 3,
        vnetHeader: true,
        vnetHeaderSize: 12,
        signal,
      }),
    complete: async (made: EphemeralTap) => {
      await expectMade(made, { linkinfo: expect.anything(), qdisc: "noqueue" });
      expect(made.queues).toHaveLength(3);
      await made.close();
      expect(await link(made.name)).toBeUndefined();
    },
  }),
  subject({
    name: "createBridge",
    operation: "createBridge",
    needs: ["bridge", "proc-sys"],
    least: 28,
    operate: (namespace, signal) => namespace.createBridge({ ageingTime: 1_000, signal }),
    complete: async (made) => {
      const details = { forward_delay: 0, stp_state: 0, ageing_time: 1_000 };
      await expectMade(made, { linkinfo: { info_kind: "bridge", info_data: details } });
    },
  }),
  subject({
    name: "createVeth",
    operation: "createVeth",
    needs: ["veth"],
    least: 33,
    operate: (namespace, signal) => namespace.createVeth({ signal }),
    complete: async ([made, peer]) => {
      await expectMade(made, { link: peer.name });
      await expectMade(peer, { link: made.name });
    },
  }),
  subject({
    name: "attachToBridge, from no master",
    operation: "attachToBridge",
    needs: ["veth", "bridge"],
    least: 17,
    prepare: async () => {
      await makePort();
      await ip("link set port0 nomaster");
    },
    operate: (namespace, signal) => namespace.attachToBridge("port0", "br0", { ...port, signal }),
    complete: () => expectAttached("br0"),
  }),
  subject({
    name: "attachToBridge, forced from another master",
    operation: "attachToBridge",
    needs: ["veth", "bridge"],
    least: 17,
    prepare: makePort,
    operate: (namespace, signal) =>
      namespace.attachToBridge("port0", "br0", { ...port, force: true, signal }),
    complete: () => expectAttached("br0"),
  }),
  subject({
    name: "attachToBridge, to the master it has",
    operation: "attachToBridge",
    needs: ["veth", "bridge"],
    least: 17,
    prepare: makePort,
    operate: (namespace, signal) => namespace.attachToBridge("port0", "br1", { ...port, signal }),
    complete: () => expectAttached("br1"),
  }),
  subject({
    name: "detachFromBridge",
    operation: "detachFromBridge",
    needs: ["veth", "bridge"],
    least: 14,
    prepare: makePort,
    operate: (namespace, signal) => namespace.detachFromBridge("port0", { signal }),
    complete: async () => expect((await link("port0"))?.master).toBeUndefined(),
  }),
  subject({
    name: "deleteLink",
    stays: true,
    operation: "deleteLink",
    needs: ["bridge"],
    least: 13,
    prepare: (steady) => steady.createBridge({ name: "victim" }),
    operate: (namespace, signal) => namespace.deleteLink("victim", { signal }),
    complete: async () => expect(await link("victim")).toBeUndefined(),
  }),
  subject({
    name: "openMacvtap, by its node in /dev",
    operation: "openMacvtap",
    needs: ["macvtap", "tap-node"],
    least: 20,
    prepare: (steady) => steady.createMacvtap({ parent: "enp0", name: "guest0" }),
    operate: (namespace, signal) => namespace.openMacvtap("guest0", { signal }),
    complete: expectOpen,
  }),
  subject({
    name: "openTap",
    operation: "openTap",
    needs: ["tun"],
    least: 15,
    prepare: (steady) => steady.createTap({ name: "guest0" }),
    operate: (namespace, signal) => namespace.openTap("guest0", { signal }),
    complete: expectOpen,
  }),
  subject({
    name: "getLink",
    stays: true,
    operation: "getLink",
    needs: [],
    least: 11,
    operate: (namespace, signal) => namespace.getLink("lo", { statistics: true, signal }),
    complete: async (found) => expect(found).toMatchObject({ name: "lo", index: 1 }),
  }),
  subject({
    name: "listLinks, of a bridge",
    stays: true,
    operation: "listLinks",
    needs: ["veth", "bridge"],
    least: 13,
    prepare: makePort,
    operate: (namespace, signal) => namespace.listLinks({ master: "br1", signal }),
    complete: async (found) => expect(found.map(({ name }) => name)).toEqual(["port0"]),
  }),
  subject({
    name: "NetworkNamespace.open",
    operation: "openNamespace",
    needs: ["root"],
    least: 4,
    operate: async (_, signal) => {
      await using opened = await NetworkNamespace.open("/proc/self/ns/net", { signal });
      return opened.owner;
    },
    complete: async (owner) => expect(owner).toBe("flintap"),
  }),
  subject({
    name: "createMacvtap, on a parent in another namespace",
    operation: "createMacvtap",
    needs: ["root", "macvtap", "proc-sys"],
    least: 35,
    operate: (namespace, signal) => namespace.createMacvtap({ parent: elsewhere().parent, signal }),
    complete: async (made) => {
      await expectMade(made, { linkinfo: { info_data: { mode: "bridge" } } });
      await expectClosed(made.name);
    },
  }),
  subject({
    name: "moveLink",
    operation: "moveLink",
    needs: ["root", "tun", "proc-sys"],
    least: 40,
    pairStride: 3,
    prepare: async (steady) => {
      await emptyElsewhere();
      await steady.createTap({ name: "guest0", mtu: 1_400 });
    },
    operate: (namespace, signal) => namespace.moveLink("guest0", elsewhere().handle, { signal }),
    complete: async (moved) => {
      expect(await link("guest0")).toBeUndefined();
      expect(await elsewhere().handle.getLink(moved)).toMatchObject({
        name: "guest0",
        index: moved.index,
        mtu: 1_400,
        up: true,
        ipv6: { state: "closed" },
      });
      await emptyElsewhere();
    },
  }),
  subject({
    name: "watchLinks",
    operation: "watchLinks",
    needs: [],
    least: 15,
    stays: true,
    operate: async (namespace) => {
      await using watch = namespace.watchLinks({ initial: true });
      await watch.ready;
      return await watch.next();
    },
    complete: async ({ value }) => expect(value).toMatchObject({ type: "added", initial: true }),
  }),
  subject({
    name: "setLink, of an MTU with which IPv6 comes back",
    operation: "setLink",
    needs: ["tun", "proc-sys"],
    least: 16,
    prepare: (steady) => steady.createTap({ name: "guest0", mtu: 1_000 }),
    operate: (namespace, signal) => namespace.setLink("guest0", { mtu: 1_500 }, { signal }),
    complete: async () => {
      expect(await link("guest0")).toMatchObject({
        mtu: 1_500,
        flags: expect.arrayContaining(["UP"]),
      });
      await expectClosed("guest0");
    },
  }),
  subject({
    name: "setLink, of the host's IPv6",
    operation: "setLink",
    needs: ["tun", "proc-sys"],
    least: 16,
    prepare: (steady) => steady.createTap({ name: "guest0" }),
    operate: (namespace, signal) =>
      namespace.setLink("guest0", { hostIPv6: "reduced" }, { signal }),
    complete: async () => {
      expect(await link("guest0")).toMatchObject({ inet6_addr_gen_mode: "none" });
    },
  }),
  subject({
    name: "setLink, of all that a link has, with its IPv6, set up",
    operation: "setLink",
    needs: ["tun", "proc-sys"],
    least: 20,
    prepare: async (steady) => {
      await steady.createTap({ name: "guest0", hostIPv6: "closed", up: false });
      await ip("link property add dev guest0 altname old");
    },
    operate: (namespace, signal) =>
      namespace.setLink(
        "guest0",
        {
          name: "renamed0",
          addAltNames: ["guest0", "new"],
          removeAltNames: ["old"],
          alias: "something",
          mac: "02:00:00:00:0a:01",
          mtu: 1_400,
          txQueueLength: 77,
          up: true,
          promiscuous: true,
          hostIPv6: "reduced",
        },
        { force: true, signal },
      ),
    complete: async (changed) => {
      expect(await link("renamed0")).toMatchObject({
        ifindex: changed.index,
        altnames: expect.arrayContaining(["guest0", "new", changed.identity]),
        ifalias: "something",
        address: "02:00:00:00:0a:01",
        mtu: 1_400,
        txqlen: 77,
        inet6_addr_gen_mode: "none",
        flags: expect.arrayContaining(["UP", "PROMISC"]),
      });
      expect((await link("renamed0"))?.altnames).toHaveLength(3);
    },
  }),
  subject({
    name: "setLink, of the name of a link that is not ours",
    operation: "setLink",
    needs: ["veth"],
    least: 14,
    prepare: makePort,
    operate: (namespace, signal) => namespace.setLink("port0", { name: "renamed0" }, { signal }),
    complete: async ({ index }) => expect(await link("renamed0")).toMatchObject({ ifindex: index }),
  }),
  subject({
    name: "setLink, set down",
    operation: "setLink",
    needs: ["veth"],
    least: 14,
    prepare: makeUpPort,
    operate: (namespace, signal) => namespace.setLink("port0", { up: false }, { signal }),
    complete: async () => expect((await link("port0"))?.flags).not.toContain("UP"),
  }),
  subject({
    name: "setLink, of the host's IPv6, opened",
    operation: "setLink",
    needs: ["tun", "proc-sys"],
    least: 18,
    prepare: (steady) => steady.createTap({ name: "guest0" }),
    operate: (namespace, signal) => namespace.setLink("guest0", { hostIPv6: "open" }, { signal }),
    complete: async ({ ipv6 }) => expect(ipv6).toMatchObject({ state: "open" }),
  }),
  subject({
    name: "setLink, of the host's IPv6, closed",
    operation: "setLink",
    needs: ["tun", "proc-sys"],
    least: 18,
    prepare: (steady) => steady.createTap({ name: "guest0", hostIPv6: "reduced" }),
    operate: (namespace, signal) => namespace.setLink("guest0", { hostIPv6: "closed" }, { signal }),
    complete: () => expectClosed("guest0"),
  }),
  subject({
    name: "setLink, of an MTU that leaves no IPv6",
    operation: "setLink",
    needs: ["tun", "proc-sys"],
    least: 14,
    prepare: (steady) => steady.createTap({ name: "guest0" }),
    operate: (namespace, signal) =>
      namespace.setLink("guest0", { mtu: 1_000, txQueueLength: 77 }, { signal }),
    complete: async () => expect(await link("guest0")).toMatchObject({ mtu: 1_000, txqlen: 77 }),
  }),
];
