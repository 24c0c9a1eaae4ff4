import { beforeEach, describe, expect, test, vi } from "vitest";
import { NetworkNamespace } from "../../src/network-namespace.js";
import type { NamespaceTarget, OpenNamespaceOptions } from "../../src/options.js";
import { tagPrefix } from "../../src/tag.js";
import { type FakeAddon, failure, fakeAddon, fakeLink, held, type Script } from "./fake-addon.js";

const { loadAddon } = vi.hoisted(() => ({ loadAddon: vi.fn<() => FakeAddon>() }));
vi.mock("../../src/load-addon.js", () => ({ loadAddon }));

beforeEach(() => {
  loadAddon.mockReset();
});

function addonWith(script: Script = {}): FakeAddon {
  const addon = fakeAddon(script);
  loadAddon.mockReturnValue(addon);
  return addon;
}

describe("NetworkNamespace.open", () => {
  const targets: [NamespaceTarget, object][] = [
    ["/run/netns/blue", { path: "/run/netns/blue" }],
    ["./blue", { path: "./blue" }],
    [{ pid: 17 }, { pid: 17 }],
    [{ fd: 0 }, { fd: 0 }],
  ];

  test.each(targets)("takes %j", async (target, request) => {
    const addon = addonWith();
    const namespace = await NetworkNamespace.open(target, { owner: "me" });
    expect(namespace.owner).toBe("me");
    expect(addon.calls).toEqual([{ operation: "NetworkNamespace.open", request }]);
  });

  test.each([
    // A name of ip netns: which folder keeps those, is that program's to know.
    ["blue", {}, "ERR_INVALID_ARG_VALUE", "/run/netns/NAME"],
    ["", {}, "ERR_INVALID_ARG_VALUE", "a path such as"],
    ["/run\0/netns", {}, "ERR_INVALID_ARG_VALUE", "a path such as"],
    [17, {}, "ERR_INVALID_ARG_TYPE", "{ pid } or { fd }"],
    [null, {}, "ERR_INVALID_ARG_TYPE", "{ pid } or { fd }"],
    [{}, {}, "ERR_INVALID_ARG_TYPE", "{ pid } or { fd }"],
    [{ pid: 0 }, {}, "ERR_OUT_OF_RANGE", "option `pid`"],
    [{ fd: -1 }, {}, "ERR_OUT_OF_RANGE", "option `fd`"],
    [{ pid: 17, fd: 3 }, {}, "ERR_INVALID_ARG_VALUE", "the path of a namespace, { pid } or { fd }"],
    ["/run/netns/blue", { owner: "" }, "ERR_INVALID_ARG_VALUE", "`owner`"],
    ["/run/netns/blue", { onwer: "me" }, "ERR_INVALID_ARG_VALUE", "an option that exists"],
  ])("refuses %j with %j before anything is loaded", async (target, options, code, words) => {
    const opening = NetworkNamespace.open(target as never, options as OpenNamespaceOptions);
    await expect(opening).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    expect(loadAddon).not.toHaveBeenCalled();
  });

  test("leaves no handle open that could not be set in", async () => {
    const addon = addonWith({
      "NetworkNamespace.open": () => {
        throw failure({
          operation: "NetworkNamespace.open",
          reason: "no-such-namespace",
          errno: 2,
        });
      },
    });
    await expect(NetworkNamespace.open("/run/netns/blue")).rejects.toMatchObject({
      code: "ENOENT",
      reason: "no-such-namespace",
      hint: expect.stringContaining("/run/netns"),
    });
    expect(addon.handles).toEqual({ opened: 1, closed: 1 });
  });

  test("names the capability that is missing", async () => {
    addonWith({
      "NetworkNamespace.open": () => {
        throw failure({ operation: "NetworkNamespace.open", reason: "no-permission", errno: 1 });
      },
    });
    await expect(NetworkNamespace.open({ pid: 1 })).rejects.toMatchObject({
      hint: expect.stringContaining("CAP_SYS_ADMIN"),
    });
  });
});

