/**
 * A plan under faults: at each system call of applying it, one fails, or the process is killed.
 */
import { afterAll, beforeAll, beforeEach, describe, expect } from "vitest";
import {
  apply,
  changesNothing,
  type DesiredDevice,
  FlintapError,
  NetworkNamespace,
  plan,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { addBridge, addParent, linkNames } from "../setup/iproute2.js";
import { failEveryCall, killAtEveryCall } from "../setup/seam.js";
import { removeLinks } from "../setup/stage.js";
import { stateOfLinks } from "../setup/state.js";

const withAll = needs("seam", "tun", "macvtap", "veth", "bridge", "proc-sys");

const microvm = "ns1/mvm1";
const macvtap = { kind: "macvtap", name: "guest0", parent: "enp0" } as const;
const tap = { kind: "tap", name: "guest1", bridge: "br1", mtu: 1_400 } as const;
const [eth0, eth1, eth2, eth3] = ["eth0", "eth1", "eth2", "eth3"].map((name) => ({
  microvm,
  interface: name,
})) as [Tag, Tag, Tag, Tag];
type Tag = { microvm: string; interface: string };

/** What is there: one to be replaced, one to be repaired, one to be removed. */
const old: DesiredDevice[] = [
  { ...macvtap, mac: "02:00:00:00:00:0a", tag: eth0 },
  { ...tap, tag: eth1 },
  { ...tap, name: "guest9", tag: eth3 },
];
/** What is wanted: a new one besides. */
const wanted: DesiredDevice[] = [
  { ...macvtap, mac: "02:00:00:00:00:0a", mode: "private", tag: eth0 },
  { ...tap, bridge: "br0", isolated: true, mtu: 1_300, tag: eth1 },
  { ...tap, name: "guest2", bridge: "br0", tag: eth2 },
];
const state = { devices: wanted, prune: [{ microvm }] };

let steady: NetworkNamespace;
let laidOut: string[];

beforeAll(async () => {
  await addParent();
  await addBridge("br0");
  await addBridge("br1");
  steady = NetworkNamespace.current();
  laidOut = await linkNames();
});
afterAll(() => steady.close());

async function prepare(): Promise<void> {
  const made = (await linkNames()).filter((name) => !laidOut.includes(name));
  if (made.length > 0) await removeLinks(made);
  await apply(await plan({ devices: old }, { namespace: steady }), { namespace: steady });
}
beforeEach(prepare);

/** A plan from now on: everything that is wanted is there, and nothing besides. */
async function expectWanted(): Promise<void> {
  expect(changesNothing(await plan(state, { namespace: steady }))).toBe(true);
  expect(await linkNames()).toEqual([...laidOut, "guest0", "guest1", "guest2"].sort());
}

/** Each is there, down, and none of those that are wanted. */
async function expectOnlyOldOnes(left: readonly string[]): Promise<void> {
  const now = await stateOfLinks();
  for (const words of left) {
    const [, name] = /^link (\S+) \(index \d+\)$/.exec(words) ?? [];
    expect(["guest0", "guest1", "guest2"]).not.toContain(name);
    expect(now).toContainEqual(expect.objectContaining({ ifname: name, up: false }));
  }
}

const inVepaMode = (device: DesiredDevice): DesiredDevice =>
  device.kind === "macvtap" ? { ...device, mode: "vepa" } : device;

const planned = () => plan(state, { namespace: steady, replace: true });

describe("applying a plan", () => {
  withAll("in which any system call fails is taken back, or says what is still there", async () => {
    let before = await stateOfLinks();
    let found = await planned();
    const struck = await failEveryCall(
      5,
      () => apply(found, { namespace: steady }),
      async ({ error, at }) => {
        if (error === undefined) await expectWanted();
        else {
          expect(error, `call ${at}`).toBeInstanceOf(FlintapError);
          const { leftBehind = [] } = error as FlintapError;
          const now = await stateOfLinks();
          // What is wanted is there by then: only deletes are left.
          if (leftBehind.length > 0) await expectOnlyOldOnes(leftBehind);
          else expect(now, `call ${at}`).toEqual(before);
        }
        await prepare();
        before = await stateOfLinks();
        found = await planned();
      },
    );
    expect(struck.length).toBeGreaterThan(60);
  });

  withAll(
    "in which the process is killed anywhere is done by planning and applying again",
    async () => {
      const killed = new Map<string, number>();
      const calls = await killAtEveryCall(
        `const found = await flintap.plan(${JSON.stringify(state)}, { namespace, replace: true });
       arm();
       await flintap.apply(found, { namespace });`,
        async (at) => {
          const again = await planned();
          const actions = again.steps.map(({ action }) => action).join(" ");
          killed.set(actions, (killed.get(actions) ?? 0) + 1);
          // Also if something else is wanted by then.
          if (at % 2 === 0) {
            const other = { ...state, devices: wanted.map(inVepaMode) };
            const found = await plan(other, { namespace: steady, replace: true });
            await apply(found, { namespace: steady });
          }
          await apply(await planned(), { namespace: steady });
          await expectWanted();
          await prepare();
        },
      );
      expect(calls).toBeGreaterThan(60);
      // Killed before anything was done, in the middle, and when only a delete was left.
      expect(killed.size).toBeGreaterThan(3);
      await expectWanted();
    },
    600_000,
  );
});
