/**
 * A daemon that restarts with other specs than it had: what it repairs, what it refuses, and what it
 * replaces where it is told to. Its second life is another process.
 */
import { describe, expect } from "vitest";
import type { Microvm, MicrovmInterface } from "../../src/flintlock/index.js";
import { needs } from "../setup/capabilities.js";
import { type Specs, tracedLife, type Way, ways } from "../setup/daemon.js";
import {
  everything,
  firstLife,
  fleet,
  macvtap,
  made,
  oneWay,
  purposes,
  restarting,
  tap,
  wantedBy,
  waysByDevice,
} from "../setup/fleets.js";
import { config, hostOfFile } from "../setup/host.js";
import { type LinkStateNow, stateOfLinks } from "../setup/state.js";

hostOfFile();

/** What two lives of a link have in common if its guest still has it. */
const lasting = ({ ifindex, altnames, kind, ifalias }: LinkStateNow) => ({
  ifindex,
  kind,
  identity: (altnames as string[]).filter((name) => name.startsWith("flintap-")),
  made: /;t=.*/.exec(String(ifalias))?.[0],
});

describe("a daemon restarted with changed specs", () => {
  const specs: Specs = { microvms: fleet([macvtap, tap], 6) };
  /** As the specs are, but that taps' guests have other MACs. */
  const renumbered = specs.microvms.map((one, at) => {
    const [first = macvtap, second = tap] = one.interfaces;
    return { ...one, interfaces: [first, { ...second, guestMac: `02:00:00:00:0f:1${at}` }] };
  });

  type Repair = [what: string, changed: Partial<Specs>, seen: object, needed?: "live-rename"];
  const repairs: Repair[] = [
    ["bridge", { options: { config: { ...config, bridgeName: "br1" } } }, { master: "br1" }],
    [
      "guests' MACs",
      { microvms: renumbered },
      { ifalias: expect.stringMatching(/;g=02:00:00:00:0f:1\d;/) },
    ],
    ["MTU", { device: `({ kind }) => kind === "tap" && { mtu: 1_400 }` }, { mtu: 1_400 }],
    [
      "port's settings",
      { device: `({ kind }) => kind === "tap" && { isolated: true }` },
      { port: expect.objectContaining({ isolated: true }) },
    ],
    [
      "names",
      { device: `({ kind }, at) => kind === "tap" && { name: "guest" + at, otherNames: [] }` },
      { ifname: expect.stringMatching(/^guest\d+$/) },
      "live-rename",
    ],
  ];
  const told: Record<Way, string[]> = {
    "provisioning each": ["adopt", "repair"],
    "planning and applying": ["adopt", "repair"],
    "a keeper that repairs": ["drift", "repaired"],
  };

  for (const [number, [what, changed, seen, needed]] of repairs.entries()) {
    const way = oneWay(number, changed.device === undefined ? undefined : waysByDevice);
    const test = needed === undefined ? restarting : needs(...everything, needed);
    test(`repairs it, and the guests keep their devices: taps' ${what}, by ${way}`, async () => {
      await firstLife(specs);
      const before = await made();
      const second = await tracedLife({ ...specs, ...changed }, ways[way]());
      const each = told[way].flatMap((one): string[] => Array(6).fill(one));
      expect(second.told.sort()).toEqual(each.sort());
      const after = await made();
      expect(after.map(lasting)).toEqual(before.map(lasting));
      const isTap = ({ kind }: LinkStateNow) => kind === "tun";
      expect(after.filter(isTap)).toEqual(Array(6).fill(expect.objectContaining(seen)));
      const others = before.filter((one) => !isTap(one));
      expect(after.filter((one) => !isTap(one))).toEqual(others);
      expect((await tracedLife({ ...specs, ...changed }, ways[way]())).changes).toEqual([]);
    });
  }

  const at = 3;
  /** The specs with one microVM's first interface changed. */
  const withChanged = (changed: Partial<MicrovmInterface>): Microvm[] =>
    specs.microvms.map((one, index) => {
      const [first = macvtap, ...others] = one.interfaces;
      return index === at ? { ...one, interfaces: [{ ...first, ...changed }, ...others] } : one;
    });
  const refusals: [what: string, changed: Partial<Specs>, seen?: object][] = [
    [
      "a macvtap's kind",
      { microvms: withChanged({ type: "tap" }) },
      { kind: "tun", master: "br0" },
    ],
    [
      "a macvtap's parent",
      { options: { config: { ...config, parentIface: "enp1" } } },
      { parent: "enp1" },
    ],
    [
      "a macvtap's guest's MAC",
      { microvms: withChanged({ guestMac: "02:00:00:00:0f:ff" }) },
      { address: "02:00:00:00:0f:ff" },
    ],
    [
      "a macvtap's mode",
      { device: `({ kind }) => kind === "macvtap" && { mode: "private" }` },
      { kind: "macvtap" },
    ],
    // One that goes with its queues is made by whoever starts the guest.
    ["that a tap stays", { options: { for: "cloud-hypervisor" } }],
  ];

  for (const [number, [what, changed, seen]] of refusals.entries()) {
    const whole: Specs = { ...specs, ...changed };
    const only: Specs = { ...whole, microvms: whole.microvms.slice(at, at + 1) };

    restarting(
      `refuses what would take a guest's device, and changes nothing: ${what}`,
      async () => {
        const before = await firstLife(specs);
        // Others could be repaired and made.
        const more = whole.microvms.map((one, index) => {
          const [first = macvtap] = one.interfaces;
          const moved = [first, { ...tap, bridgeName: "br1" }];
          return index === 0 ? { ...one, interfaces: moved } : one;
        });
        more.push({ id: "new", namespace: "ns1", interfaces: [tap] });
        const nothing = { told: [], refused: ["not-repairable"], changes: [] };
        const all = { ...whole, microvms: more };
        expect(await tracedLife(all, ways["planning and applying"]())).toEqual(nothing);
        if (changed.device === undefined)
          expect(await tracedLife(only, ways["provisioning each"]())).toEqual(nothing);
        expect(await tracedLife(only, ways["a keeper that repairs"]())).toEqual({
          told: ["drift"],
          refused: [],
          changes: [],
        });
        expect(await stateOfLinks()).toEqual(before);
      },
    );

    if (seen === undefined) continue;
    const way = oneWay(number, changed.device === undefined ? undefined : waysByDevice);
    restarting(`replaces a device where it is told to: ${what}, by ${way}`, async () => {
      await firstLife(specs);
      const before = await made();
      const [purpose = ""] = wantedBy(only);
      const isReplaced = (one: LinkStateNow) => purposes([one])[0] === purpose;
      const { refused } = await tracedLife(only, ways[way]("{ replace: true }"));
      expect(refused).toEqual([]);
      const after = await made();
      expect(after.filter(isReplaced)).toEqual([expect.objectContaining(seen)]);
      expect(after.find(isReplaced)?.ifindex).not.toBe(before.find(isReplaced)?.ifindex);
      const others = before.filter((one) => !isReplaced(one));
      expect(after.filter((one) => !isReplaced(one))).toEqual(others);
      expect((await tracedLife(only, ways[way]())).changes).toEqual([]);
    });
  }
});
