/**
 * A plan: what has to be done to have the devices that are wanted. It can be printed and looked over
 * before it is applied; making one changes nothing.
 */
import { arrayOf, boolean, type Check, type ChecksFor, object } from "../check.js";
import { FlintapError } from "../error.js";
import { handle } from "../handle.js";
import type { Link } from "../link.js";
import type { NetworkNamespace } from "../network-namespace.js";
import type { OperationOptions } from "../options.js";
import { operationChecks, optionsOf } from "../shared-options.js";
import { someTagParts, type TagParts } from "../tag.js";
import { onRecordedBridge } from "./bridges.js";
import { checkedDevices, type DesiredDevice, keyName } from "./device.js";
import { type Difference, differences } from "./difference.js";
import { checkGuestMacs, duplicateGuestMac } from "./guest-macs.js";
import {
  type Found,
  findAll,
  KnownPlaces,
  listTagged,
  sameMacs,
  TaggedLinks,
  withGuestMacs,
} from "./look.js";
import type { Looking } from "./looking.js";

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
  /** What is wanted, with the MAC that its guest is to use. */
  device: DesiredDevice;
  /** The index of the link that it hangs on, as the plan found it; absent: it hangs on none. */
  place?: number;
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

/** A step that brings a device about. */
export type WantedStep = CreateStep | AdoptStep | RepairStep | ReplaceStep;

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

const anything: Check<unknown> = (value) => value;

const stateChecks = object(
  { devices: anything, prune: arrayOf(someTagParts) } satisfies ChecksFor<DesiredState>,
  ["devices"],
);

const planOptions = object(
  { ...operationChecks, namespace: handle, replace: boolean } satisfies ChecksFor<PlanOptions>,
  ["namespace"],
);

/**
 * Compares what is wanted with what there is. Changes nothing; a device that another process is just
 * making is waited for.
 *
 * Rejects with reason `"no-such-parent"`, `"parent-wireless"`, `"parent-unusable"`,
 * `"no-such-bridge"`, `"not-a-bridge"` where a device could not be made, `"duplicate-guest-mac"` where
 * a guest on the same bridge or parent has the MAC of one that is wanted, and `"not-ours"` where a link
 * of another owner is in the place of one.
 *
 * @throws {TypeError} A device that is wanted is none that could be made, or two are the same.
 */
export async function plan(state: DesiredState, options: PlanOptions): Promise<Plan> {
  const { devices, prune } = checkedState(state, "plan");
  const { namespace, replace, signal } = planOptions(options, optionsOf("plan"));
  try {
    checkGuestMacs(devices);
    return await compare(devices, prune, { namespace, signal }, { replace });
  } catch (error) {
    throw error instanceof FlintapError ? FlintapError.again(error, { operation: "plan" }) : error;
  }
}

/** What is to be, checked: each device by itself, and that no two are the same. */
export function checkedState(state: DesiredState, call: string): Required<DesiredState> {
  const place = { call, argument: "state" };
  const { devices, prune = [] } = stateChecks(state, place);
  const at = { ...place, option: "devices" };
  return { devices: checkedDevices(devices as DesiredDevice[], at), prune };
}

/** How to compare. */
export interface Comparing {
  /** What cannot be repaired is replaced. */
  replace?: boolean;
  /** What was set aside already, and is not looked at. */
  setAside?: readonly Link[];
  /** What the devices hang on, where that was looked at just now. */
  places?: KnownPlaces;
  /** What another process is just making is not waited for. */
  asTheyAre?: boolean;
}

/** What is to be done for devices that are checked. */
export async function compare(
  wanted: readonly DesiredDevice[],
  prune: readonly TagParts[],
  looking: Looking,
  { replace = false, setAside = [], places = new KnownPlaces(), asTheyAre }: Comparing = {},
): Promise<Plan> {
  const { owner } = looking.namespace;
  const owned = await listTagged(prune, looking);
  const tagged = new TaggedLinks(owned);
  const passedOver = new Set(setAside.map(({ index }) => index));
  const found = (await findAll(wanted, looking, { asTheyAre })).map((one, at): Found => {
    const link = one.link ?? tagged.get(wanted[at] as DesiredDevice, one.aside);
    const aside = passedOver.has(one.aside?.index ?? 0) ? undefined : one.aside;
    return { ...one, link, aside };
  });
  const placed = wanted.map((device, at) => onRecordedBridge(device, thereOf(found[at] ?? {})));
  await places.require(
    placed.filter((device) => places.indexFor(device) === undefined),
    looking,
  );
  const devices = await withGuestMacs(placed, found, looking);
  checkGuestMacs(devices);
  await places.learn(
    found.flatMap(({ link, aside }) => [link ?? [], aside ?? []].flat()),
    looking,
  );
  const steps = devices.map((device, at) =>
    stepFor(device, found[at] ?? {}, { owner, places, replace }),
  );
  const all = [...steps, ...removals(steps, found, owned)];
  const indexes = devices.map((device) => places.indexFor(device));
  const holders = await sameMacs(devices, found, indexes, looking);
  refuseTakenMacs(steps, holders, { owner, steps: all });
  return { owner, steps: all };
}

/** What there is that can be made as wanted. */
function thereOf({ link, aside }: Found): Link | undefined {
  return link ?? aside;
}

function stepFor(
  device: DesiredDevice,
  found: Found,
  { owner, places, replace }: { owner: string; places: KnownPlaces; replace: boolean },
): WantedStep | RefuseStep {
  const place = places.indexFor(device);
  const on = place === undefined ? { device } : { device, place };
  const there = thereOf(found);
  if (there === undefined) return { action: "create", ...on };
  const free = found.stranger === undefined ? device.name : device.otherNames?.[0];
  const nameOf = (index: number) => places.nameOf(index);
  const wanted = { device, owner, place, name: free ?? device.name, nameOf };
  const changes = differences(wanted, there);
  if (changes.length === 0) return { action: "adopt", ...on, link: there };
  const action = changes.every(({ repairable }) => repairable)
    ? "repair"
    : replace
      ? "replace"
      : "refuse";
  return { action, ...on, link: there, changes };
}

/** What is in the way of what is wanted, and what is not wanted. */
function removals(
  steps: readonly (WantedStep | RefuseStep)[],
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

/** Refuses a MAC that another guest on the bridge or parent has, and keeps. */
function refuseTakenMacs(
  steps: readonly (WantedStep | RefuseStep)[],
  holders: readonly (Link | undefined)[],
  { owner, steps: all }: Plan,
): void {
  const leaving = new Set(all.flatMap((step) => (givesMacUp(step) ? [step.link.index] : [])));
  for (const [at, step] of steps.entries()) {
    const holder = holders[at];
    if (holder === undefined || leaving.has(holder.index)) continue;
    // It may have been made since it was looked for.
    if (holder.altNames.includes(keyName(owner, step.device))) continue;
    if ("link" in step && step.link.index === holder.index) continue;
    throw duplicateGuestMac(step.device, holder);
  }
}

function givesMacUp(step: PlanStep): step is RemoveStep | ReplaceStep | RepairStep {
  if (step.action === "remove" || step.action === "replace") return true;
  return step.action === "repair" && step.changes.some(({ field }) => field === "altNames");
}
