/** Devices as QEMU has them: with the queues of each, which it is handed when it starts. */
import type { ChildProcess } from "node:child_process";
import {
  type HostConfig,
  type Microvm,
  type Provisioned,
  type ProvisionedInterface,
  provision,
  qemuNetwork,
} from "../../../src/flintlock/index.js";
import { handOver, type NetworkNamespace } from "../../../src/index.js";

const nodes = new Set<string>();

/** The /dev/tapN of every macvtap that a guest has had. */
export function nodesOfGuests(): string[] {
  return [...nodes];
}

/** Opens the queue of a macvtap that no spec asked for. */
export async function withQueue(
  entry: ProvisionedInterface,
  namespace: NetworkNamespace,
): Promise<ProvisionedInterface> {
  return { ...entry, queues: [await namespace.openMacvtap(entry.link)] };
}

/** Gives a microVM its devices, made or adopted, each with its queue. */
export async function provisionForQemu(
  microvm: Microvm,
  config: HostConfig,
  namespace: NetworkNamespace,
): Promise<Provisioned> {
  return await provision(microvm, { config, namespace, for: "qemu" });
}

/**
 * Starts QEMU with the queues of these devices, which it then has alone. `start` is given QEMU's
 * arguments for them, and the descriptors that are to be its 3, 4 and so on.
 */
export async function startOnDevices(
  devices: readonly ProvisionedInterface[],
  start: (network: string[], descriptors: number[]) => ChildProcess,
): Promise<ChildProcess> {
  for (const { link } of devices) if (link.kind === "macvtap") nodes.add(`/dev/tap${link.index}`);
  const { args, queues } = qemuNetwork(devices);
  return await handOver(queues, (descriptors) => start(args, descriptors));
}
