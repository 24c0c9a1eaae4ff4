/**
 * The process is killed at every system call of an operation. What is left then is nothing, or a
 * link that can be told to be ours and collected, never one that is up but not what was asked for.
 */
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { NetworkNamespace } from "../../src/index.js";
import { type Capability, needs } from "../setup/capabilities.js";
import { addBridge, addParent, type IpLink, ip, link, links } from "../setup/iproute2.js";
import { killAtEveryCall } from "../setup/seam.js";
import { closeElsewhere, elsewhere, emptyElsewhere, openBlue, openElsewhere } from "./elsewhere.js";

let steady: NetworkNamespace;
let laidOut: string[];

beforeAll(async () => {
  await addParent();
  await addBridge("br0");
  await addBridge("br1");
  await ip("link add port0 type veth peer name port1");
  await openElsewhere();
  steady = NetworkNamespace.current();
  laidOut = (await links()).map(({ ifname }) => ifname);
});

afterAll(async () => {
  await steady.close();
  await closeElsewhere();
});

async function madeLinks(): Promise<IpLink[]> {
  return (await links()).filter(({ ifname }) => !laidOut.includes(ifname));
}

function isMarked({ altnames = [], ifalias = "" }: IpLink): boolean {
  return altnames.some((name) => name.startsWith("flintap-")) && /^flintap1;flintap;/.test(ifalias);
}

const isUp = ({ flags }: IpLink): boolean => flags.includes("UP");

/** How often each kind of thing was left by the killed processes of one operation. */
interface Count {
  calls: number;
  nothing: number;
  down: number;
  up: number;
}

/**
 * Kills an operation that makes links at its every call. `expectWhole` looks at a link that is up:
 * it must be all that was asked for.
 */
async function killMaking(
  operation: string,
  links: number,
  expectWhole: (made: IpLink) => void,
  before = "",
): Promise<Count> {
  const count = { nothing: 0, down: 0, up: 0 };
  const inspect = async (): Promise<void> => {
    const made = await madeLinks();
    if (made.length === 0) count.nothing++;
    else count[made.some(isUp) ? "up" : "down"]++;
    expect([0, links]).toContain(made.length);
    for (const one of made) {
      expect(isMarked(one)).toBe(true);
      if (isUp(one)) expectWhole(one);
    }
    // Not forced: as whoever collects what a dead daemon left would do it.
    const [first] = made;
    if (first !== undefined) await steady.deleteLink(first.ifname);
    expect(await madeLinks()).toEqual([]);
  };
  const body = `await namespace.getLink("lo"); ${before} arm(); await namespace.${operation}`;
  const calls = await killAtEveryCall(body, inspect);
  for (const { ifname } of await madeLinks()) if (await link(ifname)) await ip("link del", ifname);
  return { calls, ...count };
}

/** For a test of many processes. */
const patience = 600_000;

