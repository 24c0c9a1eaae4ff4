/**
 * A daemon that restarts: its second life is another process, which knows the specs and nothing else.
 * What it does is counted at the socket, and iproute2 sees what has become of the devices.
 */
import { describe, expect } from "vitest";
import {
  collecting,
  countCalls,
  live,
  liveUntilCall,
  oneAfterTheOther,
  type Specs,
  tracedLife,
  type Way,
  ways,
} from "../setup/daemon.js";
import {
  firstLife,
  fleet,
  fleets,
  growOld,
  macvtap,
  made,
  purposes,
  restarting,
  tap,
  wantedBy,
} from "../setup/fleets.js";
import { hostOfFile } from "../setup/host.js";
import { type LinkStateNow, stateOfLinks } from "../setup/state.js";

hostOfFile();

/** Nothing was changed; so many devices are there as wanted. */
const adopted = (count: number) => ({
  told: Array(count).fill("adopt"),
  refused: [],
  changes: [],
});

describe("a daemon restarted with the same specs", () => {
  for (const [what, specs] of Object.entries(fleets))
    for (const way of Object.keys(ways) as Way[])
      restarting(`sends nothing but looks: ${what}, by ${way}`, async () => {
        const before = await firstLife(specs, way === "a keeper that repairs" ? undefined : way);
        const second = await tracedLife(specs, ways[way]());
        const count = wantedBy(specs).length;
        expect(second).toEqual(way === "a keeper that repairs" ? adopted(0) : adopted(count));
        expect(await stateOfLinks()).toEqual(before);
      });

  restarting("sends nothing but looks, whichever way the first one went", async () => {
    const specs = { microvms: fleet([macvtap, tap]) };
    const first = await tracedLife(specs, ways["a keeper that repairs"]());
    // That much is seen of who makes them.
    expect(first.changes.length).toBeGreaterThan(wantedBy(specs).length);
    await growOld();
    const before = await stateOfLinks();
    for (const work of [...Object.values(ways).map((way) => way()), collecting(0)])
      expect(await tracedLife(specs, work)).toMatchObject({ refused: [], changes: [] });
    expect(await stateOfLinks()).toEqual(before);
  });
});

describe("a daemon restarted with fewer specs", () => {
  /** Every fourth microVM is in the specs no more. */
  const isDropped = (_: unknown, at: number) => at % 4 === 1;
  const fewer = (specs: Specs): Specs => ({
    ...specs,
    microvms: specs.microvms.filter((_, at) => !isDropped(_, at)),
  });
  const dropped = (specs: Specs): Specs => ({
    ...specs,
    microvms: specs.microvms.filter(isDropped),
  });

  /** The names of the devices of specs. */
  const namesFor = (specs: Specs, devices: readonly LinkStateNow[]): string[] =>
    devices
      .filter((one) => wantedBy(specs).includes(purposes([one])[0] ?? ""))
      .map(({ ifname }) => ifname)
      .sort();

  for (const [what, specs] of Object.entries(fleets)) {
    restarting(`collects exactly what the others have left: ${what}`, async () => {
      const before = await firstLife(specs);
      const devices = await made();
      const removed = namesFor(dropped(specs), devices);
      const kept = namesFor(fewer(specs), devices);
      expect(removed.length + kept.length).toBe(devices.length);
      const { told, refused, changes } = await tracedLife(
        fewer(specs),
        `${ways["provisioning each"]()} told.length = 0; ${collecting(5_000)}`,
      );
      expect({ told, refused }).toEqual({ told: [{ removed, kept, young: [] }], refused: [] });
      expect(changes.length).toBeGreaterThan(0);
      expect(await stateOfLinks()).toEqual(
        before.filter(({ ifname }) => !removed.includes(ifname)),
      );
    });

    restarting(`collects nothing that is young, and tells which it is: ${what}`, async () => {
      await live(specs, ways["provisioning each"]());
      const before = await stateOfLinks();
      const devices = await made();
      const young = namesFor(dropped(specs), devices);
      const kept = namesFor(fewer(specs), devices);
      expect(await tracedLife(fewer(specs), collecting(3_600_000))).toEqual({
        told: [{ removed: [], kept, young }],
        refused: [],
        changes: [],
      });
      expect(await stateOfLinks()).toEqual(before);
    });
  }
});

describe("a daemon killed in the middle", () => {
  /** Of a call, which ones of all that one thread makes. */
  const moments = { sendmsg: [0.5, 0.9], ioctl: [0.7] };

  /** What it does, and how the one that follows comes to all of it. */
  const lives: [how: string, work: string, next: Way][] = [
    ["provisioning one after the other", oneAfterTheOther, "provisioning each"],
    ["planning and applying", ways["planning and applying"](), "planning and applying"],
  ];

  for (const [number, [what, specs]] of Object.entries(fleets).entries()) {
    const [how, work, next] = lives[number % lives.length] as (typeof lives)[number];
    restarting(`is followed by one that has all of it, once: ${what}, by ${how}`, async () => {
      const laidOut = await stateOfLinks();
      const wanted = wantedBy(specs);
      const removeAll = () => live({ ...specs, microvms: [] }, collecting(0));
      let halfDone = 0;
      for (const [call, parts] of Object.entries(moments)) {
        const calls = await countCalls(specs, work, call);
        await removeAll();
        for (const part of calls === 0 ? [] : parts) {
          const { signal } = await liveUntilCall(specs, work, {
            call,
            at: Math.ceil(part * calls),
          });
          // Together they may be made by fewer calls than when these were counted.
          expect([null, "SIGKILL"]).toContain(signal);
          const { length } = await made();
          if (length > 0 && length < wanted.length) halfDone += 1;
          await live(specs, ways[next]());
          const before = await stateOfLinks();
          expect(purposes(await made())).toEqual(wanted);
          expect(before).toHaveLength(laidOut.length + wanted.length);
          expect(await tracedLife(specs, ways[next]())).toEqual(adopted(wanted.length));
          expect(await stateOfLinks()).toEqual(before);
          await removeAll();
          expect(await stateOfLinks()).toEqual(laidOut);
        }
      }
      if (work === oneAfterTheOther) expect(halfDone).toBeGreaterThan(0);
    });
  }
});
