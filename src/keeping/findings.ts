/**
 * What there is of devices that are kept, by few sends for many of them. Nothing is waited for, and
 * what keeps one from being looked at keeps none of the others.
 */
import { placeOf } from "../desired/device.js";
import type { DesiredDevice, Difference, RefuseStep, WantedStep } from "../desired/index.js";
import { findNamed, isHalfMade, KnownPlaces, type NamedLinks } from "../desired/look.js";
import type { Looking } from "../desired/looking.js";
import { compare } from "../desired/plan.js";
import { plainFields } from "../desired/repair.js";
import { FlintapError } from "../error.js";
import type { Link } from "../link.js";
import type { KeptDevice } from "./kept-device.js";

/** What is to be done for a device, or why that cannot be said. */
export type Finding =
  | {
      kept: KeptDevice;
      step: WantedStep | RefuseStep;
      /** Why it cannot be where it is to be, if it cannot. */
      without?: FlintapError;
    }
  | { kept: KeptDevice; error: FlintapError };

/** Looks at some devices. */
export async function lookAt(
  some: readonly KeptDevice[],
  looking: Looking,
  { replace }: { replace: boolean },
): Promise<Finding[]> {
  return await compareEach(some, await placesOf(some, looking), looking, replace);
}

/** All together; where that fails, one by one. */
async function compareEach(
  some: readonly KeptDevice[],
  there: Places,
  looking: Looking,
  replace: boolean,
): Promise<Finding[]> {
  try {
    return await compareAll(some, there, looking, replace);
  } catch (error) {
    if (!(error instanceof FlintapError) || error.reason === "closed") throw error;
    const [kept, ...others] = some;
    if (kept !== undefined && others.length === 0) return [{ kept, error }];
  }
  const findings: Finding[] = [];
  for (const kept of some) findings.push(...(await compareEach([kept], there, looking, replace)));
  return findings;
}

async function compareAll(
  some: readonly KeptDevice[],
  { places, links }: Places,
  looking: Looking,
  replace: boolean,
): Promise<Finding[]> {
  const how = { replace, places, asTheyAre: true };
  const devices = some.map((kept) => kept.on(links.get(placeOf(kept.device))));
  const { steps } = await compare(devices, [], looking, how);
  return some.map((kept, at): Finding => {
    const step = steps[at] as WantedStep | RefuseStep;
    if (!places.isMissing(step.device)) return { kept, step };
    const without = noSuchPlace(step.device);
    return { kept, step: withoutPlace(step), without };
  });
}

/** What devices may hang on. */
interface Places {
  places: KnownPlaces;
  links: NamedLinks;
}

/** What these may hang on, all by one send. */
async function placesOf(some: readonly KeptDevice[], looking: Looking): Promise<Places> {
  const wanted = new Map(
    some.flatMap(({ device }) => placeNames(device).map((name) => [name, device])),
  );
  const links = await findNamed([...wanted.keys()], looking);
  const places = new KnownPlaces();
  for (const [name, device] of wanted) {
    const link = links.get(name);
    const isThere = link !== undefined && (device.kind === "macvtap" || link.kind === "bridge");
    if (isThere) places.add(name, link.index);
    else places.addMissing(name);
  }
  return { places, links };
}

/** The names of all that a device may hang on. */
export function placeNames(device: DesiredDevice): string[] {
  const others = device.kind === "tap" ? (device.otherBridges ?? []) : [];
  return [placeOf(device) ?? [], others].flat();
}

function noSuchPlace(device: DesiredDevice): FlintapError {
  return new FlintapError({
    errno: 19,
    reason: device.kind === "tap" ? "no-such-bridge" : "no-such-parent",
    operation: "keepInState",
    step: "look up",
    device: placeOf(device),
  });
}

/** Which alt names it is to have depends on where it is to be. */
function withoutPlace(step: WantedStep | RefuseStep): WantedStep | RefuseStep {
  if (!("changes" in step)) return step;
  return { ...step, changes: step.changes.filter(({ field }) => field !== "altNames") };
}

/** Whether a device is just being made or replaced by somebody else, as far as can be seen. */
export function isInWork({ kept, ...found }: Finding, aside: string): Link | undefined {
  const link = "step" in found && "link" in found.step ? found.step.link : undefined;
  if (link === undefined) return undefined;
  return isHalfMade(link, kept.device) || link.altNames.includes(aside) ? link : undefined;
}

/** What of a finding can be put right now, and leaves a guest its device, or makes it one. */
export function toDo(finding: Finding): WantedStep | undefined {
  if ("error" in finding || finding.step.action === "adopt") return undefined;
  const { step, without } = finding;
  if (without === undefined && step.action !== "refuse") return step;
  if (!("changes" in step)) return undefined;
  const changes = step.changes.filter((change) => change.repairable && isAnywhere(change));
  return changes.length === 0 ? undefined : { ...step, action: "repair", changes };
}

/** It can be put right wherever the device is. */
function isAnywhere({ field }: Difference): boolean {
  return plainFields.includes(field);
}
