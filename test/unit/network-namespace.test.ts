import { describe, expect, test } from "vitest";
import type { LinkBase } from "../../src/link.js";
import { NetworkNamespace } from "../../src/network-namespace.js";
import { tagPrefix } from "../../src/tag.js";
import { failure, fakeAddon, fakeLink, type Script } from "./fake-addon.js";

function namespaceWith(script: Script = {}) {
  const addon = fakeAddon(script);
  return { addon, namespace: new NetworkNamespace(addon, "flintap") };
}

describe("what a call gives", () => {
  test("is the link, with its tag read", async () => {
    const { namespace } = namespaceWith();
    const nic = await namespace.createMacvtap({ parent: "enp0", tag: { microvm: "ns/vm" } });
    expect(nic).toMatchObject({
      kind: "macvtap",
      tag: { owner: "flintap", microvm: "ns/vm" },
    });
    expect(await namespace.createBridge()).toMatchObject({ kind: "bridge" });
    expect(await namespace.createTap()).not.toHaveProperty("queues");
  });

  test("has no tag where the alias is none", async () => {
    const links = [fakeLink({ alias: "uplink" })];
    const { namespace } = namespaceWith({ getLink: () => ({ links }) });
    expect(await namespace.getLink("eth0")).not.toHaveProperty("tag");
  });

  test("of createVeth is both ends", async () => {
    const { namespace } = namespaceWith();
    const [host, guest] = await namespace.createVeth({ name: "a", peer: { name: "b" } });
    expect([host.name, guest.name]).toEqual(["a", "b"]);
  });

  test("of createTap with persist false has the queues, which close on the native thread", async () => {
    const { addon, namespace } = namespaceWith({
      createTap: () => ({ links: [fakeLink()], fds: [7, 8] }),
    });
    const tap = await namespace.createTap({ persist: false, multiQueue: true, queues: 2 });
    expect(tap.queues.map(({ fd }) => fd)).toEqual([7, 8]);
    await tap.close();
    expect(addon.calls.slice(-2)).toEqual([
      { operation: "closeQueue", request: { fd: 7 } },
      { operation: "closeQueue", request: { fd: 8 } },
    ]);
  });

  test("of openTap and openMacvtap is a queue", async () => {
    const { addon, namespace } = namespaceWith({
      openTap: () => ({ fds: [7] }),
      openMacvtap: () => ({ fds: [8], links: [fakeLink()] }),
    });
    await using tap = await namespace.openTap("t0");
    await using macvtap = await namespace.openMacvtap("m0", { additionalQueue: true });
    expect([tap.fd, macvtap.fd]).toEqual([7, 8]);
    expect(addon.calls[1]).toEqual({
      operation: "openMacvtap",
      request: { link: { name: "m0" }, additionalQueue: true },
    });
  });

  test("of deleteLink is nothing; only the owner's devices go unless it is forced", async () => {
    const { addon, namespace } = namespaceWith();
    expect(await namespace.deleteLink("t0")).toBeUndefined();
    expect(addon.calls).toEqual([
      {
        operation: "deleteLink",
        request: { link: { name: "t0" }, tagPrefix: tagPrefix("flintap"), force: false },
      },
    ]);
  });

  test("of attachToBridge and detachFromBridge is the link", async () => {
    const links = [fakeLink({ name: "t0", master: 3 })];
    const { namespace } = namespaceWith({
      attachToBridge: () => ({ links }),
      detachFromBridge: () => ({ links: [fakeLink({ name: "t0" })] }),
    });
    expect(await namespace.attachToBridge("t0", "br0")).toMatchObject({ master: 3 });
    expect(await namespace.detachFromBridge("t0")).not.toHaveProperty("master");
  });
});

