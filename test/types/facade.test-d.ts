import { expectTypeOf, test } from "vitest";
import {
  attachToBridge,
  type BridgeDetails,
  createMacvtap,
  createTap,
  createVeth,
  type DeviceQueue,
  type deleteLink,
  deleteLinks,
  type EphemeralTap,
  type FlintapError,
  type Link,
  type LinkEvent,
  type LinkReference,
  type LinkWatch,
  listLinks,
  type MacvtapLink,
  type MacvtapMode,
  moveLink,
  type NamespaceTarget,
  NetworkNamespace,
  type Reason,
  setLink,
  type TapLink,
  type VethLink,
  type watchLinks,
} from "../../src/index.js";

test("a link is narrowed by its kind", () => {
  const narrow = (link: Link): void => {
    if (link.kind === "macvtap") expectTypeOf(link.details.mode).toEqualTypeOf<MacvtapMode>();
    if (link.kind === "bridge") expectTypeOf(link.details).toEqualTypeOf<BridgeDetails>();
    if (link.kind === "tun") expectTypeOf(link.details.type).toEqualTypeOf<"tap" | "tun">();
    if (link.kind === "") expectTypeOf(link).not.toHaveProperty("details");
  };
  expectTypeOf(narrow).toBeFunction();
});

test("createTap gives queues for persist: false, and only then", () => {
  expectTypeOf(createTap({ persist: false })).resolves.toEqualTypeOf<EphemeralTap>();
  expectTypeOf<EphemeralTap["queues"]>().toEqualTypeOf<DeviceQueue[]>();
  expectTypeOf(createTap()).resolves.toEqualTypeOf<TapLink>();
  expectTypeOf(createTap({ bridge: "br0" })).resolves.toEqualTypeOf<TapLink>();
  expectTypeOf(createTap({ persist: true })).resolves.toEqualTypeOf<TapLink>();
  const persist: boolean = Math.random() < 0.5;
  expectTypeOf(createTap({ persist })).resolves.toEqualTypeOf<TapLink | EphemeralTap>();
});

test("createTap gives queues for a VMM that takes descriptors, unless the tap is to stay", () => {
  expectTypeOf(createTap({ for: "qemu" })).resolves.toEqualTypeOf<EphemeralTap>();
  expectTypeOf(
    createTap({ for: "cloud-hypervisor", queues: 2 }),
  ).resolves.toEqualTypeOf<EphemeralTap>();
  expectTypeOf(createTap({ for: "qemu", persist: true })).resolves.toEqualTypeOf<TapLink>();
  expectTypeOf(createTap({ for: "firecracker" })).resolves.toEqualTypeOf<TapLink>();
  // @ts-expect-error there is no such VMM
  void createTap({ for: "bhyve" });
});

test("createMacvtap is for no VMM that opens none", () => {
  void createMacvtap({ parent: "enp0", for: "firecracker-macvtap" });
  // @ts-expect-error released Firecracker has no macvtap
  void createMacvtap({ parent: "enp0", for: "firecracker" });
});

test("the functions have the types of a handle's methods", () => {
  expectTypeOf<typeof createTap>().toEqualTypeOf<NetworkNamespace["createTap"]>();
  expectTypeOf<typeof createMacvtap>().toEqualTypeOf<NetworkNamespace["createMacvtap"]>();
  expectTypeOf<typeof createVeth>().toEqualTypeOf<NetworkNamespace["createVeth"]>();
  expectTypeOf<typeof attachToBridge>().toEqualTypeOf<NetworkNamespace["attachToBridge"]>();
  expectTypeOf<typeof deleteLink>().toEqualTypeOf<NetworkNamespace["deleteLink"]>();
  expectTypeOf<typeof deleteLinks>().toEqualTypeOf<NetworkNamespace["deleteLinks"]>();
  expectTypeOf<typeof setLink>().toEqualTypeOf<NetworkNamespace["setLink"]>();
  expectTypeOf<typeof listLinks>().toEqualTypeOf<NetworkNamespace["listLinks"]>();
});

test("port settings need a bridge", () => {
  expectTypeOf(createTap({ bridge: "br0", isolated: true })).resolves.toEqualTypeOf<TapLink>();
  // @ts-expect-error there is no port without a bridge
  void createTap({ isolated: true });
  const bridge: string | undefined = Math.random() < 0.5 ? "br0" : undefined;
  // @ts-expect-error the bridge may be missing
  void createTap({ bridge, hairpin: true });
});

test("an option that does not exist is an error", () => {
  // @ts-expect-error misspelt
  void createTap({ brigde: "br0" });
  // @ts-expect-error misspelt
  void attachToBridge("t0", "br0", { isolate: true });
  // @ts-expect-error a macvtap is no bridge port
  void createMacvtap({ parent: "enp0", isolated: true });
});

