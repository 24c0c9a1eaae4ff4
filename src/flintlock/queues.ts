/**
 * The queues of a guest's devices, for a VMM that is handed them: opened when the guest is to start.
 */
import type { AppliedDevice } from "../desired/index.js";
import type { Looking } from "../desired/looking.js";
import { labelOf, withLeft } from "../desired/undo-log.js";
import { FlintapError, isGone } from "../error.js";
import type { Link } from "../link.js";
import { operationsOf } from "../network-namespace.js";
import type { DeviceQueue } from "../queue.js";
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

/**
 * Opens the queues of devices for a guest. Where one cannot be had, none is open, and devices that were
 * made for it are deleted again.
 */
export async function withQueues(
  devices: readonly AppliedDevice[],
  { count, isStarting, ...looking }: Opening,
): Promise<AppliedDevice[]> {
  const opened: AppliedDevice[] = [];
  try {
    for (const device of devices) {
      const { link, action, queues } = device;
      const isNew = action === "create" || action === "replace";
      const isOpen = queues.length > 0 || !(isStarting || isNew);
      opened.push(isOpen ? device : { ...device, queues: await openAll(link, count, looking) });
    }
    return opened;
  } catch (error) {
    const all = [...devices, ...opened].flatMap(({ queues }) => queues);
    await Promise.all(all.map((queue) => queue.close()));
    throw withLeft([error], await deleteMade(devices, looking));
  }
}

async function openAll(
  link: Link,
  count: number,
  { namespace, signal }: Looking,
): Promise<DeviceQueue[]> {
  // A tap that is not persistent is somebody's who made it just now.
  if (link.kind !== "macvtap") await requireUnheld([link], { namespace, signal });
  const queues: DeviceQueue[] = [];
  try {
    while (queues.length < count)
      queues.push(
        await namespace.openMacvtap(link, { signal, additionalQueue: queues.length > 0 }),
      );
    return queues;
  } catch (error) {
    await Promise.all(queues.map((queue) => queue.close()));
    throw error;
  }
}

/** Gives what is left. */
async function deleteMade(
  devices: readonly AppliedDevice[],
  { namespace }: Looking,
): Promise<string[]> {
  const made = devices.flatMap(({ action, link }) => (action === "create" ? [link] : []));
  const results = await namespace.deleteLinks(made);
  return results.flatMap((one, at) =>
    one.deleted || isGone(one.error) ? [] : [labelOf(made[at] as Link)],
  );
}
