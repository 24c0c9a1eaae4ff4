/** What a keeper tells, in a line. */
import { describe, expect, it } from "vitest";
import { type DesiredTap, FlintapError, formatReport, type TapLink } from "../../../src/index.js";

const device: DesiredTap = {
  kind: "tap",
  name: "guest1",
  bridge: "br0",
  tag: { microvm: "ns1/mvm1", interface: "eth2" },
};
const link = {
  kind: "tun",
  name: "renamed\n",
  tag: { version: 1, owner: "flintap", microvm: "ns1/mvm1", createdAt: new Date(0) },
} as TapLink;
const changes = [
  { field: "bridge", to: "br0", repairable: true },
  { field: "mtu", from: 1_400, to: 1_500, repairable: true },
  { field: "persist", from: false, to: true, repairable: false },
];
const facts = { errno: 0, operation: "apply", step: "look", on: "br0" };
const error = new FlintapError({ ...facts, reason: "no-such-bridge" });

describe("a report in a line", () => {
  it.each([
    [
      { type: "drift", device, link, changes },
      "drift  renamed\\u000a (tap on br0) for ns1/mvm1 eth2  bridge: nothing -> br0, mtu: 1400 -> 1500, persist: false -> true (not while the device lives)",
    ],
    [
      { type: "drift", device, changes: [] },
      "drift  guest1 (tap on br0) for ns1/mvm1 eth2  it is gone",
    ],
    [
      { type: "repaired", device, link, action: "create", changes: [] },
      "repaired  renamed\\u000a (tap on br0) for ns1/mvm1 eth2  made anew",
    ],
    [
      { type: "repaired", device, link, action: "repair", changes: changes.slice(0, 1) },
      "repaired  renamed\\u000a (tap on br0) for ns1/mvm1 eth2  put right: bridge: nothing -> br0",
    ],
    [
      { type: "settled", device, link },
      "settled  renamed\\u000a (tap on br0) for ns1/mvm1 eth2  as wanted, by somebody else",
    ],
    [
      { type: "guest-lost", device, link, needs: "new-fd" },
      "guest-lost  renamed\\u000a (tap on br0) for ns1/mvm1 eth2  its guest needs a new descriptor, or a restart",
    ],
    [
      { type: "guest-lost", device, link, needs: "restart" },
      "guest-lost  renamed\\u000a (tap on br0) for ns1/mvm1 eth2  its guest needs a restart",
    ],
    [
      { type: "contested", device, fields: ["mtu", "up"], wins: "others", changes, pause: 500 },
      "contested  guest1 (tap on br0) for ns1/mvm1 eth2  mtu, up: somebody else wins; tried again in 0.5 s",
    ],
    [
      { type: "contested", device, fields: ["mtu"], wins: "keeper", changes: [], pause: 0 },
      "contested  guest1 (tap on br0) for ns1/mvm1 eth2  mtu: the keeper wins",
    ],
    [{ type: "unwanted", link }, "unwanted  renamed\\u000a (tap) for ns1/mvm1  not wanted"],
    [{ type: "removed", link }, "removed  renamed\\u000a (tap) for ns1/mvm1  deleted"],
  ] as const)("says %j", (report, text) => {
    expect(formatReport(report as Parameters<typeof formatReport>[0])).toBe(text);
  });

  it("says why something failed in the error's own words", () => {
    expect(formatReport({ type: "failed", device, error })).toBe(
      `failed  guest1 (tap on br0) for ns1/mvm1 eth2  ${error.message}`,
    );
    expect(formatReport({ type: "failed", link, error })).toContain("renamed\\u000a (tap)");
  });
});
