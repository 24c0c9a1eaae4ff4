import { describe, expect, test } from "vitest";
import { FlintapError } from "../../src/error.js";
import { NetworkNamespace } from "../../src/network-namespace.js";
import { tagPrefix } from "../../src/tag.js";
import { failure, fakeAddon, fakeLink, type Script } from "./fake-addon.js";

function namespaceWith(script: Script = {}, unbegun = false) {
  const addon = fakeAddon(script, unbegun);
  return { addon, namespace: new NetworkNamespace(addon, "flintap") };
}

const gone: Script = {
  deleteLink: ({ link }) => {
    if (link.name === "gone") throw failure({ operation: "deleteLink" });
    return {};
  },
};

describe("deleteLinks", () => {
  test("says of each in order what became of it", async () => {
    const { addon, namespace } = namespaceWith(gone);
    const held = fakeLink({ identity: "flintap-7", name: "t7" });
    expect(await namespace.deleteLinks(["t0", "gone", 5, held])).toEqual([
      { link: "t0", deleted: true },
      { link: "gone", deleted: false, error: expect.any(FlintapError) },
      { link: 5, deleted: true },
      { link: held, deleted: true },
    ]);
    expect(addon.calls.map(({ request }) => request)).toEqual(
      [{ name: "t0" }, { name: "gone" }, { index: 5 }, { identity: "flintap-7", name: "t7" }].map(
        (link) => ({ link, tagPrefix: tagPrefix("flintap"), force: false }),
      ),
    );
  });

  test("hands all over in one tick", async () => {
    const { addon, namespace } = namespaceWith({ deleteLink: () => new Promise(() => {}) });
    void namespace.deleteLinks(["t0", "t1", "t2"], { force: true });
    await new Promise((resolve) => setImmediate(resolve));
    expect(addon.operations()).toEqual(["deleteLink", "deleteLink", "deleteLink"]);
    expect(addon.calls[2]?.request).toMatchObject({ force: true });
  });

  test("keeps what it was called with, whatever becomes of the list", async () => {
    const { namespace } = namespaceWith();
    const links = ["t0", "t1"];
    const deletion = namespace.deleteLinks(links);
    links.reverse();
    expect((await deletion).map(({ link }) => link)).toEqual(["t0", "t1"]);
  });

  test("gives nothing for nothing", async () => {
    const { addon, namespace } = namespaceWith();
    expect(await namespace.deleteLinks([])).toEqual([]);
    expect(addon.calls).toEqual([]);
  });

  test("given up, it deletes none more, and says so of those", async () => {
    const reason = new Error("enough");
    const before = namespaceWith();
    expect(
      await before.namespace.deleteLinks(["t0"], { signal: AbortSignal.abort(reason) }),
    ).toEqual([{ link: "t0", deleted: false, error: reason }]);
    expect(before.addon.calls).toEqual([]);

    const script: Script = {
      deleteLink: ({ link }) => (link.name === "t0" ? {} : new Promise(() => {})),
    };
    const { addon, namespace } = namespaceWith(script, true);
    const controller = new AbortController();
    const deletion = namespace.deleteLinks(["t0", "t1", "t2"], { signal: controller.signal });
    // Two turns of the event loop: one that hands over, and one that settles.
    for (const _ of [1, 2]) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(reason);
    expect(await deletion).toEqual([
      { link: "t0", deleted: true },
      { link: "t1", deleted: false, error: reason },
      { link: "t2", deleted: false, error: reason },
    ]);
    expect(addon.cancelled).toEqual([2, 3]);
  });

  test("is refused for a wrong argument before any is deleted", async () => {
    const { addon, namespace } = namespaceWith();
    for (const [links, options] of [
      [["t0", "a b"], {}],
      [["t0", {}], {}],
      ["t0", {}],
      [["t0"], { forced: true }],
    ])
      await expect(namespace.deleteLinks(links as string[], options as object)).rejects.toThrow(
        /`deleteLinks`/,
      );
    expect(addon.calls).toEqual([]);
  });

  test("the error of a link leads to the caller", async () => {
    const { namespace } = namespaceWith(gone);
    async function release() {
      return await namespace.deleteLinks(["t0", "gone"]);
    }
    const [, outcome] = await release();
    expect(outcome).toMatchObject({ error: { stack: expect.stringContaining("release") } });
  });
});
