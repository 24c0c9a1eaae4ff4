/**
 * A plan: what has to be done to have the devices that are wanted. It can be printed and looked over
 * before it is applied; making one changes nothing.
 */
import { argumentError, arrayOf } from "../check.js";
import { FlintapError } from "../error.js";
import type { Link } from "../link.js";
import type { NetworkNamespace } from "../network-namespace.js";
import type { OperationOptions } from "../options.js";
import { type TagParts, tagParts } from "../tag.js";
import { checkedDevices, type DesiredDevice } from "./device.js";
import { type Difference, differences } from "./difference.js";
import { checkGuestMacs, duplicateGuestMac } from "./guest-macs.js";
import { type Found, findAll, isMeant, KnownPlaces, listTagged } from "./look.js";

/** What is to be. */
export interface DesiredState {
  /** The devices that are wanted. */
  devices: readonly DesiredDevice[];
  /**
   * What is complete: devices of this owner whose tag has these parts, such as
   * `{ microvm: "default/mvm1" }`, and that are not among `devices` are removed. Each names at least
   * one part. Default: nothing, so that nothing is removed.
   */
  prune?: readonly TagParts[];
}

/** For {@link plan}. */
export interface PlanOptions extends OperationOptions {
  /** Where the devices are, and whose. */
  namespace: NetworkNamespace;
  /**
   * Replace a device that cannot be made as wanted while it lives; its guest loses it. Default: false,
   * then the plan refuses it.
   */
  replace?: boolean;
}

/** A step for a device that is wanted. */
export interface DeviceStep {
  /** What is wanted. */
  device: DesiredDevice;
}

/** A step for one that is there already. */
export interface FoundStep extends DeviceStep {
  /** What is there. */
  link: Link;
}

/** A step for one that is there, and is not as wanted. */
export interface ChangeStep extends FoundStep {
  /** All that is not as wanted. */
  changes: Difference[];
}

/** A device is to be made. */
export interface CreateStep extends DeviceStep {
  /** Tells the steps apart. */
  action: "create";
}

/** A device is there, just as it is wanted. */
export interface AdoptStep extends FoundStep {
  /** Tells the steps apart. */
  action: "adopt";
}

/** A device is to be changed; its guest keeps it. */
export interface RepairStep extends ChangeStep {
  /** Tells the steps apart. */
  action: "repair";
}

/** A device is to be deleted and made anew. */
export interface ReplaceStep extends ChangeStep {
  /** Tells the steps apart. */
  action: "replace";
}

/** A device is not as wanted, and would have to be replaced: the plan cannot be applied. */
export interface RefuseStep extends ChangeStep {
  /** Tells the steps apart. */
  action: "refuse";
}

/** A device is to be deleted. */
export interface RemoveStep {
  /** Tells the steps apart. */
  action: "remove";
  /** What is there. */
  link: Link;
}

/** One thing to be done. */
export type PlanStep = CreateStep | AdoptStep | RepairStep | ReplaceStep | RefuseStep | RemoveStep;

/** What has to be done. */
export interface Plan {
  /** Whose the devices are. */
  owner: string;
  /** One for each device that is wanted, in their order; then the removals. */
  steps: PlanStep[];
}

/** Whether applying the plan would change nothing. */
export function changesNothing({ steps }: Plan): boolean {
  return steps.every(({ action }) => action === "adopt");
}

/**
 * Compares what is wanted with what there is. Changes nothing; a device that another process is just
 * making is waited for.
 *
 * Rejects with reason `"no-such-parent"`, `"parent-wireless"`, `"parent-unusable"`,
 * `"no-such-bridge"`, `"not-a-bridge"` where a device could not be made, and `"duplicate-guest-mac"`
 * where a guest on the same bridge has the MAC of one that is wanted.
 *
 * @throws {TypeError} A device that is wanted is none that could be made, or two are the same.
 */
