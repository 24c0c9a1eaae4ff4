/**
 * Creates of one tick, which are made together: as if one after the other, each all or nothing by
 * itself. iproute2 is the witness.
 */
import { describe, expect } from "vitest";
import {
  createBridge,
  createMacvtap,
  createTap,
  createVeth,
  type FlintapError,
  getLink,
  type Link,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import {
  addBridge,
  addParent,
  type IpLink,
  ip,
  link,
  linkNames,
  links,
} from "../setup/iproute2.js";
import { stage } from "../setup/stage.js";

const together = needs("veth", "macvtap", "bridge", "tun", "proc-sys");

stage(async () => {
  await addParent();
  await addBridge();
  await ip("link add stranger type bridge");
  await ip("link property add dev stranger altname strange-name");
});

/** What came of calls: the links that were made, and why the others failed. */
function sorted(outcomes: PromiseSettledResult<Link>[]): { made: Link[]; errors: FlintapError[] } {
  return {
    made: outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])),
    errors: outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : [])),
  };
}

async function byName(): Promise<Map<string, IpLink>> {
  return new Map((await links()).map((one) => [one.ifname, one]));
}

const bare = (count: number) => Array.from({ length: count });

describe("many creates of one tick", () => {
  together("are all made, each with its own index, MAC and identity", async () => {
    const made = await Promise.all(bare(150).map(() => createMacvtap({ parent: "enp0" })));
    const seen = await byName();
    for (const { name, index, mac, identity } of made)
      expect(seen.get(name)).toMatchObject({
        ifindex: index,
        address: mac,
        altnames: [identity],
        ifalias: expect.stringMatching(/^flintap1;flintap;/),
        link: "enp0",
        flags: expect.arrayContaining(["UP"]),
      });
    for (const key of ["name", "index", "mac", "identity"] as const)
      expect(new Set(made.map((one) => one[key])).size).toBe(made.length);
  });

  together("that fail do so each for its own reason, and the others are made", async () => {
    const before = await linkNames();
    const controller = new AbortController();
    const mac = "02:00:00:00:00:77";
    const parent = "enp0";
    const creates = [
      createMacvtap({ parent, name: "one", mac }),
      createMacvtap({ parent, name: "one" }),
      createMacvtap({ parent, name: "stranger" }),
      createMacvtap({ parent, name: "two", altNames: ["another", "strange-name"] }),
      createMacvtap({ parent, name: "three", mac }),
      createMacvtap({ parent: "nothing", name: "four" }),
      createMacvtap({ parent, name: "five", mtu: 9_000 }),
      createMacvtap({ parent, name: "six", altNames: ["one"] }),
      createMacvtap({ parent, name: "seven", signal: controller.signal }),
      createMacvtap({ parent, name: "eight" }),
    ];
    const outcomes = Promise.allSettled(creates);
    controller.abort();
    const { made, errors } = sorted(await outcomes);
    expect(made.map(({ name }) => name)).toEqual(["one", "eight"]);
    expect(errors.map((error) => error.reason ?? error.name)).toEqual([
      "name-taken",
      "name-taken",
      "alt-name-taken",
      "duplicate-mac",
      "no-such-parent",
      "mtu-above-parent",
      "alt-name-taken",
      "AbortError",
    ]);
    expect(errors.map(({ device }) => device)).toEqual([
      "one",
      "stranger",
      "strange-name",
      "three",
      "nothing",
      "five",
      "one",
      undefined,
    ]);
    expect(errors[3]?.holder).toContain("macvtap one");
    expect(errors.filter((error) => error.leftBehind !== undefined)).toEqual([]);
    expect(await linkNames()).toEqual([...before, "one", "eight"].sort());
    expect(await link("one")).toMatchObject({ address: mac });
    expect((await link("stranger"))?.altnames).toEqual(["strange-name"]);
  });

  together("with indexes of the caller's are made with these, save one that is taken", async () => {
    const { made, errors } = sorted(
      await Promise.allSettled(
        [4_711, 4_712, 4_711, undefined, 4_713].map((index, number) =>
          createMacvtap({ parent: "enp0", name: `chosen${number}`, index }),
        ),
      ),
    );
    expect(made.map(({ index }) => index)).toEqual([4_711, 4_712, expect.any(Number), 4_713]);
    expect(errors).toMatchObject([{ reason: "index-taken", device: "chosen2" }]);
    expect(await link("chosen0")).toMatchObject({ ifindex: 4_711 });
  });

  together("of one kind after the other are made, taps on their bridges", async () => {
    const bridges = ["br0", "br1", "br0", undefined, "br1"];
    const [, taps, pairs] = await Promise.all([
      createBridge({ name: "br1" }),
      Promise.all(bridges.map((bridge) => createTap({ ...(bridge && { bridge }) }))),
      Promise.all(bare(5).map(() => createVeth())),
    ]);
    const seen = await byName();
    expect(taps.map(({ name }) => seen.get(name)?.master)).toEqual(bridges);
    for (const [one, other] of pairs) expect(seen.get(one.name)?.link).toBe(other.name);
  });
});

describe("a create in the tick of another", () => {
  together("finds the parent that the other makes", async () => {
    const [[veth], onVeth] = await Promise.all([
      createVeth({ name: "up0" }),
      createMacvtap({ parent: "up0" }),
    ]);
    expect(onVeth.parent).toBe(veth.index);
    expect(await link(onVeth.name)).toMatchObject({ link: "up0" });
  });

  together("says of a parent that it is a macvtap, which the other makes", async () => {
    const [made, refused] = await Promise.allSettled([
      createMacvtap({ parent: "enp0", name: "below0", altNames: ["below-all"] }),
      createMacvtap({ parent: "below-all", name: "above0" }),
    ]);
    expect(made).toMatchObject({ value: { name: "below0" } });
    expect(refused).toMatchObject({ reason: { reason: "parent-unusable", device: "above0" } });
    expect(await link("above0")).toBeUndefined();
  });

  together("in mode passthru has its parent although the other failed on it", async () => {
    await createVeth({ name: "up0" });
    const parent = "up0";
    const mode = "passthru";
    const [refused, made, third] = await Promise.allSettled([
      createMacvtap({ parent, mode, altNames: ["strange-name"] }),
      createMacvtap({ parent, mode }),
      createMacvtap({ parent }),
    ]);
    expect(refused).toMatchObject({ reason: { reason: "alt-name-taken" } });
    expect(made).toMatchObject({ value: { details: { mode } } });
    expect(third).toMatchObject({ reason: { reason: "parent-busy" } });
  });
});

together("look-ups of one tick give each its own link or failure", async () => {
  const [one, none, other] = await Promise.allSettled([
    getLink("enp0", { statistics: true }),
    getLink("nothing"),
    getLink("strange-name"),
  ]);
  expect(one).toMatchObject({ value: { name: "enp0", statistics: expect.anything() } });
  expect(none).toMatchObject({ reason: { reason: "no-such-link", device: "nothing" } });
  expect(other).toMatchObject({ value: { name: "stranger" } });
  expect(other).not.toHaveProperty("value.statistics");
});
