/** Links that go to the namespace of another handle, and what stays of them. */
import { stat } from "node:fs/promises";
import { beforeEach, describe, expect } from "vitest";
import { NetworkNamespace } from "../../src/index.js";
import { missing, needs } from "../setup/capabilities.js";
import { macvtapHeader, receiveUntil, send } from "../setup/frames.js";
import { addParent, ip, link, linkNames, settled } from "../setup/iproute2.js";
import { type OtherNamespace, otherNamespace } from "../setup/other-namespace.js";
import { withReadOnlyProcSys } from "../setup/read-only-proc-sys.js";
import { refusal } from "../setup/refusal.js";

const test = needs("root", "veth", "macvtap", "tun", "proc-sys");

let other: OtherNamespace;
let blue: NetworkNamespace;
let here: NetworkNamespace;

beforeEach(async () => {
  other = await otherNamespace();
  blue = await NetworkNamespace.open({ pid: other.pid });
  here = NetworkNamespace.current();
  const before = await linkNames();
  return async () => {
    await Promise.all([blue.close(), here.close()]);
    await other[Symbol.asyncDispose]();
    for (const name of await linkNames())
      if (!before.includes(name)) await ip("link del", name).catch(() => {});
  };
});

async function there(name: string): Promise<Record<string, unknown> | undefined> {
  const links = JSON.parse(await other.run("ip", "-json", "-details", "link"));
  return links.find(({ ifname }: { ifname: string }) => ifname === name);
}

const disableIpv6 = (name: string): Promise<string> =>
  other.run("cat", `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`);

