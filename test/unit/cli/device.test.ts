import { expect, test } from "vitest";
import { ageOf, reportOf, stateOf } from "../../../src/cli/device.js";
import type { MacvtapLink, TapLink } from "../../../src/link.js";

const base = { index: 7, altNames: [], mtu: 1500, up: true, flags: 1 };

test("a device without a tag is told of with null for what is not known", () => {
  const macvtap: MacvtapLink = {
    ...base,
    kind: "macvtap",
    name: "m",
    mac: "02:00:00:00:00:01",
    details: { mode: "bridge" },
  };
  expect(reportOf(macvtap, "enp0")).toEqual({
    device: "m",
    kind: "macvtap",
    index: 7,
    guestMac: "02:00:00:00:00:01",
    mac: "02:00:00:00:00:01",
    on: "enp0",
    mtu: 1500,
    state: "up",
    microvm: null,
    interface: null,
    owner: null,
    createdAt: null,
  });
});

test("a tap's own MAC is not its guest's", () => {
  const tap: TapLink = {
    ...base,
    kind: "tun",
    name: "t",
    mac: "fe:0:0:0:0:1",
    details: { type: "tap" },
  };
  expect(reportOf(tap, undefined)).toMatchObject({ kind: "tap", guestMac: null, on: null });
});

test("a device that is up without carrier is neither up nor down", () => {
  const link: MacvtapLink = { ...base, kind: "macvtap", name: "m", details: { mode: "bridge" } };
  expect(stateOf(link)).toBe("up");
  expect(stateOf({ ...link, carrier: false })).toBe("no-carrier");
  expect(stateOf({ ...link, up: false, carrier: false })).toBe("down");
});

test("an age is in the largest unit of which there are two", () => {
  const now = new Date("2026-01-10T00:00:00Z");
  const age = (seconds: number) => ageOf(new Date(now.getTime() - seconds * 1000), now);
  expect([-5, 0, 119, 120, 7199, 7200, 172_799, 172_800].map(age)).toEqual([
    "0s",
    "0s",
    "119s",
    "2m",
    "119m",
    "2h",
    "47h",
    "2d",
  ]);
});
