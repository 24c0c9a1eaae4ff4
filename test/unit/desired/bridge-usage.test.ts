/** How often ports are counted, and what is told in between. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { bridgeUsage, nearlyFullBridges, type Placed } from "../../../src/desired/bridge-usage.js";
import type { Link } from "../../../src/link.js";
import { NetworkNamespace } from "../../../src/network-namespace.js";
import { type FakeAddon, failure, fakeAddon, fakeLink, type Script } from "../fake-addon.js";

const br0 = { bridge: "br0", most: 1_023 };

/** A tap that was just put on br0, as its port with that number. */
function placed(number = 1): Placed {
  const tag = { interface: "eth1" };
  const link = { ...fakeLink({ master: 3, port: { number } }), kind: "tun" } as Link;
  return { device: { kind: "tap", name: "guest1", bridge: "br0", tag }, link };
}

/** A handle on a namespace in which br0 has so many ports. */
function withPorts(ports: () => number, changes: Script = {}) {
  const addon = fakeAddon({
    listLinks: () => ({ links: Array.from({ length: ports() }, () => fakeLink()) }),
    ...changes,
  });
  return { addon, namespace: new NetworkNamespace(addon, "flintap") };
}

const counts = (addon: FakeAddon) =>
  addon.calls.filter(({ operation }) => operation === "listLinks").length;

afterEach(() => vi.restoreAllMocks());

test("bridgeUsage counts the ports of a bridge", async () => {
  const { addon, namespace } = withPorts(() => 12);
  const usage = { ...br0, ports: 12, free: 1_011 };
  expect(await bridgeUsage("br0", { namespace })).toEqual(usage);
  expect(addon.calls.at(-1)).toMatchObject({ request: { master: { index: 3 } } });
  await expect(bridgeUsage(7 as unknown as string, { namespace })).rejects.toBeInstanceOf(
    TypeError,
  );
});

test("bridgeUsage fails in its own name", async () => {
  const getPlace = () => {
    throw failure({ reason: "no-such-bridge", operation: "getPlace", device: "br9" });
  };
  const { namespace } = withPorts(() => 0, { getPlace });
  await expect(bridgeUsage("br9", { namespace })).rejects.toMatchObject({
    reason: "no-such-bridge",
    operation: "bridgeUsage",
  });
});

describe("a bridge on which a tap was made", () => {
  test("is told of when less than a tenth of its ports is free, once", async () => {
    const full = withPorts(() => 921);
    const told = [{ ...br0, ports: 921, free: 102 }];
    expect(await nearlyFullBridges([placed(), placed(2)], full)).toEqual(told);
    const less = withPorts(() => 920);
    expect(await nearlyFullBridges([placed()], less)).toEqual([]);
  });

  test("is counted once in ten seconds, and what is made is added", async () => {
    const now = vi.spyOn(performance, "now").mockReturnValue(1_000);
    const { addon, namespace } = withPorts(() => 930);
    await nearlyFullBridges([placed()], { namespace });
    now.mockReturnValue(11_000);
    expect(await nearlyFullBridges([placed(), placed()], { namespace })).toMatchObject([
      { ports: 932 },
    ]);
    expect(counts(addon)).toBe(1);
    now.mockReturnValue(11_001);
    expect(await nearlyFullBridges([placed()], { namespace })).toMatchObject([{ ports: 930 }]);
    expect(counts(addon)).toBe(2);
  });

  test("is counted anew before it is told that it is getting full", async () => {
    const { addon, namespace } = withPorts(() => 10);
    await nearlyFullBridges([placed()], { namespace });
    const many = Array.from({ length: 900 }, () => placed());
    expect(await nearlyFullBridges(many, { namespace })).toEqual([]);
    expect(counts(addon)).toBe(1);
    expect(await nearlyFullBridges(many, { namespace })).toEqual([]);
    expect(counts(addon)).toBe(2);
  });

  test("is counted once for all who ask at the same time", async () => {
    const { addon, namespace } = withPorts(() => 1_000);
    const all = [1, 2, 3].map(() => nearlyFullBridges([placed()], { namespace }));
    const told = [{ ...br0, ports: 1_000, free: 23 }];
    expect(await Promise.all(all)).toEqual([told, told, told]);
    expect(counts(addon)).toBe(1);
  });

  test("has as many ports as its new port's number says, and never more than it can", async () => {
    const { namespace } = withPorts(() => 5);
    expect(await nearlyFullBridges([placed(922)], { namespace })).toMatchObject([{ ports: 922 }]);
    const full = withPorts(() => 1_023);
    await nearlyFullBridges([placed()], full);
    expect(await nearlyFullBridges([placed()], full)).toEqual([{ ...br0, ports: 1_023, free: 0 }]);
  });

  test("is left out where it cannot be counted, and counted the next time", async () => {
    let isThere = false;
    const { namespace } = withPorts(() => {
      if (!isThere) throw failure({ reason: "no-such-link", operation: "listLinks" });
      return 1_000;
    });
    expect(await nearlyFullBridges([placed()], { namespace })).toEqual([]);
    isThere = true;
    expect(await nearlyFullBridges([placed()], { namespace })).toMatchObject([{ ports: 1_000 }]);
  });
});

test("what is on no bridge asks for nothing", async () => {
  const { addon, namespace } = withPorts(() => 1_000);
  const { device, link } = placed();
  const detached = { device, link: { ...link, master: undefined } };
  expect(await nearlyFullBridges([detached], { namespace })).toEqual([]);
  expect(addon.calls).toEqual([]);
});
