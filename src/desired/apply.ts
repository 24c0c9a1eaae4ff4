/**
 * Applies a plan. First what has to make room is set aside, then devices are made and repaired, and
 * what was set aside is deleted last: until then, everything can be taken back.
 */
import { argumentError } from "../check.js";
import { FlintapError, isGone } from "../error.js";
import type { Link } from "../link.js";
import type { NetworkNamespace } from "../network-namespace.js";
import type { OperationOptions } from "../options.js";
import type { DesiredDevice } from "./device.js";
import { type Difference, differences } from "./difference.js";
import { KnownPlaces } from "./look.js";
import type { Looking } from "./looking.js";
import { make } from "./make.js";
import type { Plan, PlanStep, RefuseStep, RemoveStep, ReplaceStep } from "./plan.js";
import { repair, setAside } from "./repair.js";
import { allOrFirst, UndoLog, withLeft } from "./undo-log.js";

/** For {@link apply}. */
export interface ApplyOptions extends OperationOptions {
  /** Where the devices are, and whose; as for the plan. */
  namespace: NetworkNamespace;
}

/** A device that is as it is wanted. */
export interface AppliedDevice {
  /** What was wanted. */
  device: DesiredDevice;
  /** What is there. */
  link: Link;
  /** What was done for it: `"adopt"` is nothing. */
  action: "create" | "adopt" | "repair" | "replace";
}

/** What a plan came to. */
export interface Applied {
  /** The devices that were wanted, in their order. */
  devices: AppliedDevice[];
  /** What was deleted for good. */
  removed: Link[];
}

/**
 * Applies a plan: all of it, or, when a step fails or the signal fires, nothing; then what was done is
 * taken back, and the error's `leftBehind` names what could not be. Deletes come last, and are not
 * taken back: where one fails, all that was wanted is there, and `leftBehind` names what is still there
 * as well.
 *
 * What happened since the plan was made does no harm. A device that another process has made meanwhile
 * is adopted, if it is as wanted or can be repaired; one that was deleted is an error.
 *
 * A process that is killed in the middle leaves devices that are known by their tags; planning and
 * applying again comes to what is wanted.
 *
 * Rejects with reason `"not-repairable"` for a plan that has a step `"refuse"`; then nothing is sent.
 */
export async function apply(plan: Plan, { namespace, signal }: ApplyOptions): Promise<Applied> {
  refuse(plan, namespace);
  signal?.throwIfAborted();
  const looking = { namespace, signal };
  const log = new UndoLog();
  const leaving = plan.steps.filter(isLeaving);
  const wanted = plan.steps.filter(isWanted);
  let devices: AppliedDevice[];
  try {
    if (wanted.some(({ action }) => action !== "adopt"))
      await allOrFirst(leaving.map((step) => setAside(step, looking, log)));
    devices = await allOrFirst(wanted.map((step) => carryOut(step, looking, log)));
    signal?.throwIfAborted();
  } catch (error) {
    throw withLeft([error], await log.undo());
  }
  const failed = await deleteAll(leaving, looking);
  if (failed.length > 0)
    throw withLeft(
      failed.map(({ error }) => error),
      failed.map(({ name }) => name),
    );
  const removed = leaving.flatMap((step) => (step.action === "remove" ? [step.link] : []));
  return { devices, removed };
}

type WantedStep = Exclude<PlanStep, RemoveStep | RefuseStep>;

function isWanted(step: PlanStep): step is WantedStep {
  return step.action !== "remove" && step.action !== "refuse";
}

function isLeaving(step: PlanStep): step is RemoveStep | ReplaceStep {
  return step.action === "remove" || step.action === "replace";
}

function refuse(plan: Plan, namespace: NetworkNamespace): void {
  const { owner } = plan;
  if (owner !== namespace.owner) {
    const place = { call: "apply", argument: "options", option: "namespace" };
    const expected = `a handle of the plan's owner, ${owner}`;
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, namespace.owner);
  }
  requireApplicable(plan);
}

/** Throws what applying the plan would, for a step `"refuse"`. */
export function requireApplicable({ steps }: Plan): void {
  const refused = steps.find((step) => step.action === "refuse");
  if (refused !== undefined) throw notRepairable(refused.device, refused.changes);
}

function notRepairable({ name }: DesiredDevice, changes: readonly Difference[]): FlintapError {
  const fixed = changes.filter(({ repairable }) => !repairable);
  const words = (value: (one: Difference) => unknown) =>
    fixed.map((one) => value(one) ?? "nothing").join(", ");
  return new FlintapError({
    errno: 0,
    reason: "not-repairable",
    operation: "apply",
    step: "compare",
    device: name,
    attribute: words(({ field }) => field),
    expected: words(({ to }) => to),
    actual: words(({ from }) => from),
  });
}

async function carryOut(step: WantedStep, looking: Looking, log: UndoLog): Promise<AppliedDevice> {
  const { device, action } = step;
  if (action === "adopt") return { device, link: step.link, action };
  if (action === "repair") return { device, link: await repair(step, looking, log), action };
  const { link, isNew } = await make(device, looking, log);
  return isNew ? { device, link, action } : await takeOver(device, link, looking, log);
}

/** A device that another process has made since the plan was. */
async function takeOver(
  device: DesiredDevice,
  link: Link,
  looking: Looking,
  log: UndoLog,
): Promise<AppliedDevice> {
  const places = new KnownPlaces();
  await places.require([device], looking);
  await places.learn([link], looking);
  const changes = differences(device, link, looking.namespace.owner, places);
  if (changes.length === 0) return { device, link, action: "adopt" };
  if (!changes.every(({ repairable }) => repairable)) throw notRepairable(device, changes);
  return { device, link: await repair({ device, link, changes }, looking, log), action: "repair" };
}

/** Gives those that could not be deleted; one that is gone already is a success. */
async function deleteAll(
  leaving: readonly (RemoveStep | ReplaceStep)[],
  { namespace, signal }: Looking,
): Promise<{ error: unknown; name: string }[]> {
  if (leaving.length === 0) return [];
  const links = leaving.map(({ link }) => link);
  const results = await namespace.deleteLinks(links, { signal });
  return results.flatMap((one, at) =>
    one.deleted || isGone(one.error) ? [] : [{ error: one.error, name: links[at]?.name ?? "" }],
  );
}
