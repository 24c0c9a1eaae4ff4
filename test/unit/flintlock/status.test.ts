import { expect, test } from "vitest";
import { statusOf } from "../../../src/flintlock/status.js";
import { mixed, tap } from "./provisioned.js";

test("the status has each device by its interface's id, with the guest's MAC in upper case", () => {
  expect(statusOf(mixed)).toStrictEqual({
    eth0: { host_device_name: "fltap-eth0", index: 1_000_001, mac_address: "AA:FF:00:00:00:01" },
    eth1: {
      host_device_name: "flvtap9c329ce52",
      index: 1_234_567,
      mac_address: "02:00:00:00:00:0A",
    },
    eth2: { host_device_name: "fltap-eth2", index: 1_000_001, mac_address: "02:00:00:00:00:0B" },
  });
});

test("a device id that is a name of Object.prototype's has a status like any other", () => {
  const status = statusOf(["__proto__", "constructor"].map((deviceId) => tap({ deviceId })));
  expect(Object.keys(status)).toEqual(["__proto__", "constructor"]);
});
