/**
 * How a guest comes by its devices: the one place that knows how they are made for QEMU, and how their
 * descriptors get there.
 */
import type { ChildProcess } from "node:child_process";
import {
  type HostConfig,
  type Microvm,
  type Provisioned,
  type ProvisionedInterface,
  provision,
} from "../../../src/flintlock/index.js";
import type { DeviceQueue, NetworkNamespace } from "../../../src/index.js";

/** An interface of a guest with its device, and with the queues of it that are open. */
export interface GuestDevice extends ProvisionedInterface {
  queues: DeviceQueue[];
}

/** What {@link provisionForQemu} gives. */
export interface ProvisionedForQemu extends Provisioned {
  interfaces: (Provisioned["interfaces"][number] & GuestDevice)[];
}

/** A tap as QEMU takes it, which goes when QEMU ends; for `createTap`. */
export const ofQemu = { persist: false, vnetHeader: true, vnetHeaderSize: 12 } as const;

const nodes = new Set<string>();

/** The /dev/tapN of every macvtap that a guest has had. */
export function nodesOfGuests(): string[] {
  return [...nodes];
}

/** Opens a queue of a device that is there. */
export async function withQueue<Entry extends ProvisionedInterface>(
  entry: Entry,
  namespace: NetworkNamespace,
): Promise<Entry & GuestDevice> {
  const { link } = entry;
  if (link.kind !== "macvtap") return { ...entry, queues: [await namespace.openTap(link)] };
  nodes.add(`/dev/tap${link.index}`);
  return { ...entry, queues: [await namespace.openMacvtap(link)] };
}

/** Gives a microVM its devices, made or adopted, each with a queue that is open. */
export async function provisionForQemu(
  microvm: Microvm,
  config: HostConfig,
  namespace: NetworkNamespace,
): Promise<ProvisionedForQemu> {
  const { interfaces, status } = await provision(microvm, { config, namespace });
  const opened = await Promise.all(interfaces.map((entry) => withQueue(entry, namespace)));
  return { interfaces: opened, status };
}

/**
 * Starts QEMU with the queues of these devices, which it then has alone. `start` is given QEMU's
 * arguments for them, and the descriptors that are to be its 3, 4 and so on.
 */
export async function startOnDevices(
  devices: readonly GuestDevice[],
  start: (network: string[], descriptors: number[]) => ChildProcess,
): Promise<ChildProcess> {
  const queues = devices.flatMap((device) => device.queues);
  const network = devices.flatMap(({ guestMac }, at) => [
    ...["-netdev", `tap,id=net${at},fd=${3 + at}`],
    ...["-device", `virtio-net-pci,netdev=net${at},mac=${guestMac},romfile=`],
  ]);
  const descriptors = queues.map(({ fd }) => fd);
  try {
    return start(network, descriptors);
  } finally {
    await Promise.all(queues.map((queue) => queue.close()));
  }
}