describe("a moved link", () => {
  test("is there with its marks, up, closed, at its index, and gone here", async () => {
    const tap = await here.createTap({ name: "tap0", tag: { microvm: "vm1" } });
    const moved = await here.moveLink(tap, blue);
    const { namespace } = await blue.getLink("lo");
    expect(moved).toMatchObject({ ...tap, namespace, carrierChanges: expect.any(Number) });
    expect(await there("tap0")).toMatchObject({
      ifindex: tap.index,
      address: tap.mac,
      altnames: [tap.identity],
      ifalias: tap.alias,
      flags: expect.arrayContaining(["UP"]),
    });
    expect(await disableIpv6("tap0")).toBe("1\n");
    expect(await link("tap0")).toBeUndefined();
    expect(await refusal(here.getLink(tap))).toMatchObject({ code: "ENODEV" });
    expect(await refusal(here.deleteLink(moved))).toMatchObject({ reason: "other-namespace" });
    await blue.deleteLink(moved);
  });

  test("keeps its host's IPv6 as it was, and stays down if it was", async () => {
    const reduced = await here.createTap({ name: "tap0", hostIPv6: "reduced" });
    const open = await here.createTap({ name: "tap1", hostIPv6: "open", up: false });
    expect(await here.moveLink(reduced, blue)).toMatchObject({ ipv6: { state: "reduced" } });
    expect(await here.moveLink(open, blue)).toMatchObject({ ipv6: { state: "open" }, up: false });
    expect(await there("tap0")).toMatchObject({ inet6_addr_gen_mode: "none" });
    expect((await there("tap1"))?.flags).not.toContain("UP");
  });

  test("takes the name that is asked for", async () => {
    await other.run("ip", "link", "add", "tap0", "type", "bridge");
    const tap = await here.createTap({ name: "tap0" });
    const moved = await here.moveLink(tap, blue, { name: "eth7" });
    expect(moved).toMatchObject({ name: "eth7", index: tap.index, identity: tap.identity });
    expect(await there("eth7")).toMatchObject({ flags: expect.arrayContaining(["UP"]) });
    expect(await disableIpv6("eth7")).toBe("1\n");
    // Where it is already, that is all that is left to do.
    const up = missing("live-rename") === undefined;
    if (!up) {
      const error = await refusal(blue.moveLink(moved, blue, { name: "eth8" }));
      expect(error).toMatchObject({ code: "EBUSY", reason: "link-is-up" });
      expect(await there("eth7")).toMatchObject({ flags: expect.arrayContaining(["UP"]) });
      await blue.setLink(moved, { up });
    }
    const renamed = await blue.moveLink(moved, blue, { name: "eth8" });
    expect(renamed).toMatchObject({ name: "eth8", up, ipv6: { state: "closed" } });
    expect(await blue.moveLink(renamed, here, { name: "tap0" })).toMatchObject({ name: "tap0" });
    expect(await link("tap0")).toMatchObject({ ifindex: tap.index, altnames: [tap.identity] });
    await here.deleteLink(tap);
  });

  test("has no more rings of packets than before, with many queues", async () => {
    const tap = await here.createTap({ name: "tap0", multiQueue: true });
    expect(await here.moveLink(tap, blue)).toMatchObject({ qdisc: "noqueue", up: true });
  });

  test("is told from another that took its name and index since", async () => {
    const tap = await here.createTap({ name: "tap0" });
    await ip("link del tap0");
    await ip(`link add tap0 index ${tap.index} type veth peer name tap1`);
    expect(await refusal(here.moveLink(tap, blue))).toMatchObject({ reason: "no-such-link" });
    expect(await link("tap0")).toBeDefined();
  });

  test("comes back by the handle it went to", async () => {
    const [veth] = await here.createVeth({ name: "a0", peer: { name: "b0" }, hostIPv6: "closed" });
    const moved = await here.moveLink(veth, blue);
    expect(await blue.moveLink(moved, here)).toMatchObject({ index: veth.index, up: true });
    expect(await there("a0")).toBeUndefined();
    expect(await link("a0")).toMatchObject({ ifindex: veth.index });
    await here.deleteLink(veth);
  });

  needs(
    "root",
    "veth",
    "macvtap",
    "macvtap-queue",
    "proc-sys",
  )("keeps the queue of a guest that runs", async () => {
    await addParent();
    const [guest, neighbour] = [
      await here.createMacvtap({ parent: "enp0" }),
      await here.createMacvtap({ parent: "enp0" }),
    ];
    await using queue = await here.openMacvtap(guest);
    await using other = await here.openMacvtap(neighbour);
    const moved = await here.moveLink(guest, blue);
    expect(moved.index).toBe(guest.index);
    const [from, to] = [guest.mac as string, neighbour.mac as string];
    send(queue.fd, { from, to, text: "still here" }, macvtapHeader);
    expect(await receiveUntil(other.fd, "still here", macvtapHeader)).toEqual(["still here"]);
  });

  needs(
    "root",
    "veth",
    "macvtap",
    "tap-node",
    "proc-sys",
  )("is not opened a second time, also when its device number changes", async () => {
    await addParent();
    const device = async (fd: number) => (await stat(`/proc/self/fd/${fd}`)).rdev;
    // Which numbers are free is everybody's on this machine to change.
    for (let same = true; same; ) {
      const first = await here.createMacvtap({ parent: "enp0" });
      const guest = await here.createMacvtap({ parent: "enp0" });
      const queue = await here.openMacvtap(guest);
      const before = await device(queue.fd);
      // Sets the lower device number free.
      await here.deleteLink(first);
      const moved = await here.moveLink(guest, blue);
      expect(await refusal(blue.openMacvtap(moved))).toMatchObject({
        reason: "queue-already-open",
      });
      await queue.close();
      await using again = await blue.openMacvtap(moved);
      same = (await device(again.fd)) === before;
    }
  });

  test("can go while another comes, called in one tick", async () => {
    const mine = await here.createTap({ name: "mine0" });
    const theirs = await blue.createTap({ name: "theirs0" });
    const [gone, come] = await Promise.all([
      here.moveLink(mine, blue),
      blue.moveLink(theirs, here),
    ]);
    expect([gone.name, come.name]).toEqual(["mine0", "theirs0"]);
    expect(await there("mine0")).toBeDefined();
    expect(await link("theirs0")).toBeDefined();
    await here.deleteLink(come);
  });

  test("keeps calls in their order", async () => {
    const tap = await here.createTap({ name: "tap0" });
    const moving = here.moveLink(tap, blue);
    await expect(here.getLink("tap0")).rejects.toMatchObject({ reason: "no-such-link" });
    await moving;
  });
});

