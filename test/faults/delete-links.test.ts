/**
 * deleteLinks under faults: every link has a result that is true, and what is left is as it was,
 * with its marks, or named.
 */
import { constants } from "node:os";
import { afterAll, beforeAll, describe, expect } from "vitest";
import {
  type DeleteResult,
  type FlintapError,
  type LinkReference,
  NetworkNamespace,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { type IpLink, ip, ipBatch, links } from "../setup/iproute2.js";
import {
  type FaultyRun,
  failEveryCall,
  killAtEveryCall,
  meetAtEveryCall,
  seam,
} from "../setup/seam.js";

const { EIO, ENOBUFS } = constants.errno;
const patience = 600_000;

let steady: NetworkNamespace;

beforeAll(() => {
  steady = NetworkNamespace.current();
});

afterAll(() => steady.close());

/** Ours, in the order of their names. */
const names = ["victim0", "victim1", "victim2"];

async function victims(): Promise<Map<string, IpLink>> {
  const all = await links();
  return new Map(all.filter((one) => names.includes(one.ifname)).map((one) => [one.ifname, one]));
}

async function prepare(): Promise<void> {
  const there = await victims();
  const missing = names.filter((name) => !there.has(name));
  await Promise.all(missing.map((name) => steady.createTap({ name })));
  for (const [name, { group }] of there)
    if (group !== "default") await ip(`link set ${name} group 0`);
}

function expectMarked({ altnames = [], ifalias = "" }: IpLink): void {
  expect(altnames).toEqual([expect.stringMatching(/^flintap-/)]);
  expect(ifalias).toMatch(/^flintap1;flintap;/);
}

/** With a new handle, so that its set-up is under faults, too. */
async function operate(): Promise<DeleteResult[]> {
  await using namespace = NetworkNamespace.current();
  return await namespace.deleteLinks(names);
}

async function inspect({ result, struck }: FaultyRun<DeleteResult[]>): Promise<void> {
  const there = await victims();
  for (const one of result ?? []) {
    const left = there.get(one.link as string);
    const error = one.deleted ? undefined : (one.error as FlintapError);
    try {
      if (left === undefined) {
        if (error !== undefined) expect(error.reason).toBe("outcome-unknown");
        continue;
      }
      expect(one.deleted).toBe(false);
      expectMarked(left);
      const named = error?.leftBehind?.some((words) => words.includes(`link ${left.ifname}:`));
      expect(left.group === "default" || named).toBe(true);
    } catch (cause) {
      throw new Error(`${one.link}, struck: ${struck.join(", ")}: ${error}`, { cause });
    }
  }
  expect(result).toHaveLength(names.length);
  await prepare();
}

/** Of each whether it was deleted: they were called while the thread was at another operation. */
async function deletedTogether(wanted: LinkReference[]): Promise<boolean[]> {
  await using namespace = NetworkNamespace.current();
  seam().arm(0, 0, { pauseAt: 1 });
  const before = namespace.getLink("lo");
  while (!seam().isPaused()) await new Promise((resolve) => setImmediate(resolve));
  const deletion = namespace.deleteLinks(wanted);
  await new Promise((resolve) => setImmediate(resolve));
  seam().resume();
  await before;
  const results = await deletion;
  seam().disarm();
  return results.map(({ deleted }) => deleted);
}

const faulty = needs("seam", "tun", "proc-sys");

describe("deleteLinks", () => {
  faulty(
    "with every system call failing in turn, tells of each link what became of it",
    async () => {
      await prepare();
      expect((await failEveryCall(EIO, operate, inspect)).length).toBeGreaterThanOrEqual(20);
    },
  );

  faulty("with every system call failing from one on, names what is left in a group", async () => {
    await prepare();
    const struck = await failEveryCall(ENOBUFS, operate, inspect, { fromThenOn: true });
    expect(struck.length).toBeGreaterThanOrEqual(20);
  });

  faulty(
    "killed at any system call, leaves links as they were or in a group, with their marks",
    async () => {
      let [gone, grouped] = [0, 0];
      await prepare();
      const calls = await killAtEveryCall(
        `await namespace.getLink("lo"); arm(); await namespace.deleteLinks(${JSON.stringify(names)})`,
        async () => {
          const there = await victims();
          for (const left of there.values()) {
            expectMarked(left);
            if (left.group !== "default") grouped++;
          }
          if (there.size === 0) gone++;
          // Not forced: as whoever collects what a dead daemon left would do it.
          const collected = await steady.deleteLinks([...there.keys()]);
          expect(collected.filter(({ deleted }) => !deleted)).toEqual([]);
          await prepare();
        },
      );
      expect(calls).toBeGreaterThanOrEqual(15);
      expect(grouped).toBeGreaterThan(0);
      expect(gone).toBeGreaterThan(0);
    },
    patience,
  );

  /** What becomes of the links while somebody does that to one of them, at every call. */
  async function meddled(command: string): Promise<(boolean | string | undefined)[][]> {
    const seen: (boolean | string | undefined)[][] = [];
    const calls = await meetAtEveryCall(
      prepare,
      operate,
      () =>
        ip(command).then(
          () => {},
          () => {}, // it is gone already
        ),
      async ({ result = [] }) => {
        expect((await victims()).size).toBe(0);
        seen.push(result.map((one) => one.deleted || (one.error as FlintapError).reason));
      },
    );
    expect(calls).toBeGreaterThanOrEqual(20);
    return seen;
  }

  faulty(
    "while somebody takes one out of the group, deletes that, too",
    async () => {
      for (const results of await meddled("link set victim1 group 0"))
        expect(results).toEqual([true, true, true]);
    },
    patience,
  );

  faulty(
    "while somebody deletes one, deletes the others",
    async () => {
      for (const [first, meddledWith, last] of await meddled("link del victim1")) {
        expect([first, last]).toEqual([true, true]);
        expect([true, "no-such-link"]).toContain(meddledWith);
      }
    },
    patience,
  );

  const together = needs("seam", "veth", "macvtap", "bridge", "proc-sys");

  together("deletes both ends of pairs, in any order", async () => {
    const pairs = await Promise.all([0, 1, 2].map(() => steady.createVeth()));
    const ends = pairs.flat();
    const wanted = [...ends.filter((_, at) => at % 2 === 0), ...ends.filter((_, at) => at % 2 > 0)];
    expect(await deletedTogether(wanted)).toEqual(wanted.map(() => true));
  });

  together("deletes a parent and the macvtaps on it, in any order", async () => {
    for (const parentFirst of [true, false]) {
      const [parent] = await steady.createVeth();
      const children = await Promise.all([0, 1].map(() => steady.createMacvtap({ parent })));
      const wanted = parentFirst ? [parent, ...children] : [...children, parent];
      expect(await deletedTogether(wanted)).toEqual([true, true, true]);
    }
  });

  together("deletes bridges and the macvtaps on them, in any order", async () => {
    const bridges = await Promise.all([0, 1, 2, 3, 4].map(() => steady.createBridge()));
    const children = await Promise.all(
      bridges.map((bridge) => steady.createMacvtap({ parent: bridge })),
    );
    const wanted = [...bridges, ...children];
    expect(await deletedTogether(wanted)).toEqual(wanted.map(() => true));
  });

  together("deletes once what is named several times", async () => {
    const [first, second] = await Promise.all([steady.createBridge(), steady.createVeth()]);
    const wanted = [first, first, second[0], first.name, second[0].index, "nothing"];
    expect(await deletedTogether(wanted)).toEqual([true, false, true, false, false, false]);
  });

  needs("seam", "veth")("given up in its first chunk, finishes that and no more", async () => {
    const many = Array.from({ length: 200 }, (_, at) => `p${at}`);
    await ipBatch(many.map((name) => `link add ${name} type veth peer name ${name}x`));
    await using namespace = NetworkNamespace.current();
    const controller = new AbortController();
    seam().arm(0, 0, { pauseAt: 1 });
    const deletion = namespace.deleteLinks(many, { force: true, signal: controller.signal });
    while (!seam().isPaused()) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    seam().resume();
    const results = await deletion;
    seam().disarm();
    const there = new Set((await links()).map(({ ifname }) => ifname));
    const deleted = results.filter((one) => one.deleted);
    expect(results.map((one) => there.has(one.link as string))).toEqual(
      results.map((one) => !one.deleted),
    );
    expect(deleted.length).toBeGreaterThan(0);
    expect(deleted.length).toBeLessThanOrEqual(128);
    const left = results.filter((one) => !one.deleted).map((one) => one.link as string);
    await namespace.deleteLinks(left, { force: true });
  });
});
