/**
 * Applies a plan. First what has to make room is set aside, then devices are made and repaired, and it
 * is looked whether all of them are there as wanted; what was set aside is deleted last. Until then,
 * everything can be taken back.
 */
import { argumentError, arrayOf, type Check, object, oneOf, string } from "../check.js";
import { FlintapError, isGone } from "../error.js";
import { handle } from "../handle.js";
import type { Link } from "../link.js";
import type { NetworkNamespace } from "../network-namespace.js";
import type { OperationOptions } from "../options.js";
import { closeQueues, type DeviceQueue } from "../queue.js";
import { linkReference } from "../reference.js";
import { operationChecks, optionsOf } from "../shared-options.js";
import { type BridgeUsage, nearlyFullBridges } from "./bridge-usage.js";
import { checkedDevices, type DesiredDevice, placeOf } from "./device.js";
import type { Difference } from "./difference.js";
import { KnownPlaces } from "./look.js";
import type { Looking } from "./looking.js";
import { isTaken, make } from "./make.js";
import {
  type AdoptStep,
  type Comparing,
  changesNothing,
  compare,
  type Plan,
  type PlanStep,
  type RefuseStep,
  type RemoveStep,
  type ReplaceStep,
  type WantedStep,
} from "./plan.js";
import { letGo, repair, setAside } from "./repair.js";
import { allOrFirst, labelOf, UndoLog, withLeft } from "./undo-log.js";

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
  /**
   * Of a tap that is not persistent and was made, its queues: hand them over and close them. Else none.
   */
  queues: DeviceQueue[];
}

/** What a plan came to. */
export interface Applied {
  /** The devices that were wanted, in their order. */
  devices: AppliedDevice[];
  /** What was deleted for good, as it was when the plan was made. */
  removed: Link[];
  /**
   * Of the bridges on which taps were made or repaired, those with less than a tenth of their ports
   * free. A handle counts a bridge's ports at most every ten seconds, unless it finds that it is getting
   * full, and adds what it makes in between.
   */
  nearlyFull: BridgeUsage[];
}

const applyOptions = object({ ...operationChecks, namespace: handle }, ["namespace"]);

const actions = oneOf("create", "adopt", "repair", "replace", "refuse", "remove");

/** A plan that was written down and read again is one, too. */
const planStep: Check<PlanStep> = (value, place) => {
  if (typeof value !== "object" || value === null)
    throw argumentError("ERR_INVALID_ARG_TYPE", "a step of a plan", place, value);
  const step = value as PlanStep;
  const inside = (option: string) => ({ ...place, option: `${place.option}.${option}` });
  actions(step.action, inside("action"));
  if (step.action !== "create") linkReference(step.link, inside("link"));
  if ("changes" in step) arrayOf((change) => change)(step.changes, inside("changes"));
  return step;
};

const planChecks = object({ owner: string, steps: arrayOf(planStep) }, ["owner", "steps"]);

/**
 * Applies a plan: all of it, or, when a step fails or the signal fires, nothing; then what was done is
 * taken back, and the error's `leftBehind` names what could not be. At its end it looks whether all
 * that was wanted is there, and not whether it has been done: what another process has made, taken or
 * changed since the plan was made is adopted, made again or repaired.
 *
 * Deletes come last, and are not taken back: where one fails, or the signal fires by then, all that was
 * wanted is there, but for taps that go with their queues, which nobody was given; and `leftBehind`
 * names what is still there as well.
 *
 * A process that is killed in the middle leaves devices that are known by their tags; planning and
 * applying again comes to what is wanted.
 *
 * Rejects with reason `"not-repairable"` for a plan that has a step `"refuse"`; then nothing is sent.
 */
export async function apply(plan: Plan, options: ApplyOptions): Promise<Applied> {
  return await applyThen(plan, options, async (devices) => devices);
}

/**
 * The same, with something that belongs to it: `finish` is called when all that is wanted is there, while
 * everything can be taken back still, and is where it rejects.
 */
