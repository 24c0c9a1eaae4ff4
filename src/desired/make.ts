/**
 * Makes a device that is wanted. Whether it is there already is not asked first but told by the
 * kernel, which lets nobody have its names twice: then another process was faster.
 */
import { FlintapError, isGone } from "../error.js";
import type { Link } from "../link.js";
import { closeQueues, type DeviceQueue } from "../queue.js";
import { whereFree } from "./bridges.js";
import { derivedNames, keyName, macName, macvtapOptions, tapOptions } from "./device.js";
import { duplicateGuestMac } from "./guest-macs.js";
import { findNamed } from "./look.js";
import type { Looking } from "./looking.js";
import type { DeviceStep } from "./plan.js";
import type { UndoLog } from "./undo-log.js";

/** A device that was made. */
export interface Made {
  link: Link;
  /** Those of a tap that is not persistent. */
  queues: DeviceQueue[];
}

/**
 * Makes a device. Rejects with what the kernel said where another process has made it, or is about to;
 * a name that is a stranger's is passed over for the next one, and so is a bridge that is full.
 */
export async function make(step: DeviceStep, looking: Looking, log: UndoLog): Promise<Made> {
  return await whereFree(step, looking, (on) => makeThere(on, looking, log));
}

async function makeThere(step: DeviceStep, looking: Looking, log: UndoLog): Promise<Made> {
  const { device, place } = step;
  const { name: first, otherNames = [] } = device;
  const key = keyName(looking.namespace.owner, device);
  const mac = macName(device, place);
  for (const [at, name] of [first, ...otherNames].entries()) {
    try {
      return await create({ ...step, device: { ...device, name } }, looking, log);
    } catch (error) {
      if (!isTaken(error)) throw error;
      const links = await findNamed([key, name, ...(mac === undefined ? [] : [mac])], looking);
      const holder = links.get(mac);
      const own = links.get(key);
      if (holder !== undefined && holder !== own) throw duplicateGuestMac(device, holder);
      if (own !== undefined || links.get(name) === undefined || at === otherNames.length)
        throw error;
    }
  }
  throw new Error("A device has at least one name.");
}

async function create(
  { device, place }: DeviceStep,
  { namespace, signal }: Looking,
  log: UndoLog,
): Promise<Made> {
  const altNames = derivedNames(namespace.owner, device, place);
  const link: Link & { queues?: DeviceQueue[] } =
    device.kind === "macvtap"
      ? await namespace.createMacvtap({ ...macvtapOptions(device), altNames, signal })
      : await namespace.createTap({ ...tapOptions(device), altNames, signal });
  const { queues = [] } = link;
  log.add(link, async () => {
    try {
      await namespace.deleteLink(link);
    } catch (error) {
      if (!isGone(error)) throw error;
    } finally {
      await closeQueues(queues);
    }
  });
  return { link, queues };
}

/** Whether another link has one of the device's names. */
export function isTaken(error: unknown): boolean {
  const reason = error instanceof FlintapError ? error.reason : undefined;
  return reason === "name-taken" || reason === "alt-name-taken";
}
