import { describe, expect, test } from "vitest";
import type { Microvm, MicrovmInterface } from "../../../src/flintlock/microvm.js";
import { guestMacOfTap, hostDeviceName, tagOf } from "../../../src/flintlock/names.js";

const microvm: Microvm = { id: "mvm1", namespace: "ns1", interfaces: [] };
const macvtap: MicrovmInterface = { deviceId: "eth1", type: "macvtap" };
const tap: MicrovmInterface = { deviceId: "eth1", type: "tap" };

describe("a host device's name", () => {
  test("fills 15 bytes, and stays what it was in every version", () => {
    expect(hostDeviceName(microvm, macvtap)).toBe("flvtap9c329ce52");
    expect(hostDeviceName(microvm, tap)).toBe("fltap9c329ce521");
  });

  test("differs with each part of the microVM's name, and with the interface", () => {
    const names = [
      hostDeviceName(microvm, tap),
      hostDeviceName({ ...microvm, id: "mvm2" }, tap),
      hostDeviceName({ ...microvm, namespace: "ns2" }, tap),
      hostDeviceName({ ...microvm, uid: "u" }, tap),
      hostDeviceName(microvm, { ...tap, deviceId: "eth2" }),
      hostDeviceName({ ...microvm, namespace: "ns1m", id: "vm1" }, tap),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("the tag of a device", () => {
  test("has the microVM in one word, and the interface", () => {
    expect(tagOf(microvm, tap)).toEqual({ microvm: "ns1/mvm1", interface: "eth1" });
    expect(tagOf({ ...microvm, uid: "u" }, tap).microvm).toBe("ns1/mvm1/u");
  });
});

test("a tap's guest without a MAC of its own gets the tap's, as a guest's address", () => {
  expect(guestMacOfTap("fe:01:02:03:04:05")).toBe("02:01:02:03:04:05");
});
