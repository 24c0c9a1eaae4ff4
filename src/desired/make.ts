/**
 * Makes a device that is wanted. Whether it is there already is not asked first but told by the
 * kernel, which lets nobody have its names twice: then another process was faster, and its device is
 * taken.
 */
import { FlintapError, isGone } from "../error.js";
import type { Link } from "../link.js";
import { type DesiredDevice, derivedNames, macvtapOptions, tapOptions } from "./device.js";
import { duplicateGuestMac } from "./guest-macs.js";
import { find } from "./look.js";
import type { Looking } from "./looking.js";
import type { UndoLog } from "./undo-log.js";

/** How often a device that is being made, and not finished, by others is made again. */
const tries = 8;

/** A device, and whether it was made here. */
export interface Made {
  link: Link;
  isNew: boolean;
}

/** Makes a device, or finds the one that another process has made meanwhile. */
export async function make(device: DesiredDevice, looking: Looking, log: UndoLog): Promise<Made> {
  const names = [device.name, ...(device.otherNames ?? [])];
  for (let tried = 0; ; tried += 1) {
    const [name = device.name] = names;
    try {
      return { link: await create({ ...device, name }, looking, log), isNew: true };
    } catch (error) {
      if (!isTaken(error) || tried === tries) throw error;
      const found = await find({ ...device, name }, looking);
      if (found.link !== undefined) return { link: found.link, isNew: false };
      if (found.sameMac !== undefined) throw duplicateGuestMac(device, found.sameMac);
      // With nobody in the way any more, the other process has given its device up.
      if (found.stranger === undefined) continue;
      if (names.length === 1) throw error;
      names.shift();
    }
  }
}

async function create(
  device: DesiredDevice,
  { namespace, signal }: Looking,
  log: UndoLog,
): Promise<Link> {
  const altNames = derivedNames(namespace.owner, device);
  const link =
    device.kind === "macvtap"
      ? await namespace.createMacvtap({ ...macvtapOptions(device), altNames, signal })
      : await namespace.createTap({ ...tapOptions(device), altNames, signal });
  log.add(link.name, async () => {
    try {
      await namespace.deleteLink(link);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  });
  return link;
}

/** Whether another link has one of the device's names. */
function isTaken(error: unknown): boolean {
  const reason = error instanceof FlintapError ? error.reason : undefined;
  return reason === "name-taken" || reason === "alt-name-taken";
}
