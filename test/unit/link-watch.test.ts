import { describe, expect, test } from "vitest";
import type { NativeLinkNews } from "../../src/addon.js";
import type { LinkBase } from "../../src/link.js";
import { type LinkFilter, LinkState } from "../../src/link-state.js";
import { LinkWatch } from "../../src/link-watch.js";
import { failure, fakeAddon, fakeLink } from "./fake-addon.js";

function news(fields: Partial<NativeLinkNews>, link?: Partial<LinkBase>): NativeLinkNews {
  const index = fields.index ?? link?.index ?? 7;
  const whole = link === undefined ? {} : { link: fakeLink({ index, name: "t0", ...link }) };
  return { initial: false, removed: false, ...whole, ...fields, index };
}

function state(filter: LinkFilter = {}, ...links: Partial<LinkBase>[]): LinkState {
  const begun = new LinkState(filter, false);
  for (const link of links) expect(begun.take(news({ initial: true }, link))).toEqual([]);
  return begun;
}

describe("what has happened to a link", () => {
  test("is that it came, and whether it was there before", () => {
    expect(state().take(news({}, {}))).toMatchObject([{ type: "added", initial: false }]);
    const asked = new LinkState({}, true);
    expect(asked.take(news({ initial: true }, {}))).toMatchObject([{ initial: true }]);
  });

  test("is what differs, nested fields too, and nothing that has no name", () => {
    const known = state({}, { port: { isolated: false, state: 0 }, unknown: Uint8Array.of(1) });
    expect(known.take(news({}, { mtu: 1400, port: { isolated: true, state: 0 } }))).toMatchObject([
      { type: "changed", changes: ["mtu", "port"], previous: { mtu: 1500 }, link: { mtu: 1400 } },
    ]);
    const timers = { forwardDelay: 0, unknown: Uint8Array.of(9) };
    const bridge = { kind: "bridge", details: timers } as Partial<LinkBase>;
    const other = { kind: "bridge", details: { ...timers, unknown: Uint8Array.of(8) } };
    expect(state({}, bridge).take(news({}, other as Partial<LinkBase>))).toEqual([]);
  });

  test("is a part of it, where the kernel tells no more", () => {
    const known = state({}, { portKind: "bridge", port: { isolated: false } });
    const [event] = known.take(news({ port: { isolated: true } }));
    expect(event).toMatchObject({
      changes: ["port"],
      link: { mtu: 1500, port: { isolated: true } },
    });
    expect(known.take(news({ ipv6: { state: "open" } }))).toMatchObject([{ changes: ["ipv6"] }]);
    expect(known.take(news({ index: 99, port: { isolated: true } }))).toEqual([]);
    expect(state({}, {}).take(news({ port: { isolated: true } }))).toEqual([]);
  });

  test("is that it went, as it was last", () => {
    expect(state({}, { alias: "x" }).take(news({ removed: true }))).toMatchObject([
      { type: "removed", link: { alias: "x" } },
    ]);
    expect(state().take(news({ removed: true }))).toEqual([]);
  });

  test("is both when another link has its index", () => {
    const both = [
      { type: "removed", link: { identity: "flintap-a" } },
      { type: "added", link: { identity: "flintap-b" } },
    ];
    const known = { identity: "flintap-a" };
    const next = { identity: "flintap-b" };
    expect(state({}, known).take(news({ removed: true }, next))).toMatchObject(both);
    expect(state({}, known).take(news({}, next))).toMatchObject(both);
  });
});

describe("a filter", () => {
  const bridge = {
    index: 3,
    name: "br0",
    altNames: ["uplink"],
    kind: "bridge",
    identity: "flintap-br",
  };

  test.each([
    ["name", { name: "br0" }],
    ["alt name", { name: "uplink" }],
    ["index", { index: 3 }],
    ["identity", { identity: "flintap-br", name: "old" }],
  ])("takes a master by its %s", (_, master) => {
    const known = state({ master }, bridge, {});
    expect(known.take(news({}, { master: 3 }))).toMatchObject([{ type: "changed" }]);
    expect(known.take(news({}, { master: 4 }))).toMatchObject([{ type: "changed" }]);
    expect(known.take(news({}, { mtu: 9000, master: 4 }))).toEqual([]);
  });

  test("by parent passes over a parent in another namespace", () => {
    const known = state({ parent: { name: "br0" } }, bridge);
    expect(known.take(news({ index: 8 }, { parent: 3 }))).toHaveLength(1);
    expect(known.take(news({ index: 9 }, { parent: 3, parentNamespace: 0 }))).toEqual([]);
  });

  test("by kind and owner", () => {
    const alias = "flintap1;me;t=1";
    expect(state({ owner: "me" }).take(news({}, { alias }))).toHaveLength(1);
    expect(state({ owner: "you" }).take(news({}, { alias }))).toEqual([]);
    expect(state({ kind: "veth" }).take(news({}, {}))).toEqual([]);
  });
});

const request = { filter: {}, initial: false, receiveBuffer: 1 };

describe("a watch", () => {
  test("gives the events of batches in their order, to whoever asks first", async () => {
    const addon = fakeAddon();
    addon.news.push(
      Promise.resolve([news({}, {}), news({ index: 8 }, { name: "t1" })]),
      Promise.resolve([news({ removed: true })]),
    );
    const watch = new LinkWatch(addon, request);
    await watch.ready;
    const told = await Promise.all([watch.next(), watch.next(), watch.next(), watch.next()]);
    expect(told.map(({ value }) => value && `${value.type} ${value.link.name}`)).toEqual([
      "added t0",
      "added t1",
      "removed t0",
      undefined,
    ]);
    expect(told.at(-1)).toEqual({ done: true, value: undefined });
  });

  test("that fails says so to who waits for it and to who iterates, and ends", async () => {
    const addon = fakeAddon();
    const refused = Promise.reject(failure({ operation: "watchLinks", errno: 24 }));
    addon.news.push(refused);
    const watch = new LinkWatch(addon, request);
    const coded = { name: "FlintapError", code: "EMFILE", operation: "watchLinks" };
    await expect(watch.ready).rejects.toMatchObject(coded);
    await expect(watch.next()).rejects.toMatchObject(coded);
    expect(await watch.next()).toEqual({ done: true, value: undefined });
    expect(addon.handles.closed).toBe(1);
  });

  test("leaves no listener on its signal when it is closed", async () => {
    const addon = fakeAddon();
    const controller = new AbortController();
    const watch = new LinkWatch(addon, { ...request, signal: controller.signal });
    await watch.close();
    controller.abort();
    expect(addon.handles.closed).toBe(1);
  });
});
