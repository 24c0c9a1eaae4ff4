import fc from "fast-check";
import { expect, test } from "vitest";
import { qemuNetwork } from "../../../src/flintlock/qemu.js";
import { macvtap, metadata, opened, tap } from "./provisioned.js";

test("a persistent tap is opened by its name, and what has a queue by its descriptor", () => {
  const eth1 = opened(macvtap({ deviceId: "eth1" }));
  const { args, queues } = qemuNetwork([metadata, eth1]);
  expect(args).toEqual([
    ...["-netdev", "tap,id=eth0,ifname=fltap-eth0,script=no,downscript=no"],
    ...["-device", "virtio-net-pci,netdev=eth0,id=nic-eth0,mac=aa:ff:00:00:00:01,romfile="],
    ...["-netdev", "tap,id=eth1,fd=3"],
    ...["-device", "virtio-net-pci,netdev=eth1,id=nic-eth1,mac=02:00:00:00:00:0a,romfile="],
  ]);
  expect(queues).toEqual(eth1.queues);
  expect(qemuNetwork([])).toEqual({ args: [], queues: [] });
});

test("several queues have an interrupt for each direction, and two more", () => {
  const entries = [opened(tap({ deviceId: "eth1" })), opened(macvtap({ deviceId: "eth2" }), 2)];
  const { args } = qemuNetwork(entries, { firstFd: 4 });
  expect(args.filter((word) => word.startsWith("tap"))).toEqual([
    "tap,id=eth1,fd=4",
    "tap,id=eth2,fds=5:6",
  ]);
  expect(args.at(-1)).toMatch(/,mac=02:00:00:00:00:0a,mq=on,vectors=6,romfile=$/);
});

test("the machine microvm has its devices on virtio-mmio, with one queue", () => {
  const device = "virtio-net-device";
  const { args } = qemuNetwork([opened(tap({ deviceId: "eth1" }))], { device });
  expect(args.at(-1)).toBe("virtio-net-device,netdev=eth1,id=nic-eth1,mac=02:00:00:00:00:0b");
  expect(() => qemuNetwork([opened(tap({ deviceId: "eth1" }), 2)], { device })).toThrow(
    "Expected one queue: only PCI has more",
  );
  // @ts-expect-error QEMU has it, but no guest here
  expect(() => qemuNetwork([], { device: "e1000" })).toThrow("'virtio-net-device'");
});

test("a comma in a tap's name is doubled, as QEMU's options have it", () => {
  const one = tap({ deviceId: "eth1" });
  const { args } = qemuNetwork([{ ...one, link: { ...one.link, name: "a,fd=9" } }]);
  expect(args[1]).toBe("tap,id=eth1,ifname=a,,fd=9,script=no,downscript=no");
});

test("what could only be opened by its queue is refused without one", () => {
  expect(() => qemuNetwork([macvtap({ deviceId: "eth1" })])).toThrow(
    expect.objectContaining({ reason: "no-queues", operation: "qemuNetwork" }),
  );
  const one = tap({ deviceId: "eth1" });
  const details = { type: "tap" as const, persistent: false };
  const ephemeral = { ...one, link: { ...one.link, kind: "tun" as const, details } };
  expect(() => qemuNetwork([ephemeral])).toThrow(expect.objectContaining({ reason: "no-queues" }));
});

test("a device id is one of QEMU's ids, or refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (deviceId) => {
      const isId = /^[A-Za-z][A-Za-z0-9._-]*$/.test(deviceId);
      const told = () => qemuNetwork([{ ...tap({ deviceId: "eth1" }), deviceId }]).args[1];
      if (isId) expect(told()).toContain(`,id=${deviceId},`);
      else expect(told).toThrow(TypeError);
    }),
  );
});
