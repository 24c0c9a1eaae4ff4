/**
 * Keeps devices as they are wanted: a watch says to which of them something has happened, and what
 * somebody else writes again and again is left to them, for longer each time.
 */
import { onAbort } from "../cancellation.js";
import { boolean, type Check, type ChecksFor, callback, integer, object } from "../check.js";
import { checkedDevices, type DesiredDevice } from "../desired/device.js";
import { checkGuestMacs } from "../desired/guest-macs.js";
import type { DesiredState } from "../desired/index.js";
import { checkedState } from "../desired/plan.js";
import { FlintapError } from "../error.js";
import { handle } from "../handle.js";
import type { LinkEvent } from "../link-state.js";
import type { LinkWatch } from "../link-watch.js";
import type { NetworkNamespace } from "../network-namespace.js";
import type { OperationOptions } from "../options.js";
import { operationChecks, optionsOf } from "../shared-options.js";
import { someTagParts, type TagParts } from "../tag.js";
import { guestLost } from "./guest-lost.js";
import { KeptDevices } from "./kept-devices.js";
import { Looks } from "./looks.js";
import { Repairs } from "./repairs.js";
import { Reporter } from "./reporter.js";
import type { KeeperReport } from "./reports.js";
import { UnwantedLinks } from "./unwanted.js";

/** For {@link keepInState}. */
export interface KeepOptions extends OperationOptions {
  /** Where the devices are, and whose. It stays open as long as they are kept. */
  namespace: NetworkNamespace;
  /** Is told what is not as wanted, and what became of it. What it throws ends the keeping. */
  report: (report: KeeperReport) => void;
  /** Repair what a guest keeps, and make what is gone. Default: false, then it is only reported. */
  repair?: boolean;
  /** Replace what cannot be repaired; its guest loses it. Only with `repair`. Default: false. */
  replace?: boolean;
  /**
   * Milliseconds from one look at all devices to the next: the kernel tells of no change of a link
   * that is down, for one. Default: 60,000.
   */
  lookEvery?: number;
}

const minute = 60_000;

/** The longest that Node.js waits for. */
const longestTimer = 2_147_483_647;

const keepOptions = object(
  {
    ...operationChecks,
    namespace: handle,
    report: callback as Check<KeepOptions["report"]>,
    repair: boolean,
    replace: boolean,
    lookEvery: integer(1, longestTimer),
  } satisfies ChecksFor<KeepOptions>,
  ["namespace", "report"],
);

/**
 * Keeps devices as they are wanted, until it is closed: reports what is not, and repairs it where
 * that is asked for. What nobody has named (MTU, queue length, a tap's own MAC) is kept as it is
 * found first.
 *
 * A tap that goes with its queues is reported and not made: whoever starts the guest makes it, and
 * hands the queues over. A device that is deleted on purpose is to be forgotten first.
 *
 * With `prune`, devices that are for what it names and are not wanted are reported, and deleted with
 * `repair`.
 *
 * @throws {TypeError} A device that is wanted is none that could be made, or two are the same.
 * @throws {FlintapError} With reason `"duplicate-guest-mac"` where two guests that are wanted on one
 *   bridge or parent have the same MAC.
 */
export function keepInState(state: DesiredState, options: KeepOptions): StateKeeper {
  const checked = checkedState(state, "keepInState");
  const given = keepOptions(options, optionsOf("keepInState"));
  checkGuestMacs(checked.devices);
  return new StateKeeper(checked, given);
}

/** So many devices are compared at a time, so that the event loop goes on between. */
const atATime = 64;

/** So many repairs go on at the same time; some may wait for somebody else's turn. */
const mostRepairs = 256;

/** What somebody hears who waits for a look that is not made any more. */
function closedBefore(): FlintapError {
  const facts = { errno: 0, operation: "keepInState", step: "look at the devices" };
  return new FlintapError({ ...facts, reason: "closed" });
}

/** Waits for a look. */
interface Waiting {
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/** Devices that are kept as they are wanted; see {@link keepInState}. */
export class StateKeeper implements AsyncDisposable {
  /**
   * All devices have been looked at, and repaired where that is asked for. Rejects as `done`, and
   * with reason `"closed"` where that comes first.
   */
  readonly ready: Promise<void>;
  /**
   * Resolves when it is closed, or its signal has fired. Rejects when it cannot go on: the watch has
   * failed, the handle is closed, or `report` has thrown. Nothing is kept from then on, so a
   * rejection that nobody handles ends the process, as any does.
   */
  readonly done: Promise<void>;
  readonly #devices: KeptDevices;
  readonly #looks: Looks;
  readonly #repairs: Repairs;
  readonly #unwanted: UnwantedLinks;
  readonly #reporter: Reporter;
  readonly #watch: LinkWatch;
  readonly #lookEvery: number;
  readonly #ending = new AbortController();
  /** Of a repair: what nobody could foresee. */
  #failure: { error: unknown } | undefined;
  #waiting: Waiting[] = [];
  #wake = (): void => {};
  /** When all are looked at again; those of `prune` are listed before. */
  #nextLook = 0;
  #isToBeListed = true;

