import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FlintapError } from "../../../src/error.js";
import { firecrackerNetwork } from "../../../src/flintlock/firecracker.js";
import { macvtap, metadata, mixed, tap } from "./provisioned.js";

test("a tap that goes with its queues is refused: Firecracker would open another", () => {
  const one = tap({ deviceId: "eth1" });
  const details = { type: "tap" as const, persistent: false };
  const ephemeral = { ...one, link: { ...one.link, kind: "tun" as const, details } };
  expect(() => firecrackerNetwork([ephemeral])).toThrow("Expected a tap that stays");
});

describe("Firecracker as it is released", () => {
  test("gets taps by name, with the guest's MAC and not the device's", () => {
    expect(firecrackerNetwork([metadata, tap({ deviceId: "eth1" })])).toStrictEqual({
      "network-interfaces": [
        { iface_id: "eth0", host_dev_name: "fltap-eth0", guest_mac: "aa:ff:00:00:00:01" },
        { iface_id: "eth1", host_dev_name: "fltap-eth1", guest_mac: "02:00:00:00:00:0b" },
      ],
      "mmds-config": { network_interfaces: ["eth0"] },
    });
  });

  test("gets no metadata service where no interface is for it", () => {
    const network = firecrackerNetwork([tap({ deviceId: "eth0" })]);
    expect(Object.keys(network)).toEqual(["network-interfaces"]);
    expect(firecrackerNetwork([])).toStrictEqual({ "network-interfaces": [] });
  });

  test("gets no macvtap, and the error says who takes one", () => {
    const refused = expect.objectContaining({
      name: "FlintapError",
      code: "ERR_FLINTAP_REFUSED",
      reason: "vmm-kind",
      operation: "firecrackerNetwork",
      step: "host_dev_name of eth1",
      device: "flvtap9c329ce52",
      hint: expect.stringContaining('for: "firecracker-macvtap"'),
    });
    expect(() => firecrackerNetwork(mixed)).toThrow(FlintapError);
    expect(() => firecrackerNetwork(mixed)).toThrow(refused);
    expect(() => firecrackerNetwork(mixed, { for: "firecracker" })).toThrow(refused);
  });
});

test("the branch with macvtap gets its device node and its own MAC, and taps as ever", () => {
  expect(firecrackerNetwork(mixed, { for: "firecracker-macvtap" })).toStrictEqual({
    "network-interfaces": [
      { iface_id: "eth0", host_dev_name: "fltap-eth0", guest_mac: "aa:ff:00:00:00:01" },
      { iface_id: "eth1", host_dev_name: "/dev/tap1234567", guest_mac: "02:00:00:00:00:0a" },
      { iface_id: "eth2", host_dev_name: "fltap-eth2", guest_mac: "02:00:00:00:00:0b" },
    ],
    "mmds-config": { network_interfaces: ["eth0"] },
  });
  expect(macvtap({ deviceId: "eth1" }).link.mac).toBe("02:00:00:00:00:0a");
});

test("a VMM that there is not is refused", () => {
  // @ts-expect-error not one of those there are
  expect(() => firecrackerNetwork([], { for: "qemu" })).toThrow(
    "Expected one of 'firecracker', 'firecracker-macvtap' for `firecrackerNetwork` option `for`",
  );
});

test("the order is the spec's, and each id of the metadata service is an interface's", () => {
  const entry = fc.record({ deviceId: fc.string(), metadata: fc.boolean() });
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const network = firecrackerNetwork(entries.map((fields) => tap(fields)));
      const ids = network["network-interfaces"].map(({ iface_id }) => iface_id);
      expect(ids).toEqual(entries.map(({ deviceId }) => deviceId));
      const reached = network["mmds-config"]?.network_interfaces ?? [];
      expect(reached).toEqual(entries.filter((one) => one.metadata).map((one) => one.deviceId));
    }),
  );
});
