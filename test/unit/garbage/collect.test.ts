/** What can be said of a collection without a kernel. */
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type CollectOptions, collectGarbage } from "../../../src/garbage/collect.js";
import type { LinkBase } from "../../../src/link.js";
import { NetworkNamespace } from "../../../src/network-namespace.js";
import { formatTag, type TagParts } from "../../../src/tag.js";
import { type FakeAddon, failure, fakeAddon, fakeLink, type Script } from "../fake-addon.js";
import { fakeHost } from "../fake-host.js";

const { loadAddon } = vi.hoisted(() => ({ loadAddon: vi.fn<() => FakeAddon>() }));
vi.mock("../../../src/load-addon.js", () => ({ loadAddon }));

beforeEach(() => {
  loadAddon.mockReset();
});

/** A device for a microVM that was made long ago. */
function device(name: string, microvm: string, fields: Partial<LinkBase> = {}): LinkBase {
  const alias = formatTag({ microvm, interface: "eth1", owner: "me", createdAt: new Date(0) });
  const identity = `flintap-${name}`;
  const index = name.charCodeAt(0);
  return fakeLink({ name, index, altNames: [identity], identity, alias, ...fields });
}

function hostWith(links: LinkBase[], changes: Script = {}) {
  const host = fakeHost(links, changes);
  const addon = fakeAddon(host.script);
  loadAddon.mockReturnValue(addon);
  return { addon, host, namespace: new NetworkNamespace(addon, "me") };
}

/** The names of what is there. */
const names = (links: readonly LinkBase[]): string[] => links.map(({ name }) => name);

/** Of its age only the machine's start could make one of these young. */
const minAge = 1;

describe("what is to stay", () => {
  test.each([
    ["nothing", undefined, "ERR_INVALID_ARG_TYPE", "keep"],
    ["null", null, "ERR_INVALID_ARG_TYPE", "keep"],
    ["a text", "default/vm1", "ERR_INVALID_ARG_TYPE", "keep"],
    ["an object", { microvm: "a" }, "ERR_INVALID_ARG_TYPE", "keep"],
    ["a set", new Set(), "ERR_INVALID_ARG_TYPE", "keep"],
    ["false", false, "ERR_INVALID_ARG_TYPE", "keep"],
    ["a tag without a part", [{ microvm: "a" }, {}], "ERR_INVALID_ARG_VALUE", "keep.1"],
    ["a part that is not set", [{ microvm: undefined }], "ERR_INVALID_ARG_VALUE", "keep.0"],
    ["a hole", Array(1), "ERR_INVALID_ARG_TYPE", "keep.0"],
    ["nothing in it", [undefined], "ERR_INVALID_ARG_TYPE", "keep.0"],
    ["a name", ["default/vm1"], "ERR_INVALID_ARG_TYPE", "keep.0"],
    ["an unknown part", [{ microVM: "a" }], "ERR_INVALID_ARG_VALUE", "keep.0.microVM"],
    ["a part that is no text", [{ microvm: 7 }], "ERR_INVALID_ARG_TYPE", "keep.0.microvm"],
  ])("is no list: %s", async (_, keep, code, option) => {
    const wrong = {
      code,
      message: expect.stringContaining(`\`collectGarbage\` option \`${option}\``),
    };
    const { addon, host, namespace } = hostWith([device("a", "vm1")]);
    const options = { namespace, minAge } as CollectOptions;
    const given = { ...options, keep: keep as TagParts[] };
    await expect(collectGarbage(given)).rejects.toMatchObject(wrong);
    expect(addon.calls).toEqual([]);
    const functions = [() => keep as TagParts[], async () => keep as TagParts[]];
    for (const asked of functions)
      await expect(collectGarbage({ ...options, keep: asked })).rejects.toMatchObject(wrong);
    expect(names(host.links)).toEqual(["a"]);
  });

  test("is not known where asking for it fails: that comes out, and nothing is deleted", async () => {
    const { addon, namespace } = hostWith([device("a", "vm1")]);
    const error = new Error("the store is not there");
    const throwing = () => {
      throw error;
    };
    for (const keep of [throwing, async () => throwing()])
      await expect(collectGarbage({ namespace, minAge, keep })).rejects.toBe(error);
    expect(addon.operations()).not.toContain("deleteLink");
  });

  test("is asked for when all has been looked at, and the deletes follow in the same tick", async () => {
    const { addon, host, namespace } = hostWith([device("a", "vm1"), device("b", "vm2")]);
    const noted = [{ microvm: "vm2" }];
    const collection = collectGarbage({
      namespace,
      minAge,
      keep: () => {
        expect(addon.operations()).toEqual(["listLinks", "describeHost"]);
        // What a daemon goes on with as soon as it can.
        void Promise.resolve().then(async () => await namespace.findLinks(["a"]));
        return noted;
      },
    });
    const { removed, kept } = await collection;
    expect(addon.operations().slice(2)).toEqual(["deleteLink", "findLinks"]);
    expect([names(removed), names(kept), names(host.links)]).toEqual([["a"], ["b"], ["b"]]);
  });

  test("is what it was when the call was made, where it is a list", async () => {
    const { namespace } = hostWith([device("a", "vm1")]);
    const keep = [{ microvm: "vm1" }];
    const collection = collectGarbage({ namespace, minAge, keep });
    keep.pop();
    expect(names((await collection).kept)).toEqual(["a"]);
  });
});