  /** @internal */
  constructor({ devices, prune }: Required<DesiredState>, options: KeepOptions) {
    const { namespace, report, repair = false, replace = false, signal } = options;
    const { lookEvery = minute } = options;
    const ended = this.#ending.signal;
    const reporter = new Reporter(report, repair, () => this.#end());
    const kept = new KeptDevices(namespace.owner);
    kept.add(devices);
    const looking = { namespace, signal: ended };
    this.#reporter = reporter;
    this.#devices = kept;
    this.#looks = new Looks(kept, looking, { repair, replace }, reporter);
    this.#repairs = new Repairs({ devices: kept, looks: this.#looks, looking, reporter });
    this.#unwanted = new UnwantedLinks(kept, prune, { namespace, repair }, reporter);
    this.#lookEvery = lookEvery;
    this.#watch = namespace.watchLinks({ initial: true });
    const forget = signal === undefined ? () => {} : onAbort(signal, () => this.#end());
    if (signal?.aborted) this.#end();
    this.ready = this.#untilLooked();
    this.ready.catch(() => {}); // whoever waits for the end hears of it
    this.done = this.#run().finally(forget);
  }

  /**
   * Keeps these devices, too. One that is for a microVM and interface for which another is kept takes
   * its place; where the same is wanted, nothing changes.
   *
   * @throws {TypeError} As {@link keepInState}, also beside those that are kept; nothing was taken.
   * @throws {FlintapError} The same.
   */
  keep(devices: readonly DesiredDevice[]): void {
    const place = { call: "keep", argument: "devices" };
    const checked = checkedDevices(devices, place);
    this.#devices.check(checked, place);
    this.#devices.add(checked);
    for (const { tag } of checked) this.#unwanted.remember(tag);
    this.#wake();
  }

  /**
   * Keeps the devices no longer that are for this, such as `{ microvm: "default/mvm1" }`, and has no
   * interest in what else is for it, though `prune` names it. They stay as they are. Resolves when a
   * repair of them that has begun is done: wait for that before you delete them, or it may make one
   * again.
   *
   * @throws {TypeError} No part is named.
   */
  forget(parts: TagParts): Promise<void> {
    const checked = someTagParts(parts, { call: "forget", argument: "parts" });
    const forgotten = this.#devices.remove(checked);
    this.#unwanted.forget(checked);
    return this.#repairs.done(forgotten);
  }

  /**
   * Looks at all devices now; resolves when that has been reported, and repaired where that is asked
   * for, but for what is left to others for a while. Rejects as `ready`.
   */
  async look(): Promise<void> {
    this.#markAll();
    const looked = this.#untilLooked();
    this.#wake();
    await looked;
  }

  /** Ends the keeping, when the repairs that have begun are done. The devices stay as they are. */
  async close(): Promise<void> {
    this.#end();
    await this.done.catch(() => {});
  }

  /** The same as `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(): Promise<void> {
    const parts = [this.#listen(), this.#work()].map((part) => part.finally(() => this.#end()));
    const ends = await Promise.allSettled(parts);
    await this.#repairs.done();
    await this.#watch.close();
    for (const end of ends) if (end.status === "rejected") this.#failure ??= { error: end.reason };
    const failure = this.#reporter.thrown ?? this.#failure;
    for (const { reject } of this.#waiting.splice(0)) reject(failure?.error ?? closedBefore());
    if (failure !== undefined) throw failure.error;
  }

  #end(): void {
    this.#ending.abort();
    this.#wake();
    this.#watch.close().catch(() => {}); // whoever listens hears of it
  }

  async #listen(): Promise<void> {
    for await (const event of this.#watch) this.#note(event);
  }

  #note(event: LinkEvent): void {
    const now = performance.now();
    const kept = this.#devices.note(event);
    if (kept !== undefined) {
      const lost = event.type === "removed" && guestLost(kept.device, event.link);
      if (lost) this.#reporter.tell(lost);
      kept.mark(now);
    }
    const hanging = this.#devices.hangingOn(event);
    for (const one of hanging) one.markAnyway(now);
    const isUnwanted = this.#unwanted.note(event);
    if (kept !== undefined || hanging.length > 0 || isUnwanted) this.#wake();
  }

  async #work(): Promise<void> {
    await this.#watch.ready.catch(() => {}); // whoever listens hears of it
    this.#nextLook = performance.now() + this.#lookEvery;
    try {
      while (!this.#ending.signal.aborted) await this.#next();
    } catch (error) {
      if (!this.#ending.signal.aborted) throw error;
    }
  }

  async #next(): Promise<void> {
    if (this.#isToBeListed) {
      this.#isToBeListed = false;
      await this.#unwanted.list(this.#ending.signal);
    }
    if (this.#unwanted.hasSome) await this.#unwanted.remove();
    const isBusy = this.#repairs.count >= mostRepairs;
    const due = isBusy ? [] : this.#devices.due(performance.now(), atATime, this.#repairs);
    if (due.length === 0) return await this.#rest(isBusy);
    for (const kept of await this.#looks.at(due)) this.#repairs.start(kept, this.#ended);
  }

  /** A repair has ended. */
  readonly #ended = (failure?: { error: unknown }): void => {
    this.#failure ??= failure;
    if (failure === undefined) this.#wake();
    else this.#end();
  };

  /** Waits until something has happened, or is due. */
  async #rest(isBusy: boolean): Promise<void> {
    if (this.#repairs.count === 0) for (const { resolve } of this.#waiting.splice(0)) resolve();
    const now = performance.now();
    const due = isBusy ? Number.POSITIVE_INFINITY : this.#devices.nextDue(this.#repairs);
    const pause = Math.ceil(Math.min(due, this.#nextLook) - now);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(Math.max(0, pause), longestTimer));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    if (performance.now() >= this.#nextLook) this.#markAll();
  }

  #markAll(): void {
    const now = performance.now();
    this.#nextLook = now + this.#lookEvery;
    this.#isToBeListed = true;
    for (const kept of this.#devices.all()) kept.mark(now);
    this.#unwanted.tryAgain();
  }

  #untilLooked(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ending.signal.aborted) reject(closedBefore());
      else this.#waiting.push({ resolve, reject });
    });
  }
}