describe("listLinks", () => {
  const links: LinkBase[] = [
    fakeLink({ index: 10, kind: "macvtap", parent: 2, alias: "flintap1;me;t=1" }),
    fakeLink({ index: 11, kind: "macvtap", parent: 3 }),
    fakeLink({ index: 12, kind: "tun", master: 4 }),
    fakeLink({ index: 13, kind: "ifb" }),
  ];
  const list = async (options: Parameters<NetworkNamespace["listLinks"]>[0]) => {
    const { addon, namespace } = namespaceWith({
      listLinks: () => ({ links: structuredClone(links) }),
    });
    const indexes = (await namespace.listLinks(options)).map(({ index }) => index);
    return { addon, indexes };
  };

  test("gives every link, of unknown kinds too", async () => {
    const { addon, indexes } = await list(undefined);
    expect(indexes).toEqual([10, 11, 12, 13]);
    expect(addon.calls).toEqual([
      { operation: "listLinks", request: { statistics: false, unknown: false } },
    ]);
  });

  test("gives those of an owner", async () => {
    expect((await list({ owner: "me" })).indexes).toEqual([10]);
  });

  test("leaves kind, master and parent to the native side", async () => {
    const { addon } = await list({ kind: "macvtap", master: "br0", parent: 3, statistics: true });
    expect(addon.calls).toEqual([
      {
        operation: "listLinks",
        request: {
          kind: "macvtap",
          master: { name: "br0" },
          parent: { index: 3 },
          statistics: true,
          unknown: false,
        },
      },
    ]);
  });

  test("keeps its place among the other calls", async () => {
    const { addon, namespace } = namespaceWith();
    await Promise.all([namespace.listLinks(), namespace.createTap(), namespace.listLinks()]);
    expect(addon.operations()).toEqual(["listLinks", "describeHost", "createTap", "listLinks"]);
  });
});

describe("a wrong argument", () => {
  test("is a rejection, and nothing is sent", async () => {
    const { addon, namespace } = namespaceWith();
    const calls = [
      namespace.createMacvtap(JSON.parse("{}")),
      namespace.createTap(JSON.parse('{"isolated": true}')),
      namespace.createBridge(JSON.parse('{"stp": "off"}')),
      namespace.createVeth({ mtu: 0 }),
      namespace.attachToBridge("t0", ""),
      namespace.detachFromBridge(0),
      namespace.deleteLink("a b"),
      namespace.getLink("a/b"),
      namespace.listLinks(JSON.parse('{"sort": 1}')),
      namespace.openMacvtap("m0", JSON.parse('{"additional": true}')),
      namespace.openTap(-1),
    ];
    const settled = await Promise.allSettled(calls);
    for (const outcome of settled)
      expect(outcome).toMatchObject({
        status: "rejected",
        reason: { code: expect.stringMatching(/^ERR_(INVALID_ARG|OUT_OF_RANGE)/) },
      });
    expect(addon.calls).toEqual([]);
  });
});

describe("an error's stack", () => {
  const script: Script = {
    createTap: () => {
      throw failure({ operation: "createTap", reason: "name-taken", errno: 17 });
    },
  };

  async function provision(namespace: NetworkNamespace): Promise<void> {
    await namespace.createTap({ name: "t0" });
  }

  test("leads to the caller of a call that the kernel refused", async () => {
    const { namespace } = namespaceWith(script);
    const error = await provision(namespace).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "EEXIST", reason: "name-taken" });
    expect(error?.stack).toContain("network-namespace.test.ts");
    expect(error?.stack).toContain("provision");
  });

  test("leads to the caller of a call with a wrong argument", async () => {
    const { namespace } = namespaceWith(script);
    const error = await namespace.createTap({ mtu: 0 }).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ stack: expect.stringContaining("network-namespace.test.ts") });
  });
});

describe("a handle", () => {
  test("closes at the end of its scope, behind what was called", async () => {
    const addon = fakeAddon();
    {
      await using namespace = new NetworkNamespace(addon, "flintap");
      void namespace.createTap();
    }
    expect(addon.operations()).toEqual(["describeHost", "createTap"]);
    expect(addon.handles).toEqual({ opened: 1, closed: 1 });
  });

  test("leaves queues open that can be closed later", async () => {
    const { addon, namespace } = namespaceWith({ openTap: () => ({ fds: [7] }) });
    const queue = await namespace.openTap("t0");
    await namespace.close();
    await queue.close();
    expect(addon.operations()).toEqual(["openTap", "closeQueue"]);
  });

  test("refuses a wrong owner before it looks for the addon", () => {
    expect(() => NetworkNamespace.current({ owner: "" })).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }),
    );
  });
});
