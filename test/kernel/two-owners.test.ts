/**
 * Two owners on one host: daemons that have microVMs of the same names, each a process of its own. What
 * the one does is seen at the socket, and iproute2 sees whether the other's devices are as they were.
 */
import { describe, expect } from "vitest";
import { parseTag } from "../../src/index.js";
import { collecting, live, type Specs, tracedLife, ways } from "../setup/daemon.js";
import {
  fleet,
  growOld,
  macvtap,
  made,
  purposes,
  restarting,
  tap,
  wantedBy,
} from "../setup/fleets.js";
import { hostOfFile } from "../setup/host.js";
import { ipBatch } from "../setup/iproute2.js";
import type { LinkStateNow } from "../setup/state.js";
import type { SystemCall } from "../setup/strace.js";

hostOfFile();

/** Of no guest the spec says which MAC it has: each owner's have their own. */
const silent = fleet([macvtap, tap], 6).map((one) => ({ ...one, interfaces: [macvtap, tap] }));
const elsewhere = { config: { parentIface: "enp1", bridgeName: "br1" } };

/** What the first and the second have. */
const scenes: Record<string, [Specs, Specs]> = {
  "the same specs": [
    { microvms: silent, owner: "first" },
    { microvms: silent, owner: "second" },
  ],
  "specs with the same MACs, on other bridges and parents": [
    { microvms: fleet([macvtap, tap], 6), owner: "first" },
    { microvms: fleet([macvtap, tap], 6), owner: "second", options: elsewhere },
  ],
};

/** An owner's devices. */
const ownedBy = async ({ owner }: Specs): Promise<LinkStateNow[]> =>
  (await made()).filter(({ ifalias }) => parseTag(String(ifalias))?.owner === owner);

/** Both owners have what they want, each once. */
async function expectBoth(scene: readonly Specs[]): Promise<void> {
  for (const specs of scene) expect(purposes(await ownedBy(specs))).toEqual(wantedBy(specs));
}

/** What somebody else does to the devices of both. */
const spoil = async (): Promise<void> =>
  ipBatch(
    (await made()).map(
      ({ ifname, kind }) => `link set ${ifname} ${kind === "tun" ? "nomaster" : "down"}`,
    ),
  );

/** Whether a call names one of these devices, in whichever way. */
const isAbout = ({ text }: SystemCall, devices: readonly LinkStateNow[]): boolean =>
  devices.some(({ ifname, ifindex, altnames }) =>
    [`"${ifname}"`, `ifi_index=${ifindex},`, ...(altnames as string[])].some((words) =>
      text.includes(words),
    ),
  );

/** What a daemon does, how many devices it has then, and whether they were spoilt before. */
const works: [what: string, work: string, left: number, isSpoilt?: boolean][] = [
  ["provisions each of its microVMs", ways["provisioning each"](), 12, true],
  ["plans and applies", ways["planning and applying"](), 12, true],
  ["keeps its devices, and repairs them", ways["a keeper that repairs"](), 12, true],
  ["collects all that it has", collecting(0, "[]"), 0],
  ["releases a microVM", "await flintlock.release(microvms[0], { namespace: own });", 10],
];

describe("two owners on one host", () => {
  for (const [what, scene] of Object.entries(scenes)) {
    restarting(`have their own devices each, and adopt no others: ${what}`, async () => {
      const [first, second] = scene;
      await live(first, ways["provisioning each"]());
      const ofFirst = await ownedBy(first);
      await live(second, ways["provisioning each"]());
      expect(await ownedBy(first)).toEqual(ofFirst);
      await expectBoth(scene);
      await growOld();
      const before = await made();
      for (const specs of scene)
        for (const work of Object.values(ways))
          expect(await tracedLife(specs, work())).toMatchObject({ refused: [], changes: [] });
      expect(await made()).toEqual(before);
    });

    for (const [number, [does, work, left, isSpoilt = false]] of works.entries()) {
      const at = number % 2;
      restarting(
        `do not touch each other's where the ${at === 0 ? "first" : "second"} ${does}: ${what}`,
        async () => {
          const [actor, other] = [scene[at] as Specs, scene[1 - at] as Specs];
          for (const specs of scene) await live(specs, ways["provisioning each"]());
          await expectBoth(scene);
          await growOld();
          if (isSpoilt) await spoil();
          const theirs = await ownedBy(other);
          const { refused, changes } = await tracedLife(actor, work);
          expect(refused).toEqual([]);
          expect(changes.length).toBeGreaterThan(0);
          expect(changes.filter((call) => isAbout(call, theirs))).toEqual([]);
          expect(await ownedBy(other)).toEqual(theirs);
          expect(await ownedBy(actor)).toHaveLength(left);
          if (isSpoilt)
            for (const { up, master, kind } of await ownedBy(actor))
              expect([up, master !== undefined]).toEqual([true, kind === "tun"]);
        },
      );
    }
  }
});
