/**
 * A tap that may be on one of several bridges: on which it is wanted, and where it goes when that one
 * is full. What is chosen stands in the tag, so that a list that grows or is put in another order moves
 * no tap that is there.
 */
import { FlintapError } from "../error.js";
import type { Link } from "../link.js";
import { tagMatches } from "../tag.js";
import type { DesiredDevice, DesiredTap } from "./device.js";
import { getPlace } from "./look.js";
import type { Looking } from "./looking.js";
import type { DeviceStep } from "./plan.js";

/** A tap with bridges to take instead. */
type Spread = DesiredTap & { bridge: string; otherBridges: string[] };

/** Whether a device may be on another bridge than its first. */
export function isSpread(device: DesiredDevice): device is Spread {
  return device.kind === "tap" && device.otherBridges !== undefined;
}

/**
 * The device on the bridge that the tag of what is there records, where that is still one of its
 * bridges; else on the first. The others stand behind it, in their order. Pure.
 */
export function onRecordedBridge(device: DesiredDevice, link: Link | undefined): DesiredDevice {
  if (!isSpread(device)) return device;
  const tag = link?.tag;
  const isRecorded = (bridge: string) => tag?.bridge !== undefined && tagMatches(tag, { bridge });
  const recorded = [device.bridge, ...device.otherBridges].find(isRecorded);
  return onBridge(device, recorded ?? device.bridge);
}

function onBridge(device: Spread, bridge: string): DesiredDevice {
  const otherBridges = [device.bridge, ...device.otherBridges].filter((one) => one !== bridge);
  return { ...device, bridge, otherBridges, tag: { ...device.tag, bridge } };
}

/**
 * Does the work of a step on its bridge; where the kernel says that it is full, on the next. Rejects
 * as the work does; where all bridges are full, with what the last one gave and the names of the others.
 */
export async function whereFree<Step extends DeviceStep, Result>(
  step: Step,
  looking: Looking,
  work: (step: Step) => Promise<Result>,
): Promise<Result> {
  const full: string[] = [];
  for (let on = step; ; ) {
    try {
      return await work(on);
    } catch (error) {
      if (!isFull(error) || !isSpread(step.device)) throw error;
      const { bridge, otherBridges } = step.device;
      const next = otherBridges[full.length];
      if (next === undefined) throw full.length === 0 ? error : allFull(error, full);
      full.push([bridge, ...otherBridges][full.length] as string);
      on = { ...step, device: onBridge(step.device, next), place: await indexOf(next, looking) };
    }
  }
}

function isFull(error: unknown): error is FlintapError {
  return error instanceof FlintapError && error.reason === "bridge-full";
}

function allFull(error: FlintapError, alsoFull: string[]): FlintapError {
  return FlintapError.again(error, { alsoFull });
}

async function indexOf(bridge: string, looking: Looking): Promise<number> {
  try {
    return (await getPlace(bridge, "bridge", looking)).index;
  } catch (error) {
    throw error instanceof FlintapError ? FlintapError.again(error, { operation: "apply" }) : error;
  }
}