export async function plan(state: DesiredState, options: PlanOptions): Promise<Plan> {
  const wanted = checkedDevices(state.devices);
  const prune = checkedPrune(state.prune);
  try {
    checkGuestMacs(wanted);
    return await compare(wanted, prune, options);
  } catch (error) {
    throw error instanceof FlintapError ? FlintapError.again(error, { operation: "plan" }) : error;
  }
}

async function compare(
  wanted: readonly DesiredDevice[],
  prune: readonly TagParts[],
  { namespace, replace = false, signal }: PlanOptions,
): Promise<Plan> {
  const looking = { namespace, signal };
  const places = new KnownPlaces();
  await places.require(wanted, looking);
  const found = await findAll(wanted, looking);
  const owned = await listTagged(prune, looking);
  const all = wanted.map((device, at) =>
    completed(device, found[at] ?? {}, owned, namespace.owner),
  );
  await places.learn(
    all.flatMap(({ link }) => link ?? []),
    looking,
  );
  const steps = wanted.map((device, at): PlanStep => {
    const { link, aside } = all[at] ?? {};
    const there = link ?? aside;
    if (there === undefined) return { action: "create", device };
    return stepFor(device, there, differences(device, there, namespace.owner, places), replace);
  });
  steps.push(...removals(steps, all, owned));
  refuseTakenMacs(wanted, all, steps);
  return { owner: namespace.owner, steps };
}

function stepFor(
  device: DesiredDevice,
  link: Link,
  changes: Difference[],
  replace: boolean,
): PlanStep {
  if (changes.length === 0) return { action: "adopt", device, link };
  if (changes.every(({ repairable }) => repairable))
    return { action: "repair", device, link, changes };
  return { action: replace ? "replace" : "refuse", device, link, changes };
}

/** A device that has lost the name by which it is known is found by its tag, where all were listed. */
function completed(
  device: DesiredDevice,
  found: Found,
  owned: readonly Link[],
  owner: string,
): Found {
  if (found.link !== undefined) return found;
  const link = owned.find((one) => one.index !== found.aside?.index && isMeant(one, device, owner));
  return { ...found, link };
}

/** What is in the way of what is wanted, and what is not wanted. */
function removals(
  steps: readonly PlanStep[],
  found: readonly Found[],
  owned: readonly Link[],
): RemoveStep[] {
  const used = new Set(steps.flatMap((step) => ("link" in step ? [step.link.index] : [])));
  const asides = found.flatMap(({ aside }) => aside ?? []);
  const leaving = new Map([...asides, ...owned].map((link) => [link.index, link]));
  return [...leaving.values()]
    .filter(({ index }) => !used.has(index))
    .map((link) => ({ action: "remove", link }));
}

function checkedPrune(given: readonly TagParts[] = []): TagParts[] {
  const place = { call: "plan", argument: "prune" };
  const prune = arrayOf(tagParts)(given, place);
  const empty = prune.find((parts) => Object.values(parts).every((part) => part === undefined));
  if (empty === undefined) return prune;
  throw argumentError("ERR_INVALID_ARG_VALUE", "at least one part of each tag", place, empty);
}

/** Refuses a MAC that another guest on the bridge has, and keeps. */
function refuseTakenMacs(
  wanted: readonly DesiredDevice[],
  found: readonly Found[],
  steps: readonly PlanStep[],
): void {
  const leaving = new Set(
    steps.flatMap((step) => {
      const gives = step.action === "remove" || step.action === "replace";
      const changed =
        step.action === "repair" && step.changes.some(({ field }) => field === "altNames");
      return gives || changed ? [step.link.index] : [];
    }),
  );
  for (const [at, device] of wanted.entries()) {
    const { link, sameMac } = found[at] ?? {};
    if (sameMac === undefined || sameMac.index === link?.index || leaving.has(sameMac.index))
      continue;
    throw duplicateGuestMac(device, sameMac);
  }
}
