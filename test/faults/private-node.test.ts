/**
 * A macvtap's queue where no `/dev/tapN` is: the node that is made for the moment of opening it is
 * gone whatever fails, also where a folder in /dev has to hold it.
 */
import { readdirSync, rmSync, statSync } from "node:fs";
import { constants } from "node:os";
import { afterAll, beforeAll, beforeEach, describe, expect } from "vitest";
import type { NativeFaults } from "../../src/addon.js";
import type { DeviceQueue } from "../../src/index.js";
import { type Capability, missing, needs } from "../setup/capabilities.js";
import { mountPrivateDev } from "../setup/private-dev.js";
import { type FaultyRun, failEveryCall, failEveryPair, killAtEveryCall } from "../setup/seam.js";
import { Scene } from "./scene.js";
import { expectOpen, type Subject } from "./subject.js";

const { EIO } = constants.errno;

const needed: Capability[] = ["root", "seam", "veth", "bridge", "macvtap", "mknod"];
const here = needed.every((capability) => missing(capability) === undefined);

const opening: Subject<DeviceQueue> = {
  name: "openMacvtap, by a node of its own",
  operation: "openMacvtap",
  needs: needed,
  least: 19,
  prepare: (steady) => steady.createMacvtap({ parent: "enp0", name: "guest0" }),
  operate: (namespace) => namespace.openMacvtap("guest0"),
  complete: expectOpen,
};

let scene: Scene;
let nodes: string[];

beforeAll(async () => {
  if (!here) return;
  mountPrivateDev();
  scene = await Scene.layOut();
  await scene.prepare(opening);
  nodes = readdirSync("/dev").sort();
});

beforeEach(() => scene?.prepare(opening));

afterAll(() => scene?.close());

async function inspect(run: FaultyRun<DeviceQueue>): Promise<void> {
  const found = readdirSync("/dev").sort();
  await scene.expectAllOrNothing(opening, run);
  expect(found).toEqual(nodes);
}

const ways: [string, NativeFaults, number][] = [
  ["in a file system mounted nowhere", {}, 25],
  ["in a folder in /dev, where nothing may be mounted", { refused: "fsopen" }, 31],
];

describe.each(ways)("a node %s", (_, faults, least) => {
  const operate = (): Promise<DeviceQueue> => scene.operate(opening);

  needs(...needed)("is gone when any system call fails", async () => {
    const struck = await failEveryCall(EIO, operate, inspect, faults);
    expect(struck.length).toBeGreaterThanOrEqual(least);
  });

  needs(...needed)("is named when it cannot be removed", async () => {
    const struck = await failEveryCall(
      EIO,
      operate,
      async (run) => {
        const left = readdirSync("/dev").filter((name) => !nodes.includes(name));
        await run.result?.close();
        await scene.expectHandleWorks();
        const { leftBehind } = (run.error ?? {}) as { leftBehind?: string[] };
        expect(leftBehind ?? []).toEqual(left.map((name) => `/dev/${name}`));
        for (const name of left) rmSync(`/dev/${name}`, { recursive: true });
      },
      { ...faults, fromThenOn: true },
    );
    expect(struck.length).toBeGreaterThanOrEqual(least);
  });

  needs(...needed)("is gone when any two system calls fail", async () => {
    const pairs = await failEveryPair(EIO, operate, inspect, faults);
    expect(pairs).toBeGreaterThanOrEqual(least);
  });
});

describe("killed at any system call", () => {
  const open = `await namespace.getLink("lo"); arm();
    const queue = await namespace.openMacvtap("guest0");
    await queue.close();`;

  needs(...needed)("openMacvtap leaves no node", async () => {
    const calls = await killAtEveryCall(open, async () => {
      expect(readdirSync("/dev").sort()).toEqual(nodes);
    });
    expect(calls).toBeGreaterThanOrEqual(18);
  });

  needs(...needed)(
    "openMacvtap can leave its folder in /dev, only root's, where nothing may be mounted",
    async () => {
      const modes: number[] = [];
      const inspect = async (): Promise<void> => {
        for (const name of readdirSync("/dev").filter((found) => !nodes.includes(found))) {
          expect(name).toMatch(/^\.flintap-\d+$/);
          modes.push(statSync(`/dev/${name}`).mode & 0o777);
          rmSync(`/dev/${name}`, { recursive: true });
        }
      };
      const calls = await killAtEveryCall(open, inspect, { refused: "fsopen" });
      expect(calls).toBeGreaterThanOrEqual(24);
      expect(new Set(modes)).toEqual(new Set([0o700]));
    },
  );
});