export async function applyThen(
  plan: Plan,
  options: ApplyOptions,
  finish: (devices: AppliedDevice[]) => Promise<AppliedDevice[]>,
): Promise<Applied> {
  const place = { call: "apply", argument: "plan" };
  const { owner, steps } = planChecks(plan, place);
  const { namespace, signal } = applyOptions(options, optionsOf("apply"));
  if (owner !== namespace.owner) {
    const expected = `that of the handle, ${namespace.owner}`;
    const at = { ...place, option: "owner" };
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, at, owner);
  }
  requireApplicable({ owner, steps });
  checkedDevices(steps.filter(isWanted).map(deviceOf), { ...place, option: "steps" });
  signal?.throwIfAborted();
  const work = new Work({ namespace, signal });
  let devices: AppliedDevice[] = [];
  try {
    devices = await finish(await work.settle(steps));
    signal?.throwIfAborted();
  } catch (error) {
    await closeQueues(queuesOf(devices));
    throw withLeft([error], await work.log.undo());
  }
  const failed = await work.deleteAside();
  if (failed.length > 0) {
    await closeQueues(queuesOf(devices));
    throw withLeft(
      failed.map(({ error }) => error),
      failed.map(({ link }) => labelOf(link)),
    );
  }
  const removed = steps.flatMap((step) => (step.action === "remove" ? [step.link] : []));
  const placed = devices.filter(({ action }) => action !== "adopt");
  return { devices, removed, nearlyFull: await nearlyFullBridges(placed, { namespace }) };
}

/** The queues of devices, for when nobody will be given them. */
const queuesOf = (devices: readonly AppliedDevice[]): DeviceQueue[] =>
  devices.flatMap(({ queues }) => queues);

function isWanted(step: PlanStep): step is WantedStep {
  return step.action !== "remove" && step.action !== "refuse";
}

function isLeaving(step: PlanStep): step is RemoveStep | ReplaceStep {
  return step.action === "remove" || step.action === "replace";
}

const deviceOf = ({ device }: WantedStep | RefuseStep): DesiredDevice => device;

/** Throws what applying the plan would, for a step `"refuse"`. */
export function requireApplicable({ steps }: Plan): void {
  const refused = steps.find((step) => step.action === "refuse");
  if (refused !== undefined) throw notRepairable(refused);
}

function notRepairable({ link, changes }: RefuseStep): FlintapError {
  const fixed = changes.filter(({ repairable }) => !repairable);
  const words = (value: (one: Difference) => unknown) =>
    fixed.map((one) => value(one) ?? "nothing").join(", ");
  return new FlintapError({
    errno: 0,
    reason: "not-repairable",
    operation: "apply",
    step: "compare",
    device: link.name,
    attribute: words(({ field }) => field),
    expected: words(({ to }) => to),
    actual: words(({ from }) => from),
  });
}

/** How often what others do at the same time is gone along with. */
const mostRounds = 5;

/** One plan at work. */
class Work {
  readonly log = new UndoLog();
  readonly #looking: Looking;
  /** What was set aside, as it is since then: deleted at the end. */
  readonly #aside: Link[] = [];
  /** The queues of devices that were made here, by identity; the indexes of those repaired. */
  readonly #made = new Map<string | undefined, DeviceQueue[]>();
  readonly #repaired = new Set<number>();

  constructor(looking: Looking) {
    this.#looking = looking;
  }

  /** Works until all that is wanted is there. */
  async settle(steps: readonly PlanStep[]): Promise<AppliedDevice[]> {
    const wanted = steps.filter(isWanted);
    const replaced = new Set(wanted.filter(({ action }) => action === "replace").map(deviceOf));
    let todo = steps;
    for (let round = 1; ; round += 1) {
      const failure = await this.#bringAbout(todo);
      if (wanted.length === 0) return [];
      const now = await this.#compare(wanted);
      if (changesNothing(now))
        return await this.#result(now.steps as AdoptStep[], wanted, replaced);
      if (round === mostRounds) throw failure ?? notAsWanted(now);
      requireApplicable(now);
      todo = now.steps;
    }
  }

  /** First with what is known of the places; where something is not as wanted, they are looked at. */
  async #compare(wanted: readonly WantedStep[]): Promise<Plan> {
    const places = new KnownPlaces();
    for (const { device, place } of wanted) {
      const name = placeOf(device);
      if (name !== undefined && place !== undefined) places.add(name, place);
    }
    const devices = wanted.map(deviceOf);
    const how = { setAside: this.#aside };
    const quick = await this.#wantedOnly(devices, { ...how, places });
    return changesNothing(quick) ? quick : await this.#wantedOnly(devices, how);
  }

  /** What others set aside is theirs to delete. */
  async #wantedOnly(devices: readonly DesiredDevice[], how: Comparing): Promise<Plan> {
    const { owner, steps } = await compare(devices, [], this.#looking, how);
    return { owner, steps: steps.filter(({ action }) => action !== "remove") };
  }