describe("killed at any system call", () => {
  const making = (...capabilities: Capability[]) =>
    needs("seam", "veth", "bridge", "proc-sys", ...capabilities);

  making("macvtap")(
    "createMacvtap leaves nothing, or a macvtap that is marked as ours",
    async () => {
      const count = await killMaking('createMacvtap({ parent: "enp0" })', 1, (made) =>
        expect(made).toMatchObject({ link: "enp0" }),
      );
      expect(count).toMatchObject({ nothing: expect.any(Number), down: expect.any(Number) });
      expect(count.calls).toBeGreaterThanOrEqual(15);
      expect(count.down).toBeGreaterThan(0);
    },
    patience,
  );

  making("bridge")(
    "createBridge leaves nothing, or a bridge that is marked as ours",
    async () => {
      const count = await killMaking("createBridge()", 1, (made) =>
        expect(made).toMatchObject({ linkinfo: { info_data: { forward_delay: 0 } } }),
      );
      expect(count.calls).toBeGreaterThanOrEqual(15);
      expect(count.down).toBeGreaterThan(0);
    },
    patience,
  );

  making("veth")(
    "createVeth leaves nothing, or both ends, marked as ours",
    async () => {
      const count = await killMaking("createVeth()", 2, () => {});
      expect(count.calls).toBeGreaterThanOrEqual(14);
      expect(count.down).toBeGreaterThan(0);
    },
    patience,
  );

  making("tun")(
    "createTap leaves nothing, or the whole tap on its bridge",
    async () => {
      const count = await killMaking(
        'createTap({ bridge: "br0", isolated: true, learning: false })',
        1,
        (made) =>
          expect(made).toMatchObject({
            master: "br0",
            linkinfo: { info_slave_data: { isolated: true, learning: false } },
          }),
      );
      expect(count.calls).toBeGreaterThanOrEqual(21);
      expect(count).toMatchObject({ down: 0, up: 1 }); // only after it became persistent
    },
    patience,
  );

  making("tun")(
    "createTap leaves nothing at all when its tap is not persistent",
    async () => {
      const count = await killMaking(
        "createTap({ persist: false, multiQueue: true, queues: 2 })",
        1,
        () => {},
      );
      expect(count.calls).toBeGreaterThanOrEqual(19);
      expect(count).toMatchObject({ nothing: count.calls, down: 0, up: 0 });
    },
    patience,
  );

  making("macvtap")(
    "createMacvtap with an index of the caller's can leave a bare macvtap, down, with that index",
    async () => {
      const left: IpLink[] = [];
      const calls = await killAtEveryCall(
        `await namespace.getLink("lo"); arm();
         await namespace.createMacvtap({ parent: "enp0", index: 4_711, name: "chosen0" })`,
        async () => {
          const [made] = await madeLinks();
          if (made === undefined) return;
          left.push(made);
          await ip("link del chosen0");
        },
      );
      await ip("link del chosen0");
      expect(calls).toBeGreaterThanOrEqual(17);
      // Between the making and the marking: the marks wait until it is sure whose the index is.
      const bare = left.filter((made) => !isMarked(made));
      expect(bare.length).toBeGreaterThan(0);
      expect(bare.filter((made) => isUp(made) || made.ifindex !== 4_711)).toEqual([]);
    },
    patience,
  );

  const port = { isolated: true, hairpin: false, learning: false };
  const portOf = async (): Promise<object> => {
    const { master, linkinfo } = (await link("port0")) ?? {};
    const { isolated, hairpin, learning } = linkinfo?.info_slave_data ?? {};
    return master === undefined ? {} : { master, isolated, hairpin, learning };
  };

  making()(
    "attachToBridge leaves the port where it was, or on its new bridge with all settings",
    async () => {
      const before = { master: "br1", isolated: false, hairpin: true, learning: true };
      const moved = { master: "br0", ...port };
      const prepare = async (): Promise<void> => {
        await ip("link set port0 master br1");
        await ip("link set port0 type bridge_slave isolated off hairpin on learning on");
      };
      const seen: object[] = [];
      await prepare();
      const calls = await killAtEveryCall(
        `await namespace.getLink("lo"); arm();
         await namespace.attachToBridge("port0", "br0", ${JSON.stringify({ ...port, force: true })})`,
        async () => {
          seen.push(await portOf());
          await prepare();
        },
      );
      expect(await portOf()).toEqual(moved);
      expect(calls).toBeGreaterThanOrEqual(4);
      expect(
        seen.filter((one) => ![before, moved].some((as) => isDeepStrictEqual(one, as))),
      ).toEqual([]);
    },
    patience,
  );

  making()(
    "detachFromBridge leaves the port as it was, or without a bridge",
    async () => {
      const prepare = () => ip("link set port0 master br1");
      const seen = new Set<string | undefined>();
      await prepare();
      const calls = await killAtEveryCall(
        'await namespace.getLink("lo"); arm(); await namespace.detachFromBridge("port0")',
        async () => {
          seen.add((await link("port0"))?.master);
          await prepare();
        },
      );
      expect((await link("port0"))?.master).toBeUndefined();
      expect(calls).toBeGreaterThanOrEqual(4);
      expect(seen).toEqual(new Set(["br1", undefined]));
    },
    patience,
  );

  making("root", "macvtap")(
    "createMacvtap on a parent in another namespace leaves nothing, or a macvtap that is marked",
    async () => {
      const count = await killMaking(
        "createMacvtap({ parent })",
        1,
        (made) => expect(made).toMatchObject({ linkinfo: { info_kind: "macvtap" } }),
        openBlue,
      );
      expect(count.calls).toBeGreaterThanOrEqual(18);
      expect(count.down).toBeGreaterThan(0);
    },
    patience,
  );

  making("root", "tun")(
    "moveLink leaves the link as it was, or over there: marked, and closed before it is up",
    async () => {
      const seen = { here: 0, down: 0, up: 0 };
      const prepare = async (): Promise<void> => {
        await emptyElsewhere();
        if ((await link("guest0")) === undefined) await steady.createTap({ name: "guest0" });
      };
      await prepare();
      const calls = await killAtEveryCall(
        `await namespace.getLink("lo"); ${openBlue} arm();
         await namespace.moveLink("guest0", blue)`,
        async () => {
          const stayed = await link("guest0");
          if (stayed !== undefined) {
            expect([isMarked(stayed), isUp(stayed)]).toEqual([true, true]);
            seen.here++;
          } else {
            const moved = await elsewhere().handle.getLink("guest0");
            expect(moved).toMatchObject({
              identity: expect.any(String),
              tag: { owner: "flintap" },
            });
            if (moved.up) expect(moved.ipv6?.state).toBe("closed");
            seen[moved.up ? "up" : "down"]++;
          }
          await prepare();
        },
      );
      expect(calls).toBeGreaterThanOrEqual(22);
      for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
      await emptyElsewhere();
    },
    patience,
  );

  making("tun")(
    "setLink leaves each setting as it was or as it was asked for, the link marked and not open",
    async () => {
      const before = { mtu: 1_000, txqlen: 1_000, other: false, up: true };
      const after = { mtu: 1_500, txqlen: 77, other: true, up: true };
      const prepare = async (): Promise<void> => {
        if (await link("guest0")) await ip("link del guest0");
        await steady.createTap({ name: "guest0", mtu: before.mtu });
      };
      let partly = 0;
      await prepare();
      const calls = await killAtEveryCall(
        `await namespace.getLink("lo"); arm();
         await namespace.setLink("guest0", { mtu: 1_500, txQueueLength: 77, addAltNames: ["other"] })`,
        async () => {
          const left = (await link("guest0")) as IpLink;
          expect(isMarked(left)).toBe(true);
          const { mtu, txqlen, altnames = [] } = left;
          const now = { mtu, txqlen, other: altnames.includes("other"), up: isUp(left) };
          for (const [key, value] of Object.entries(now))
            if (key !== "up")
              expect([before, after].map((one) => one[key as keyof typeof one])).toContain(value);
          // Closed once it is up again: it was taken down for that.
          if (now.up) expect((await steady.getLink("guest0")).ipv6?.state).toBe("closed");
          if (![before, after].some((as) => isDeepStrictEqual(now, as))) partly += 1;
          await prepare();
        },
      );
      expect(calls).toBeGreaterThanOrEqual(7);
      expect(partly).toBeGreaterThan(0);
      await ip("link del guest0");
    },
    patience,
  );

  making("bridge")(
    "deleteLink leaves the link as it was, or gone",
    async () => {
      const victim = () => link("victim");
      const prepare = async (): Promise<void> => {
        if (!(await victim())) await steady.createBridge({ name: "victim" });
      };
      let gone = 0;
      await prepare();
      const calls = await killAtEveryCall(
        'await namespace.getLink("lo"); arm(); await namespace.deleteLink("victim")',
        async () => {
          const left = await victim();
          if (left === undefined) gone++;
          else expect([isMarked(left), isUp(left)]).toEqual([true, true]);
          await prepare();
        },
      );
      expect(await victim()).toBeUndefined();
      expect(calls).toBeGreaterThanOrEqual(3);
      expect(gone).toBeGreaterThan(0);
    },
    patience,
  );
});