test("setLink takes only what can be changed", () => {
  expectTypeOf(setLink("t0", { mtu: 1_400, hostIPv6: "closed" })).resolves.toEqualTypeOf<Link>();
  // @ts-expect-error misspelt
  void setLink("t0", { promiscous: true });
  // @ts-expect-error for attachToBridge
  void setLink("t0", { master: "br0" });
  // @ts-expect-error no changes
  void setLink("t0");
});

test("an outcome of deleteLinks has an error unless the link was deleted", async () => {
  const links: readonly Link[] = [];
  const [outcome] = await deleteLinks(links);
  if (outcome?.deleted === false) expectTypeOf(outcome.error).toEqualTypeOf<unknown>();
  // @ts-expect-error none where it was deleted
  if (outcome?.deleted === true) void outcome.error;
  expectTypeOf(outcome?.link).toEqualTypeOf<LinkReference | undefined>();
});

test("createMacvtap needs a parent and takes only the modes there are", () => {
  expectTypeOf(createMacvtap({ parent: 2, mode: "vepa" })).resolves.toEqualTypeOf<MacvtapLink>();
  // @ts-expect-error no parent
  void createMacvtap({});
  // @ts-expect-error no such mode
  void createMacvtap({ parent: "enp0", mode: "brigde" });
});

test("a held link names a link, a tap with queues too", () => {
  expectTypeOf<MacvtapLink>().toExtend<Parameters<typeof deleteLink>[0]>();
  expectTypeOf<EphemeralTap>().toExtend<Parameters<typeof attachToBridge>[0]>();
  expectTypeOf(createVeth()).resolves.toEqualTypeOf<[VethLink, VethLink]>();
});

test("listLinks of one kind gives links of that kind", () => {
  expectTypeOf(listLinks({ kind: "macvtap" })).resolves.toEqualTypeOf<MacvtapLink[]>();
  expectTypeOf(listLinks({ kind: "vxlan" })).resolves.toEqualTypeOf<Link[]>();
  expectTypeOf(listLinks({ master: "br0" })).resolves.toEqualTypeOf<Link[]>();
});

test("what has to be closed is disposable", () => {
  expectTypeOf<DeviceQueue>().toExtend<Disposable & AsyncDisposable>();
  expectTypeOf<EphemeralTap>().toExtend<Disposable & AsyncDisposable>();
  expectTypeOf<NetworkNamespace>().toExtend<AsyncDisposable>();
});

test("a namespace is opened by a path, a process or a descriptor", () => {
  expectTypeOf(NetworkNamespace.open("/run/netns/blue")).resolves.toEqualTypeOf<NetworkNamespace>();
  expectTypeOf<{ pid: number }>().toExtend<NamespaceTarget>();
  expectTypeOf<{ fd: number }>().toExtend<NamespaceTarget>();
  // @ts-expect-error a number could be either
  void NetworkNamespace.open(17);
});

test("a link moves to a handle, and is a link there", () => {
  expectTypeOf<typeof moveLink>().toEqualTypeOf<NetworkNamespace["moveLink"]>();
  expectTypeOf<typeof moveLink>().returns.resolves.toEqualTypeOf<Link>();
  expectTypeOf<Link["namespace"]>().toEqualTypeOf<number | undefined>();
  // @ts-expect-error a path is no handle
  void moveLink("t0", "/run/netns/blue");
});

test("what a watch tells is narrowed by its type", () => {
  expectTypeOf<typeof watchLinks>().toEqualTypeOf<NetworkNamespace["watchLinks"]>();
  expectTypeOf<LinkWatch>().toExtend<AsyncIterableIterator<LinkEvent> & AsyncDisposable>();
  const narrow = (event: LinkEvent): void => {
    expectTypeOf(event.link).toEqualTypeOf<Link>();
    if (event.type === "added") expectTypeOf(event.initial).toEqualTypeOf<boolean>();
    if (event.type === "changed") {
      expectTypeOf(event.previous).toEqualTypeOf<Link>();
      expectTypeOf<"details" | "master">().toExtend<(typeof event.changes)[number]>();
      expectTypeOf<"statistics">().not.toExtend<(typeof event.changes)[number]>();
    }
    if (event.type === "removed") expectTypeOf(event).not.toHaveProperty("previous");
  };
  expectTypeOf(narrow).toBeFunction();
  // @ts-expect-error counters are no news
  void watchLinks({ statistics: true });
});

test("an error's reason is one of those there are", () => {
  expectTypeOf<FlintapError["reason"]>().toEqualTypeOf<Reason>();
  expectTypeOf<"duplicate-mac">().toExtend<Reason>();
  expectTypeOf<"no-such-reason">().not.toExtend<Reason>();
});
