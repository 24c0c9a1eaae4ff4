/** Interfaces as `provision` returns them, without a host. */
import type { MicrovmInterface } from "../../../src/flintlock/microvm.js";
import type { ProvisionedInterface } from "../../../src/flintlock/status.js";
import { DeviceQueue } from "../../../src/queue.js";
import { fakeLink } from "../fake-addon.js";

type Fields = Omit<MicrovmInterface, "type" | "guestMac">;

/** A macvtap, whose device has its guest's MAC. */
export function macvtap(fields: Fields, index = 1_234_567): ProvisionedInterface {
  const guestMac = "02:00:00:00:00:0a";
  const link = fakeLink({ kind: "macvtap", name: "flvtap9c329ce52", index, mac: guestMac });
  const details = { mode: "bridge" as const };
  return { ...fields, type: "macvtap", guestMac, link: { ...link, kind: "macvtap", details } };
}

/** A tap, whose device's MAC is never its guest's. */
export function tap(fields: Fields, guestMac = "02:00:00:00:00:0b"): ProvisionedInterface {
  const link = fakeLink({ name: `fltap-${fields.deviceId}`, mac: "fe:00:00:00:00:0b" });
  const details = { type: "tap" as const };
  return { ...fields, type: "tap", guestMac, link: { ...link, kind: "tun", details } };
}

/** The interface with so many queues, whose descriptors nobody looks at. */
export function opened(entry: ProvisionedInterface, count = 1): ProvisionedInterface {
  const queue = () => new DeviceQueue(1_000_000, entry.link.name, async () => {});
  return { ...entry, queues: Array.from({ length: count }, queue) };
}

/** The metadata interface. */
export const metadata = tap(
  { deviceId: "eth0", address: { address: "169.254.0.1/16" }, metadata: true },
  "aa:ff:00:00:00:01",
);

/** One of each: the metadata interface, a macvtap by DHCP and a tap with a static address. */
export const mixed: ProvisionedInterface[] = [
  metadata,
  macvtap({ deviceId: "eth1" }),
  tap({
    deviceId: "eth2",
    address: { address: "10.0.0.2/24", gateway: "10.0.0.1/24", nameservers: ["1.1.1.1"] },
  }),
];
