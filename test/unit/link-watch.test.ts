import { describe, expect, test } from "vitest";
import type { NativeFailure, NativeLinkBatch, NativeLinkNews } from "../../src/addon.js";
import type { LinkBase } from "../../src/link.js";
import { type LinkEvent, type LinkFilter, LinkState } from "../../src/link-state.js";
import { LinkWatch } from "../../src/link-watch.js";
import { completeLink } from "../../src/native-link.js";
import { failure, fakeAddon, fakeLink } from "./fake-addon.js";

function news(fields: Partial<NativeLinkNews>, link?: Partial<LinkBase>): NativeLinkNews {
  const index = fields.index ?? link?.index ?? 7;
  const whole = link === undefined ? {} : { link: fakeLink({ index, name: "t0", ...link }) };
  if (whole.link !== undefined) completeLink(whole.link);
  return { initial: false, removed: false, ...whole, ...fields, index };
}

/** A state in which these links were there in the beginning. */
function state(filter: LinkFilter = {}, ...links: Partial<LinkBase>[]): LinkState {
  const begun = new LinkState(filter);
  begun.begin(links.map((link) => news({ initial: true }, link)));
  begun.begun();
  return begun;
}

/** What a state tells of a round. */
function told(known: LinkState, ...round: NativeLinkNews[]): LinkEvent[] {
  known.take(round, true);
  return known.tell(Number.POSITIVE_INFINITY);
}

describe("what has happened to a link", () => {
  test("is that it came, and whether it was there before", () => {
    expect(told(state(), news({}, {}))).toMatchObject([{ type: "added", initial: false }]);
    const asked = new LinkState({});
    asked.begin([news({ initial: true }, {})]);
    expect(asked.begun()).toMatchObject([{ type: "added", initial: true, link: { name: "t0" } }]);
  });

  test("is what differs, nested fields too, and nothing that has no name", () => {
    const known = state({}, { port: { isolated: false, state: 0 }, unknown: "AQ==" });
    expect(told(known, news({}, { mtu: 1400, port: { isolated: true, state: 0 } }))).toMatchObject([
      { type: "changed", changes: ["mtu", "port"], previous: { mtu: 1500 }, link: { mtu: 1400 } },
    ]);
    const timers = { forwardDelay: 0, unknown: Uint8Array.of(9) };
    const bridge = { kind: "bridge", details: timers } as Partial<LinkBase>;
    const other = { kind: "bridge", details: { ...timers, unknown: Uint8Array.of(8) } };
    expect(told(state({}, bridge), news({}, other as Partial<LinkBase>))).toEqual([]);
  });

  test("is a part of it, where the kernel tells no more", () => {
    const known = state({}, { portKind: "bridge", port: { isolated: false } });
    const [event] = told(known, news({ port: { isolated: true } }));
    expect(event).toMatchObject({
      changes: ["port"],
      link: { mtu: 1500, port: { isolated: true } },
    });
    expect(told(known, news({ ipv6: { state: "open" } }))).toMatchObject([{ changes: ["ipv6"] }]);
    expect(told(known, news({ index: 99, port: { isolated: true } }))).toEqual([]);
    expect(told(state({}, {}), news({ port: { isolated: true } }))).toEqual([]);
  });

  test("is that it went, as it was last", () => {
    expect(told(state({}, { alias: "x" }), news({ removed: true }))).toMatchObject([
      { type: "removed", link: { alias: "x" } },
    ]);
    expect(told(state(), news({ removed: true }))).toEqual([]);
  });

  test("is both when another link has its index", () => {
    const both = [
      { type: "removed", link: { identity: "flintap-a" } },
      { type: "added", link: { identity: "flintap-b" } },
    ];
    const known = { identity: "flintap-a" };
    const next = { identity: "flintap-b" };
    expect(told(state({}, known), news({ removed: true }, next))).toMatchObject(both);
    expect(told(state({}, known), news({}, next))).toMatchObject(both);
  });

  test("is a change when it gets its identity, and when it loses it", () => {
    const made = state({}, {});
    const altNames = ["flintap-a"];
    const marked = { altNames, identity: "flintap-a" };
    const changes = ["altNames", "identity"];
    expect(told(made, news({}, marked))).toMatchObject([{ type: "changed", changes }]);
    expect(told(made, news({}, {}))).toMatchObject([{ type: "changed", changes }]);
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
    expect(told(known, news({}, { master: 3 }))).toMatchObject([{ type: "added" }]);
    expect(told(known, news({}, { master: 3, mtu: 1400 }))).toMatchObject([
      { type: "changed", changes: ["mtu"], selected: true },
    ]);
    expect(told(known, news({}, { master: 4 }))).toMatchObject([
      { type: "changed", changes: ["mtu", "master"], selected: false },
    ]);
    expect(told(known, news({}, { mtu: 9000, master: 4 }))).toEqual([]);
  });

  test("by name finds a bridge that comes after its port, and one that goes before it", () => {
    const master = { name: "br0" };
    const port = news({ initial: true }, { index: 1, master: 3 });
    const later = news({ initial: true }, bridge);
    const begun = new LinkState({ master });
    begun.begin([port]);
    begun.begin([later]);
    expect(begun.begun()).toMatchObject([{ link: { index: 1 } }]);
    expect(told(begun, news({ index: 3, removed: true }), news({}, { index: 1 }))).toMatchObject([
      { type: "changed", changes: ["master"], previous: { master: 3 } },
    ]);
    expect(
      told(state({ master }), news({}, { index: 1, master: 3 }), news({}, bridge)),
    ).toMatchObject([{ type: "added", link: { index: 1 } }]);
  });

  test("by name follows a bridge that comes by it, and one that loses it, in parts of a round", () => {
    const master = { name: "br0" };
    const known = state({ master }, { index: 1, master: 3 }, { ...bridge, name: "br7" });
    known.take([news({ index: 9 }, { name: "t9", master: 3 })], false);
    known.take([news({}, bridge)], true);
    expect(known.tell(1)).toMatchObject([{ type: "added", link: { index: 9 } }]);
    expect(known.tell(9)).toMatchObject([{ type: "added", initial: false, link: { index: 1 } }]);
    expect(known.hasMore).toBe(false);
    expect(told(known, news({}, { ...bridge, altNames: [], name: "br8" }))).toMatchObject([
      { type: "changed", changes: [], selected: false, link: { index: 1 } },
      { type: "changed", changes: [], selected: false, link: { index: 9 } },
    ]);
    expect(told(known, news({ index: 1, removed: true }))).toEqual([]);
  });

  test("takes no master of another namespace", () => {
    const known = state({ master: { index: 3, name: "br0", namespace: 12 } }, bridge);
    expect(told(known, news({}, { master: 3 }))).toEqual([]);
  });

  test("by parent passes over a parent in another namespace", () => {
    const known = state({ parent: { name: "br0" } }, bridge);
    expect(told(known, news({ index: 8 }, { parent: 3 }))).toHaveLength(1);
    expect(told(known, news({ index: 9 }, { parent: 3, parentNamespace: 0 }))).toEqual([]);
  });

  test("by kind and owner", () => {
    const alias = "flintap1;me;t=1";
    expect(told(state({ owner: "me" }), news({}, { alias }))).toHaveLength(1);
    expect(told(state({ owner: "you" }), news({}, { alias }))).toEqual([]);
  });

  test("by the parts of a tag, which a link can come to have and lose", () => {
    const alias = "flintap1;me;m=vm;t=1";
    const known = state({ tag: { microvm: "vm" } });
    expect(told(known, news({}, {}))).toEqual([]);
    expect(told(known, news({}, { alias }))).toMatchObject([{ type: "added" }]);
    expect(told(known, news({}, { alias: "flintap1;me;m=vm2;t=1" }))).toMatchObject([
      { type: "changed", selected: false },
    ]);
    expect(told(state({ kind: "veth" }), news({}, {}))).toEqual([]);
  });
});