  /** Deletes for good. Gives what could not be; one that is gone already is a success. */
  async deleteAside(): Promise<{ error: unknown; link: Link }[]> {
    if (this.#aside.length === 0) return [];
    const { namespace, signal } = this.#looking;
    // What is known by its tag or its alt name, and has lost the other mark, takes force.
    const isMarked = ({ identity, tag }: Link) => identity !== undefined && tag !== undefined;
    const known = this.#aside.filter(isMarked);
    const others = this.#aside.filter((link) => !isMarked(link));
    const results = [
      ...(await namespace.deleteLinks(known, { signal })),
      ...(await namespace.deleteLinks(others, { signal, force: true })),
    ];
    return results.flatMap((one, at) =>
      one.deleted || isGone(one.error)
        ? []
        : [{ error: one.error, link: [...known, ...others][at] as Link }],
    );
  }

  /** Gives the failure that came of others doing something at the same time, if there was one. */
  async #bringAbout(steps: readonly PlanStep[]): Promise<unknown> {
    await this.#makeRoom(steps);
    const wanted = await letGo(steps.filter(isWanted), this.#looking, this.log);
    const results = await Promise.allSettled(wanted.map((step) => this.#carryOut(step)));
    const failures = results.flatMap((one): unknown[] =>
      one.status === "rejected" ? [one.reason] : [],
    );
    if (!failures.every(isOvertaken)) throw withLeft(failures, []);
    return failures[0];
  }

  /** What has no need to make room is only taken down at the end, when it is deleted. */
  async #makeRoom(steps: readonly PlanStep[]): Promise<void> {
    const leaving = steps.filter(isLeaving);
    if (steps.every(({ action }) => action === "remove" || action === "adopt")) {
      this.#aside.push(...leaving.map(({ link }) => link));
      return;
    }
    // What an interrupted replacement left has the alt name that the next one is to have.
    for (const action of ["remove", "replace"]) {
      const aside = leaving
        .filter((step) => step.action === action)
        .map((step) => setAside(step, this.#looking, this.log));
      this.#aside.push(...(await allOrFirst(aside)).filter((link) => link !== undefined));
    }
  }

  async #carryOut(step: WantedStep): Promise<void> {
    if (step.action === "adopt") return;
    if (step.action === "repair") {
      await repair(step, this.#looking, this.log);
      this.#repaired.add(step.link.index);
    } else {
      const { link, queues } = await make(step, this.#looking, this.log);
      this.#made.set(link.identity, queues);
    }
  }

  /** One that another has deleted meanwhile was made again: the queues of the first are of nothing. */
  async #result(
    steps: readonly AdoptStep[],
    wanted: readonly WantedStep[],
    replaced: ReadonlySet<DesiredDevice>,
  ): Promise<AppliedDevice[]> {
    const there = new Set(steps.map(({ link }) => link.identity));
    const stale = [...this.#made].filter(([identity]) => !there.has(identity));
    await closeQueues(stale.flatMap(([, queues]) => queues));
    return steps.map((step, at) => this.#applied(step, wanted[at], replaced));
  }

  #applied(
    { device, link }: AdoptStep,
    planned: WantedStep | undefined,
    replaced: ReadonlySet<DesiredDevice>,
  ): AppliedDevice {
    const queues = this.#made.get(link.identity);
    const isReplaced = planned !== undefined && replaced.has(planned.device);
    const action = queues
      ? isReplaced
        ? "replace"
        : "create"
      : this.#repaired.has(link.index)
        ? "repair"
        : "adopt";
    return { device, link, action, queues: queues ?? [] };
  }
}

/** A failure that what another process did at the same time explains, and that left nothing. */
function isOvertaken(error: unknown): boolean {
  if (!(error instanceof FlintapError) || error.leftBehind !== undefined) return false;
  return isGone(error) || isTaken(error) || error.reason === "no-such-alt-name";
}

/** Whatever is done, somebody undoes it. */
function notAsWanted({ steps }: Plan): unknown {
  const step = steps.find(({ action }) => action !== "adopt");
  if (step !== undefined && "changes" in step) {
    const [change] = step.changes;
    return new FlintapError({
      errno: 0,
      reason: "setting-ignored",
      operation: "apply",
      step: "look again",
      device: step.link.name,
      attribute: change?.field,
      expected: String(change?.to ?? "nothing"),
      actual: String(change?.from ?? "nothing"),
    });
  }
  const device = step !== undefined && "device" in step ? step.device.name : undefined;
  const where = { operation: "apply", step: "look again", device };
  return new FlintapError({ errno: 0, reason: "no-such-link", ...where });
}