describe("a link that may not go stays as it is", () => {
  test("where its name, or an alt name, is taken there", async () => {
    await other.run("ip", "link", "add", "tap0", "type", "bridge");
    const tap = await here.createTap({ name: "tap0" });
    const before = await link("tap0");
    expect(await refusal(here.moveLink(tap, blue))).toMatchObject({
      reason: "name-taken",
      code: "EEXIST",
      operation: "moveLink",
    });
    await other.run("ip", "link", "set", "tap0", "name", "free0");
    await other.run("ip", "link", "property", "add", "dev", "free0", "altname", "guest-7");
    await ip("link property add dev tap0 altname guest-7");
    expect(await refusal(here.moveLink(tap, blue))).toMatchObject({ reason: "alt-name-taken" });
    await ip("link property del dev tap0 altname guest-7");
    expect(await link("tap0")).toEqual(before);
    await here.deleteLink(tap);
  });

  test("where the name that it is to take is taken there", async () => {
    await other.run("ip", "link", "add", "eth7", "type", "bridge");
    const tap = await here.createTap({ name: "tap0" });
    const before = await link("tap0");
    const error = await refusal(here.moveLink(tap, blue, { name: "eth7" }));
    expect(error).toMatchObject({ reason: "name-taken", code: "EEXIST" });
    expect(error.leftBehind).toBeUndefined();
    expect(await link("tap0")).toEqual(before);
    await here.deleteLink(tap);
  });

  test("where its index is taken there, if flintap made it", async () => {
    const index = 1_234_567;
    await other.run("ip", "link", "add", "br7", "index", `${index}`, "type", "bridge");
    const tap = await here.createTap({ name: "tap0", index });
    const before = await link("tap0");
    expect(await refusal(here.moveLink(tap, blue))).toMatchObject({
      reason: "index-taken",
      code: "EEXIST",
    });
    expect(await link("tap0")).toEqual(before);
    await here.deleteLink(tap);
    await ip(`link add strange0 index ${index} type veth peer name strange1`);
    const strange = await here.moveLink("strange0", blue, { force: true });
    expect(strange.index).not.toBe(index);
    expect(await there("strange0")).toMatchObject({ ifindex: strange.index });
  });

  test("where it could not be closed again", async () => {
    const tap = await here.createTap({ name: "tap0" });
    await settled("tap0");
    const before = await link("tap0");
    await withReadOnlyProcSys(async () => {
      expect(await refusal(here.moveLink(tap, blue))).toMatchObject({
        code: "EROFS",
        reason: "proc-sys-read-only",
      });
    });
    expect(await link("tap0")).toEqual(before);
    const byDefault = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
    await other.run("sh", "-c", `echo 1 >${byDefault}`);
    await withReadOnlyProcSys(async () => {
      expect(await here.moveLink(tap, blue)).toMatchObject({ ipv6: { state: "closed" } });
    });
  });

  test("as a port, as somebody else's, as a link that the kernel ties down", async () => {
    const bridge = await here.createBridge({ name: "br0" });
    const port = await here.createTap({ bridge });
    expect(await refusal(here.moveLink(port, blue))).toMatchObject({ reason: "other-master" });
    expect(await refusal(here.moveLink(bridge, blue))).toMatchObject({ reason: "cannot-move" });
    await ip("link add strange0 type veth peer name strange1");
    expect(await refusal(here.moveLink("strange0", blue))).toMatchObject({ reason: "not-ours" });
    expect(await refusal(here.moveLink("lo", blue))).toMatchObject({ reason: "physical-link" });
    expect(await refusal(here.moveLink("lo", blue, { force: true }))).toMatchObject({
      reason: "cannot-move",
    });
    expect(await here.moveLink("strange0", blue, { force: true })).toMatchObject({ up: false });
    expect(await there("strange0")).toBeDefined();
    await ip("link del strange1");
    await here.deleteLink(port);
    await here.deleteLink(bridge);
  });

  test("when the other handle is closed", async () => {
    const tap = await here.createTap({ name: "tap0" });
    await blue.close();
    expect(await refusal(here.moveLink(tap, blue))).toMatchObject({ reason: "closed" });
    expect(await link("tap0")).toBeDefined();
    await here.deleteLink(tap);
  });

  test("in its own namespace: nothing happens", async () => {
    const tap = await here.createTap({ name: "tap0" });
    await using again = NetworkNamespace.current();
    expect(await here.moveLink(tap, again)).toMatchObject({ name: "tap0", index: tap.index });
    await here.deleteLink(tap);
  });
});
