/**
 * The queues of a guest's devices, for a VMM that is handed them: opened when the guest is to start.
 */
import type { AppliedDevice } from "../desired/index.js";
import type { Looking } from "../desired/looking.js";
import { FlintapError, isGone } from "../error.js";
import type { Link } from "../link.js";
import { operationsOf } from "../network-namespace.js";
import { closeQueues, type DeviceQueue } from "../queue.js";
import { unheldRequest } from "../requests.js";

/** Refuses devices that a process has open: a guest that runs would share its frames with another. */
export async function requireUnheld(
  links: readonly Link[],
  { namespace, signal }: Looking,
): Promise<void> {
  for (const link of links) {
    try {
      await operationsOf(namespace).run("requireUnheld", unheldRequest(link), signal);
    } catch (error) {
      // A tap that goes with its queues is gone with the VMM that has just ended.
      if (isGone(error)) continue;
      const called = { operation: "provision" };
      throw error instanceof FlintapError ? FlintapError.again(error, called) : error;
    }
  }
}

/** What to open. */
interface Opening extends Looking {
  /** How many queues a device has. */
  count: number;
  /** The guest is about to start: also those of devices that were there already. */
  isStarting: boolean;
}

/** Opens the queues of devices for a guest. Where one cannot be had, none of these is open. */
export async function withQueues(
  devices: readonly AppliedDevice[],
  { count, isStarting, ...looking }: Opening,
): Promise<AppliedDevice[]> {
  const opened: DeviceQueue[] = [];
  try {
    const result: AppliedDevice[] = [];
    for (const device of devices) {
      const { link, action, queues } = device;
      const isNew = action === "create" || action === "replace";
      const isOpen = queues.length > 0 || !(isStarting || isNew);
      const own = isOpen ? [] : await openAll(link, count, looking, opened);
      result.push({ ...device, queues: [...queues, ...own] });
    }
    return result;
  } catch (error) {
    await closeQueues(opened);
    throw error;
  }
}

/** What is open is in `opened`, also where it fails. */
async function openAll(
  link: Link,
  count: number,
  { namespace, signal }: Looking,
  opened: DeviceQueue[],
): Promise<DeviceQueue[]> {
  // A tap that is not persistent is somebody's who made it just now; or it is gone again.
  if (link.kind !== "macvtap") {
    await requireUnheld([link], { namespace, signal });
    const gone = { errno: 19, reason: "no-such-link", operation: "provision" } as const;
    throw new FlintapError({ ...gone, step: "open the queue", device: link.name });
  }
  const own: DeviceQueue[] = [];
  while (own.length < count) {
    const queue = await namespace.openMacvtap(link, { signal, additionalQueue: own.length > 0 });
    own.push(queue);
    opened.push(queue);
  }
  return own;
}
