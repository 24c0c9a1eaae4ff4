import { describe, expect, test } from "vitest";
import { isYoung, type Moment, sortOut } from "../../../src/garbage/sorting.js";
import type { Link, LinkBase } from "../../../src/link.js";
import { completeLink } from "../../../src/native-link.js";
import { formatTag, type Tag, type TagParts, TagSet } from "../../../src/tag.js";
import { bootId, fakeLink } from "../fake-addon.js";

const now = new Date("2026-07-01T12:00:00.000Z");
const day = 86_400_000;
const moment: Moment = { now, sinceBoot: day, bootId };
const otherBoot = `${bootId.slice(0, -1)}0`;

/** The tag of a device that was made so many milliseconds ago, by the clock. */
function madeAgo(milliseconds: number, more: Partial<Tag> = {}): Tag {
  const createdAt = new Date(now.getTime() - milliseconds);
  return { version: 1, owner: "me", createdAt, bootId, ...more };
}

describe("a device is young", () => {
  test("until its age is reached, from the end of the second in which it was made", () => {
    expect(isYoung(madeAgo(60_000), moment, 60_000)).toBe(true);
    expect(isYoung(madeAgo(60_999), moment, 60_000)).toBe(true);
    expect(isYoung(madeAgo(61_000), moment, 60_000)).toBe(false);
    expect(isYoung(madeAgo(1_000), moment, 1)).toBe(true);
  });

  test("when it is from the future, since the clock was set back", () => {
    expect(isYoung(madeAgo(-3_600_000), moment, 60_000)).toBe(true);
    expect(isYoung(madeAgo(-3_600_000), moment, 1)).toBe(true);
  });

  test("for as long as the machine is, however far the clock was set forward", () => {
    const started = { ...moment, sinceBoot: 30_000 };
    expect(isYoung(madeAgo(50 * 365 * day), started, 60_000)).toBe(true);
    expect(isYoung(madeAgo(50 * 365 * day), started, 30_000)).toBe(false);
  });

  test("not when it was made during another boot, whatever the clock says", () => {
    const other = { bootId: otherBoot };
    expect(isYoung(madeAgo(0, other), { ...moment, sinceBoot: 1 }, 60_000)).toBe(false);
    expect(isYoung(madeAgo(-day, other), moment, 60_000)).toBe(false);
  });

  test("by the clock where a boot is not known, or was cut off", () => {
    for (const known of [undefined, "", bootId.slice(0, 7)]) {
      expect(isYoung(madeAgo(0, { bootId: known }), moment, 60_000)).toBe(true);
      expect(isYoung(madeAgo(day, { bootId: known }), moment, 60_000)).toBe(false);
    }
    const unknown = { ...moment, bootId: undefined };
    expect(isYoung(madeAgo(0, { bootId: otherBoot }), unknown, 60_000)).toBe(true);
  });

  test("never where its age is not looked at", () => {
    expect(isYoung(madeAgo(-day), moment, 0)).toBe(false);
  });
});

/** A link as `listLinks` gives it; `identity: undefined` is one that has lost it. */
function linkWith(name: string, fields: Partial<LinkBase>): Link {
  const link = fakeLink({ name, identity: `flintap-${name}`, ...fields });
  completeLink(link);
  return link as Link;
}

const aliasOf = (parts: TagParts, owner = "me", createdAt = new Date(0)): string =>
  formatTag({ ...parts, owner, createdAt, bootId });

/** The names of links by what became of them. */
function sorted(links: readonly Link[], keep: readonly TagParts[] = []) {
  const sorting = { owner: "me", keep: new TagSet(keep), minAge: 60_000, moment };
  const { garbage, young, kept, unclear } = sortOut(links, sorting);
  const names = (some: readonly Link[]) => some.map(({ name }) => name);
  return {
    garbage: names(garbage),
    young: names(young),
    kept: names(kept),
    unclear: unclear.map(({ link, why }) => [link.name, why]),
  };
}

describe("sorted out", () => {
  test("is what is for somebody whom nobody names", () => {
    const links = [
      linkWith("a", { alias: aliasOf({ microvm: "vm1", interface: "eth1" }) }),
      linkWith("b", { alias: aliasOf({ microvm: "vm2" }) }),
      linkWith("c", { alias: aliasOf({ interface: "eth1" }) }),
      linkWith("new", { alias: aliasOf({ microvm: "vm2" }, "me", now) }),
    ];
    const keep = [{ microvm: "vm1", interface: "eth1" }, { microvm: "vm3" }];
    const expected = { garbage: ["b", "c"], young: ["new"], kept: ["a"], unclear: [] };
    expect(sorted(links, keep)).toEqual(expected);
  });

  test("is a part that is a hash in the tag by what it was", () => {
    const long = "x".repeat(100);
    const links = [linkWith("a", { alias: aliasOf({ microvm: long }) })];
    expect(sorted(links, [{ microvm: long }])).toMatchObject({ kept: ["a"] });
    expect(sorted(links, [{ microvm: `${long}y` }])).toMatchObject({ garbage: ["a"] });
  });

  test("is nothing of another owner's, and nothing that is for nobody", () => {
    const links = [
      linkWith("a", { alias: aliasOf({ microvm: "vm1" }, "other") }),
      linkWith("b", { alias: aliasOf({ bridge: "br0", specHash: "1" }) }),
      linkWith("c", { identity: undefined, alias: "uplink" }),
      linkWith("d", { identity: undefined }),
      linkWith("e", { identity: undefined, alias: aliasOf({ microvm: "vm1" }, "other") }),
    ];
    expect(sorted(links)).toEqual({ garbage: [], young: [], kept: [], unclear: [] });
  });

  test("is what is unclear, and why", () => {
    const cut = aliasOf({ microvm: "vm1" }).replace(/;t=.*/, "");
    const links = [
      linkWith("a", {}),
      linkWith("b", { alias: "somebody's note" }),
      linkWith("c", { alias: cut }),
      linkWith("d", { alias: cut, identity: undefined }),
      linkWith("e", { alias: aliasOf({ microvm: "vm1" }), identity: undefined }),
      linkWith("f", { alias: aliasOf({ microvm: "vm1" }, "other").replace(/;t=.*/, "") }),
    ];
    expect(sorted(links, [{ microvm: "vm2" }])).toEqual({
      garbage: [],
      young: [],
      kept: [],
      unclear: [
        ["a", "no-tag"],
        ["b", "broken-tag"],
        ["c", "broken-tag"],
        ["d", "broken-tag"],
        ["e", "no-identity"],
        ["f", "broken-tag"],
      ],
    });
  });

  test("is what is kept or young, although it has lost its identity", () => {
    const links = [
      linkWith("a", { alias: aliasOf({ microvm: "vm1" }), identity: undefined }),
      linkWith("b", { alias: aliasOf({ microvm: "vm2" }, "me", now), identity: undefined }),
    ];
    expect(sorted(links, [{ microvm: "vm1" }])).toMatchObject({ young: ["b"], kept: ["a"] });
  });
});
