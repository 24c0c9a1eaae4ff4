import { describe, expect, test } from "vitest";
import type { Microvm, MicrovmInterface } from "../../../src/flintlock/microvm.js";
import {
  hostDeviceName,
  microvmName,
  microvmTags,
  otherDeviceNames,
} from "../../../src/flintlock/names.js";

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

  test("has others behind it for where another link has it, always the same", () => {
    const others = otherDeviceNames(microvm, tap);
    expect(others).toEqual(otherDeviceNames(microvm, tap));
    expect(new Set([hostDeviceName(microvm, tap), ...others]).size).toBe(4);
    for (const name of others) expect(name).toMatch(/^fltap[0-9a-f]{10}$/);
  });
});

test("a microVM's name is one word", () => {
  expect(microvmName(microvm)).toBe("ns1/mvm1");
  expect(microvmName({ ...microvm, uid: "u" })).toBe("ns1/mvm1/u");
});

test("the tags of microVMs name them, and no interface", () => {
  expect(microvmTags([microvm, { ...microvm, uid: "u" }])).toEqual([
    { microvm: "ns1/mvm1" },
    { microvm: "ns1/mvm1/u" },
  ]);
  expect(microvmTags([])).toEqual([]);
});

test.each([
  [{ id: "a/b", namespace: "n" }],
  [{ id: "", namespace: "n" }],
  [{ id: undefined, namespace: "n" }],
  [{ id: "a", namespace: "n/m" }],
  [{ id: "a", namespace: "n", uid: "u/v" }],
])("a microVM's name is refused that could be another's: %j", (parts) => {
  expect(() => microvmName(parts as Microvm)).toThrow(
    expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }),
  );
});