describe("moveLink", () => {
  const here = { links: [fakeLink({ name: "t0" })] };

  function two(script: Script = {}) {
    const addons = [
      fakeAddon({ moveLink: () => here, ...script }),
      fakeAddon({ describeHost: () => ({ namespace: 4_711 }) }),
    ] as const;
    const [from, to] = addons.map((addon) => new NetworkNamespace(addon, "flintap"));
    return { addons, from: from as NetworkNamespace, to: to as NetworkNamespace };
  }

  test("asks the target's handle where it is", async () => {
    const { addons, from, to } = two();
    expect(await from.moveLink("t0", to, { name: "eth0" })).toMatchObject({ name: "t0" });
    expect(addons[0].calls).toEqual([
      {
        operation: "moveLink",
        request: {
          link: { name: "t0" },
          target: 4_711,
          name: "eth0",
          tagPrefix: tagPrefix("flintap"),
          force: false,
        },
      },
    ]);
    expect(addons[1].operations()).toEqual(["describeHost"]);
  });

  test("keeps its place while the target is asked", async () => {
    const { answer, give } = held();
    const addon = fakeAddon({ moveLink: () => here });
    const target = new NetworkNamespace(fakeAddon({ describeHost: () => answer }), "flintap");
    const namespace = new NetworkNamespace(addon, "flintap");
    const calls = [
      namespace.getLink("t0"),
      namespace.moveLink("t0", target),
      namespace.deleteLink("t1"),
      namespace.close(),
    ];
    give({ namespace: 4_711 });
    await Promise.all(calls);
    expect(addon.operations()).toEqual(["getLink", "moveLink", "deleteLink"]);
  });

  test("keeps its place before a create, for which the host is asked meanwhile, and a close", async () => {
    const { answer, give } = held();
    const addon = fakeAddon({ moveLink: () => here });
    const target = new NetworkNamespace(fakeAddon({ describeHost: () => answer }), "flintap");
    const namespace = new NetworkNamespace(addon, "flintap");
    const calls = [
      namespace.moveLink("t0", target),
      namespace.createTap(),
      namespace.getLink("t1"),
      namespace.close(),
    ];
    give({ namespace: 4_711 });
    await Promise.all(calls);
    expect(addon.operations()).toEqual(["moveLink", "describeHost", "createTap", "getLink"]);
    expect(addon.handles).toEqual({ opened: 1, closed: 1 });
  });

  test("asks a target once", async () => {
    const { addons, from, to } = two();
    await Promise.all([from.moveLink("t0", to), from.moveLink("t1", to)]);
    await from.moveLink("t2", to);
    expect(addons[1].operations()).toEqual(["describeHost"]);
  });

  test("keeps its target from being closed before it has settled", async () => {
    const { answer, give } = held();
    const { addons, from, to } = two({ moveLink: () => answer });
    const moving = from.moveLink("t0", to);
    const closing = to.close();
    await vi.waitUntil(() => addons[0].operations().includes("moveLink"));
    expect(addons[1].handles.closed).toBe(0);
    give(here);
    await Promise.all([moving, closing]);
    expect(addons[1].handles.closed).toBe(1);
    await expect(from.moveLink("t1", to)).rejects.toMatchObject({ reason: "closed" });
  });

  test("given up while the target is asked rejects at once, and so do the calls behind it", async () => {
    const signal = AbortSignal.timeout(1);
    const target = new NetworkNamespace(
      fakeAddon({ describeHost: () => held().answer }),
      "flintap",
    );
    const namespace = new NetworkNamespace(fakeAddon(), "flintap");
    const calls = [
      namespace.moveLink("t0", target, { signal }),
      namespace.getLink("t1", { signal }),
    ];
    for (const outcome of await Promise.allSettled(calls))
      expect(outcome).toEqual({ status: "rejected", reason: signal.reason });
  });

  test("does not keep later calls from running where the target cannot say", async () => {
    const { addons, from } = two();
    const closed = new NetworkNamespace(
      fakeAddon({
        describeHost: () => {
          throw failure({ operation: "describeHost", reason: "closed", errno: 0 });
        },
      }),
      "flintap",
    );
    const [moved, read] = await Promise.allSettled([
      from.moveLink("t0", closed),
      from.getLink("t0"),
    ]);
    expect(moved).toMatchObject({ reason: { reason: "closed", operation: "moveLink" } });
    expect(read.status).toBe("fulfilled");
    expect(addons[0].operations()).toEqual(["getLink"]);
  });

  test("takes a handle only", async () => {
    const { addons, from, to } = two();
    const calls = [
      from.moveLink("t0", "/run/netns/blue" as never),
      from.moveLink("t0", {} as never),
      from.moveLink("t0", to, { name: "a/b" }),
      from.moveLink("", to),
    ];
    for (const outcome of await Promise.allSettled(calls))
      expect(outcome).toMatchObject({
        reason: { code: expect.stringMatching(/^ERR_INVALID_ARG/) },
      });
    expect(addons.flatMap((addon) => addon.calls)).toEqual([]);
  });
});