const request = { owner: "me", filter: {}, initial: false, receiveBuffer: 1 };

function batch(...all: NativeLinkNews[]): Promise<NativeLinkBatch> {
  return Promise.resolve({ news: all, more: false });
}

/** A rejection that nobody has asked for yet. */
function refused(fields: Partial<NativeFailure> = {}): Promise<NativeLinkBatch> {
  const batches = Promise.reject(failure({ operation: "watchLinks", ...fields }));
  batches.catch(() => {});
  return batches;
}

const there = news({ index: 1, initial: true }, { name: "lo" });

describe("a watch", () => {
  test("gives the events of batches in their order, to whoever asks first", async () => {
    const addon = fakeAddon();
    addon.batches.push(
      batch(there, news({}, {})),
      batch(news({ index: 8 }, { name: "t1" }), news({ removed: true })),
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

  test("has begun when it knows all that was there, and tells of it only if asked to", async () => {
    for (const initial of [false, true]) {
      const addon = fakeAddon();
      const first = Promise.resolve({ news: [there], more: true });
      addon.batches.push(first, batch(news({ initial: true }, {})), batch(news({}, { mtu: 9000 })));
      const watch = new LinkWatch(addon, { ...request, initial });
      await watch.ready;
      expect(addon.batches).toHaveLength(1);
      const told: unknown[] = [];
      for await (const { type, link } of watch) told.push(`${type} ${link.name} ${link.mtu}`);
      const before = ["added lo 1500", "added t0 1500"];
      expect(told).toEqual([...(initial ? before : []), "changed t0 9000"]);
    }
  });

  test("that fails says so to who waits for it and to who iterates, and ends", async () => {
    const addon = fakeAddon();
    addon.batches.push(refused({ errno: 24 }));
    const watch = new LinkWatch(addon, request);
    const coded = { name: "FlintapError", code: "EMFILE", operation: "watchLinks" };
    await expect(watch.ready).rejects.toMatchObject(coded);
    await expect(watch.next()).rejects.toMatchObject(coded);
    expect(await watch.next()).toEqual({ done: true, value: undefined });
    expect(addon.handles.closed).toBe(1);
  });

  test("that fails later tells first what happened before", async () => {
    const addon = fakeAddon();
    addon.batches.push(batch(there), batch(news({}, {})));
    const watch = new LinkWatch(addon, request);
    const first = await watch.next();
    addon.batches.push(refused());
    expect(first.value).toMatchObject({ type: "added" });
    await expect(watch.next()).rejects.toMatchObject({ code: "ENODEV" });
    expect(await watch.next()).toEqual({ done: true, value: undefined });
  });

  test("that ends before it has begun never is ready", async () => {
    const closed = new LinkWatch(fakeAddon(), request);
    await closed.close();
    await expect(closed.ready).rejects.toMatchObject({ code: "ERR_FLINTAP_CLOSED" });
    expect(await closed.next()).toEqual({ done: true, value: undefined });
    const signal = AbortSignal.abort(new Error("mine"));
    const aborted = new LinkWatch(fakeAddon(), { ...request, signal });
    await expect(aborted.ready).rejects.toBe(signal.reason);
    await expect(aborted.next()).rejects.toBe(signal.reason);
    expect(await aborted.next()).toEqual({ done: true, value: undefined });
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
