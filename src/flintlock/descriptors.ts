/**
 * The numbers that queues have in a VMM's process. A child has the entries of `spawn`'s `stdio` by
 * their places there: behind the standard streams, queues follow in the order of the interfaces. Pure.
 */
import { argumentError, type ChecksFor, integer, object, type Place } from "../check.js";
import { FlintapError } from "../error.js";
import type { DeviceQueue } from "../queue.js";
import type { ProvisionedInterface } from "./status.js";

/** For the fragments of VMMs that take descriptors. */
export interface DescriptorOptions {
  /** The number of the first queue in the VMM's process, from 3. Default: 3. */
  firstFd?: number;
}

export const descriptorChecks = {
  firstFd: integer(3, 2_147_483_647),
} satisfies ChecksFor<DescriptorOptions>;

export const descriptorOptions = object(descriptorChecks);

/** An interface with the numbers of its queues in the VMM's process. */
export interface NumberedInterface {
  entry: ProvisionedInterface;
  fds: number[];
}

/** Numbers the queues of interfaces, and gives them in that order. */
export function numbered(
  interfaces: readonly ProvisionedInterface[],
  { firstFd = 3 }: DescriptorOptions,
): { entries: NumberedInterface[]; queues: DeviceQueue[] } {
  let next = firstFd;
  const entries = interfaces.map((entry) => ({
    entry,
    fds: (entry.queues ?? []).map(() => next++),
  }));
  return { entries, queues: interfaces.flatMap(({ queues = [] }) => queues) };
}

/**
 * Refuses an interface that its VMM could not open: a device without queues that is no persistent tap,
 * which is the only one to be opened by its name.
 */
export function requireOpenable(
  { deviceId, link, queues = [] }: ProvisionedInterface,
  place: Place,
): void {
  if (queues.some(({ fd }) => fd < 0))
    throw argumentError("ERR_INVALID_ARG_VALUE", "queues that are open", place, queues);
  if (queues.length > 0 || (link.kind === "tun" && link.details.persistent !== false)) return;
  throw new FlintapError({
    errno: 0,
    reason: "no-queues",
    operation: place.call,
    step: `the queues of ${deviceId}`,
    device: link.name,
  });
}