describe("whose devices it is about", () => {
  test("is said, by the owner or by a handle, and by both in one way", async () => {
    const { addon, namespace } = hostWith([device("a", "vm1")]);
    const keep = () => expect.fail("nobody is asked");
    await expect(collectGarbage({ keep })).rejects.toMatchObject({ code: "ERR_INVALID_ARG_TYPE" });
    await expect(collectGarbage({ keep, owner: "other", namespace })).rejects.toMatchObject({
      code: "ERR_INVALID_ARG_VALUE",
    });
    await expect(collectGarbage({ keep, owner: "" })).rejects.toMatchObject({
      code: "ERR_INVALID_ARG_VALUE",
    });
    expect(addon.calls).toEqual([]);
    expect(loadAddon).not.toHaveBeenCalled();
    const { removed } = await collectGarbage({ owner: "me", namespace, keep: [], minAge });
    expect(names(removed)).toEqual(["a"]);
    expect(addon.handles).toEqual({ opened: 1, closed: 0 });
  });

  test("works in the process's own namespace without a handle, and leaves none open", async () => {
    const { addon, host } = hostWith([device("a", "vm1")]);
    const before = addon.handles.opened;
    await collectGarbage({ owner: "me", keep: [], minAge });
    const refused = collectGarbage({
      owner: "me",
      keep: async () => Promise.reject(new Error("no")),
    });
    await expect(refused).rejects.toThrow("no");
    expect(addon.handles).toEqual({ opened: before + 2, closed: 2 });
    expect(host.links).toEqual([]);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "with an age of %d it is refused",
    async (age) => {
      const { addon, namespace } = hostWith([]);
      await expect(collectGarbage({ namespace, keep: [], minAge: age })).rejects.toMatchObject({
        code: "ERR_OUT_OF_RANGE",
      });
      expect(addon.calls).toEqual([]);
    },
  );
});

test("a dry run gives what would be deleted", async () => {
  const { addon, namespace } = hostWith([device("a", "vm1"), device("b", "vm2")]);
  const keep = [{ microvm: "vm2" }];
  const { removed, kept } = await collectGarbage({ namespace, keep, minAge, dryRun: true });
  expect([names(removed), names(kept)]).toEqual([["a"], ["b"]]);
  expect(addon.operations()).toEqual(["listLinks", "describeHost"]);
});

test("each that was to be deleted is told of: gone, failed or removed", async () => {
  const { namespace } = hostWith([device("a", "vm1"), device("b", "vm1"), device("c", "vm1")], {
    deleteLink: ({ link: { name } }) => {
      if (name === "a") throw failure({ operation: "deleteLink" });
      if (name === "b") throw failure({ operation: "deleteLink", reason: "not-ours", errno: 0 });
      return {};
    },
  });
  const { removed, gone, failed } = await collectGarbage({ namespace, keep: [], minAge });
  expect([names(removed), names(gone)]).toEqual([["c"], ["a"]]);
  expect(failed).toEqual([
    {
      link: expect.objectContaining({ name: "b" }),
      error: expect.objectContaining({ reason: "not-ours" }),
    },
  ]);
});

describe("a device that is just being made", () => {
  const unfinished = device("a", "vm1", { alias: undefined, up: false });

  test("is waited for, and is what it has become", async () => {
    let looks = 0;
    const { addon, namespace } = hostWith([unfinished, device("b", "vm1")], {
      findLinks: ({ names: asked }) => {
        expect(asked).toEqual(["flintap-a"]);
        looks += 1;
        return { links: looks < 3 ? [{ ...unfinished }] : [device("a", "vm2")] };
      },
    });
    const { removed, kept, unclear } = await collectGarbage({
      namespace,
      keep: [{ microvm: "vm2" }],
      minAge,
    });
    expect([names(removed), names(kept), unclear]).toEqual([["b"], ["a"], []]);
    expect(addon.operations().filter((name) => name === "listLinks")).toHaveLength(1);
  });

  test("is nothing where it was taken back", async () => {
    const { namespace } = hostWith([unfinished], { findLinks: () => ({ links: [] }) });
    const empty = { removed: [], gone: [], failed: [], young: [], unclear: [], kept: [] };
    expect(await collectGarbage({ namespace, keep: [] })).toEqual(empty);
  });

  test("is told of as unclear where it stays so", async () => {
    const { namespace } = hostWith([unfinished]);
    const { unclear } = await collectGarbage({ namespace, keep: [] });
    expect(unclear).toMatchObject([{ link: { name: "a" }, why: "no-tag" }]);
  });
});

describe("given up", () => {
  const reason = new Error("enough");

  test("before the deletes, it rejects with the reason, and deletes nothing", async () => {
    const { addon, namespace } = hostWith([device("a", "vm1")]);
    const early = collectGarbage({ namespace, keep: [], signal: AbortSignal.abort(reason) });
    await expect(early).rejects.toBe(reason);
    expect(addon.calls).toEqual([]);
    const controller = new AbortController();
    const { signal } = controller;
    const whileAsked = () => {
      controller.abort(reason);
      return [];
    };
    await expect(collectGarbage({ namespace, keep: whileAsked, signal })).rejects.toBe(reason);
    expect(addon.operations()).not.toContain("deleteLink");
  });

  test("it does not wait for what is to stay", async () => {
    const { namespace } = hostWith([device("a", "vm1")]);
    const controller = new AbortController();
    const keep = () => {
      setImmediate(() => controller.abort(reason));
      return new Promise<TagParts[]>(() => {});
    };
    const { signal } = controller;
    await expect(collectGarbage({ namespace, keep, signal })).rejects.toBe(reason);
  });

  test("in the middle of the deletes, what was not deleted is told of", async () => {
    const controller = new AbortController();
    const links = [device("a", "vm1"), device("b", "vm1")];
    const addon = fakeAddon(
      {
        ...fakeHost(links).script,
        deleteLink: ({ link }) => {
          if (link.name === "a") return {};
          // When the first has settled, a turn of the event loop later.
          setImmediate(() => setImmediate(() => controller.abort(reason)));
          return new Promise(() => {});
        },
      },
      true,
    );
    const namespace = new NetworkNamespace(addon, "me");
    const { signal } = controller;
    const { removed, failed } = await collectGarbage({ namespace, keep: [], minAge, signal });
    expect(names(removed)).toEqual(["a"]);
    expect(failed).toEqual([{ link: expect.objectContaining({ name: "b" }), error: reason }]);
  });
});
