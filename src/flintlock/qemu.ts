/** What QEMU is told of a microVM's interfaces, by its manual of version 7.2; newer ones agree. Pure. */
import { argumentError, type ChecksFor, object, oneOf } from "../check.js";
import type { DeviceQueue } from "../queue.js";
import {
  type DescriptorOptions,
  descriptorChecks,
  type NumberedInterface,
  numbered,
  requireOpenable,
} from "./descriptors.js";
import type { ProvisionedInterface } from "./status.js";

/** For {@link qemuNetwork}. */
export interface QemuOptions extends DescriptorOptions {
  /**
   * The device that the guest sees: on PCI, or on virtio-mmio, as QEMU's machine `microvm` has it, with
   * one queue. Default: `"virtio-net-pci"`.
   */
  device?: "virtio-net-pci" | "virtio-net-device";
}

/** The part of QEMU's command line that is about the network. */
export interface QemuNetwork {
  /** `-netdev` and `-device` for each interface, in the spec's order. */
  args: string[];
  /** What the child is to have from `firstFd` on, in this order; see `handOver`. */
  queues: DeviceQueue[];
}

const call = "qemuNetwork";

const checkOptions = object({
  ...descriptorChecks,
  device: oneOf("virtio-net-pci", "virtio-net-device"),
} satisfies ChecksFor<QemuOptions>);

/**
 * Puts what was provisioned into QEMU's words: `fd=N`, or `fds=N:M` for several queues; a persistent
 * tap without queues by its name, which QEMU then opens itself. Each has the device id as its `id`, by
 * which it can be removed later.
 *
 * ```ts
 * const { interfaces } = await provision(microvm, { config, namespace, for: "qemu" });
 * const { args, queues } = qemuNetwork(interfaces);
 * const child = await handOver(queues, (fds) =>
 *   spawn("qemu-system-x86_64", [...machine, ...args], { stdio: ["ignore", "pipe", "pipe", ...fds] }),
 * );
 * ```
 *
 * @param interfaces What {@link provision} returned.
 * @param options The first descriptor's number, and the guest's device.
 * @throws {FlintapError} With reason `"no-queues"`: a macvtap, or a tap that goes with its queues, has
 *   none here; its guest runs.
 * @throws {TypeError} A device id is no id of QEMU's (a letter, then letters, digits, `-`, `.`, `_`), or
 *   virtio-mmio was to have several queues.
 */
export function qemuNetwork(
  interfaces: readonly ProvisionedInterface[],
  options: QemuOptions = {},
): QemuNetwork {
  const checked = checkOptions(options, { call, argument: "options" });
  const { device = "virtio-net-pci" } = checked;
  const { entries, queues } = numbered(interfaces, checked);
  const args = entries.flatMap((one, at) => {
    const place = { call, argument: `interfaces[${at}]` };
    requireOpenable(one.entry, place);
    requireId(one.entry.deviceId, `${place.argument}.deviceId`);
    if (device === "virtio-net-device" && one.fds.length > 1)
      throw argumentError("ERR_INVALID_ARG_VALUE", "one queue: only PCI has more", place, one.fds);
    return ["-netdev", netdev(one), "-device", frontend(one, device)];
  });
  return { args, queues };
}

function requireId(id: string, argument: string): void {
  if (/^[a-z][\w.-]*$/i.test(id)) return;
  const expected = "a letter, then letters, digits, '-', '.' and '_', as QEMU's ids are";
  throw argumentError("ERR_INVALID_ARG_VALUE", expected, { call, argument }, id);
}

function netdev({ entry: { deviceId, link }, fds }: NumberedInterface): string {
  const start = `tap,id=${deviceId}`;
  if (fds.length > 1) return `${start},fds=${fds.join(":")}`;
  if (fds.length === 1) return `${start},fd=${fds[0]}`;
  // A comma is doubled; without the scripts QEMU would look for /etc/qemu-ifup.
  return `${start},ifname=${link.name.replaceAll(",", ",,")},script=no,downscript=no`;
}

function frontend(
  { entry: { deviceId, guestMac }, fds }: NumberedInterface,
  device: string,
): string {
  const start = `${device},netdev=${deviceId},id=nic-${deviceId},mac=${guestMac}`;
  if (device === "virtio-net-device") return start;
  // An interrupt for each direction of each queue, for the configuration and for the control queue.
  const several = fds.length > 1 ? `,mq=on,vectors=${2 * fds.length + 2}` : "";
  // A microVM boots its kernel, not from the network: QEMU is not to look for the ROM of that.
  return `${start}${several},romfile=`;
}
