/**
 * The VMMs for which devices are made, and what each asks of a guest's device. Facts from their own
 * sources: Firecracker 1.17, Cloud Hypervisor 51, QEMU 7.2 to 10.
 *
 * All of them read and write frames with a virtio-net header of 12 bytes (virtio 1.0). Firecracker
 * opens a tap by its name, with one queue. Cloud Hypervisor and QEMU take descriptors, also of a
 * macvtap, which they could open no other way.
 */
import { type Place, refuseOptions } from "./check.js";
import { FlintapError } from "./error.js";
import type { TapOptions } from "./options.js";

/** A VMM that opens a guest's device itself, by its name. */
export type VmmByName = "firecracker" | "firecracker-macvtap";

/** A VMM that is handed the descriptors of a guest's device. */
export type VmmByDescriptor = "cloud-hypervisor" | "qemu";

/**
 * A VMM. `"firecracker-macvtap"` is the branch of Firecracker that opens macvtaps, which was never
 * merged: Firecracker as it is released has taps only.
 */
export type Vmm = VmmByName | VmmByDescriptor;

/** All of them. */
export const vmms = ["firecracker", "firecracker-macvtap", "cloud-hypervisor", "qemu"] as const;

/** Whether a VMM is handed descriptors. */
export function takesDescriptors(vmm: Vmm | undefined): vmm is VmmByDescriptor {
  return vmm === "cloud-hypervisor" || vmm === "qemu";
}

/** Refuses a macvtap for the VMM that opens none. */
export function requireMacvtaps(
  vmm: Vmm | undefined,
  where: { operation: string; step: string; device?: string },
): asserts vmm is Exclude<Vmm, "firecracker"> | undefined {
  if (vmm !== "firecracker") return;
  throw new FlintapError({ errno: 0, reason: "vmm-kind", ...where });
}

/** What of a tap depends on who opens it. */
export interface TapShape {
  persist: boolean;
  multiQueue: boolean;
  /** How many its guest has. */
  queues: number;
  vnetHeader: boolean;
  vnetHeaderSize?: 10 | 12;
}

/** What the options of a tap come to. */
export function tapShape(options: Pick<TapOptions, keyof TapShape | "for">): TapShape {
  const { for: vmm, queues = 1 } = options;
  const { persist = !takesDescriptors(vmm) } = options;
  if (vmm !== undefined)
    return { persist, queues, multiQueue: queues > 1, vnetHeader: true, vnetHeaderSize: 12 };
  const { multiQueue = false, vnetHeader = false, vnetHeaderSize } = options;
  return { persist, queues, multiQueue, vnetHeader, vnetHeaderSize };
}

/** Refuses options of a tap that its VMM could not live with, or that contradict each other. */
export function checkTapShape(
  options: Pick<TapOptions, keyof TapShape | "for">,
  place: Place,
): void {
  const { for: vmm, persist, multiQueue = false, vnetHeader = false, queues = 1 } = options;
  const refuse = (keys: (keyof TapShape)[], expected: string): void =>
    refuseOptions(options, keys, expected, place);
  if (vmm === undefined) {
    if (persist !== false) refuse(["queues"], "no value unless `persist` is false");
    if (!multiQueue && queues > 1) refuse(["queues"], "1 unless `multiQueue` is true");
    if (!vnetHeader) refuse(["vnetHeaderSize"], "no value unless `vnetHeader` is true");
    return;
  }
  const decided: (keyof TapShape)[] = ["multiQueue", "vnetHeader", "vnetHeaderSize"];
  refuse(decided, "no value with `for`, which decides it");
  if (takesDescriptors(vmm)) return;
  if (persist === false) refuse(["persist"], "true: the VMM opens the tap by its name");
  if (queues > 1) refuse(["queues"], "1: Firecracker has one queue for each interface");
}
