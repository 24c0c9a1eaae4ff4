/**
 * Repairs kept devices, each by itself: one that cannot be repaired, or takes long, is in nobody's way,
 * and nothing that was made for one guest is taken back because of another. It is the turn of the
 * device's microVM meanwhile, as it is for `provision` and `release`.
 */
import { applyThen } from "../desired/apply.js";
import type { RepairStep, WantedStep } from "../desired/index.js";
import { findNamed } from "../desired/look.js";
import type { Looking } from "../desired/looking.js";
import { isTaken, make } from "../desired/make.js";
import { repair } from "../desired/repair.js";
import { inTurn } from "../desired/turns.js";
import { UndoLog } from "../desired/undo-log.js";
import { isGone } from "../error.js";
import type { Link } from "../link.js";
import { randomName } from "../name.js";
import type { NetworkNamespace } from "../network-namespace.js";
import { closeQueues } from "../queue.js";
import type { KeptDevice } from "./kept-device.js";
import type { KeptDevices } from "./kept-devices.js";
import type { Looks } from "./looks.js";
import type { Reporter } from "./reporter.js";
import type { Repaired } from "./reports.js";

type Done = Pick<Repaired, "action" | "link" | "changes">;

/** What a repair needs. */
interface Tools {
  devices: KeptDevices;
  looks: Looks;
  /** The signal ends waiting for a turn, and no repair that has begun. */
  looking: Looking;
  reporter: Reporter;
}

/** Repairs that are going on. */
export class Repairs {
  readonly #tools: Tools;
  readonly #running = new Map<KeptDevice, Promise<void>>();

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** How many there are. */
  get count(): number {
    return this.#running.size;
  }

  /** Whether this one is being repaired. */
  has(kept: KeptDevice): boolean {
    return this.#running.has(kept);
  }

  /** Begins one; `ended` is called with what nobody could foresee, if that is how it ended. */
  start(kept: KeptDevice, ended: (failure?: { error: unknown }) => void): void {
    const work = async (): Promise<void> => {
      try {
        await this.#inTurn(kept);
        this.#running.delete(kept);
        ended();
      } catch (error) {
        this.#running.delete(kept);
        ended(this.#tools.looking.signal?.aborted ? undefined : { error });
      }
    };
    this.#running.set(kept, work());
  }

  /** Waits until those that have begun are done. */
  async done(some: readonly KeptDevice[] = [...this.#running.keys()]): Promise<void> {
    await Promise.all(some.map((kept) => this.#running.get(kept)));
  }

  async #inTurn(kept: KeptDevice): Promise<void> {
    const { looking, reporter } = this.#tools;
    const { microvm } = kept.device.tag;
    const work = () => this.#repair(kept);
    try {
      if (microvm === undefined) await work();
      else await inTurn({ ...looking, microvm, ofAllProcesses: true }, work);
    } catch (error) {
      if (looking.signal?.aborted) throw error;
      reporter.failed(kept, error);
    }
  }

  async #repair(kept: KeptDevice): Promise<void> {
    const { devices, looks } = this.#tools;
    // It may have been forgotten while it was somebody else's turn, and is not as it was then.
    if (!devices.has(kept)) return;
    const step = await looks.again(kept);
    if (step === undefined || !devices.has(kept)) return;
    try {
      this.#did(kept, await this.#carryOut(step));
    } catch (error) {
      await this.#failed(kept, step, error);
    }
  }

  #did(kept: KeptDevice, done: Done): void {
    const { devices, reporter } = this.#tools;
    devices.saw(kept, done.link);
    reporter.repaired(kept, done);
    kept.markAnyway(performance.now()); // whether it is all that was to be done is looked at
  }

  async #carryOut(step: WantedStep): Promise<Done> {
    const { namespace } = this.#tools.looking;
    if (step.action === "repair") {
      const { changes } = step;
      return { action: "repair", link: await repair(step, { namespace }, new UndoLog()), changes };
    }
    if (step.action === "replace") return await replace(step, namespace);
    // Whoever has found it meanwhile has it: it is not taken back.
    const { link, queues } = await make(step, { namespace }, new UndoLog());
    await closeQueues(queues);
    return { action: "create", link, changes: [] };
  }

  async #failed(kept: KeptDevice, step: WantedStep, error: unknown): Promise<void> {
    const { reporter } = this.#tools;
    if (step.action === "repair" && isTaken(error) && (await this.#madeRoom(step))) {
      kept.markAnyway(performance.now());
      return;
    }
    const isOvertaken = isGone(error) || isTaken(error);
    if (isOvertaken && kept.hasNotFailed) {
      kept.failed("", performance.now()); // it is looked at again before anything is said
      return;
    }
    if (step.action === "repair" && step.changes.length > 1) await this.#eachByItself(kept, step);
    else reporter.failed(kept, error);
  }

  /** What can be put right is, although something else cannot. */
  async #eachByItself(kept: KeptDevice, step: RepairStep): Promise<void> {
    const { reporter } = this.#tools;
    const failures: unknown[] = [];
    for (const change of step.changes) {
      try {
        this.#did(kept, await this.#carryOut({ ...step, changes: [change] }));
      } catch (error) {
        failures.push(error);
      }
    }
    for (const error of failures) reporter.failed(kept, error);
  }

  /** Two kept devices that have exchanged their names: one lets go of the other's. Whether it did. */
  async #madeRoom({ device, link }: RepairStep): Promise<boolean> {
    const { devices, looking } = this.#tools;
    const holder = (await findNamed([device.name], looking)).get(device.name);
    const kept = holder === undefined ? undefined : devices.at(holder);
    if (holder === undefined || kept === undefined || holder.index === link.index) return false;
    if (holder.name !== device.name || kept.device.name === holder.name) return false;
    await looking.namespace.setLink(holder, { name: randomName(kept.device.kind) });
    return true;
  }
}

/** All or nothing: where the new one cannot be had, the old one stays. */
async function replace(step: WantedStep, namespace: NetworkNamespace): Promise<Done> {
  const plan = { owner: namespace.owner, steps: [step] };
  const { devices } = await applyThen(plan, { namespace }, async (made) => made);
  const [applied] = devices;
  await closeQueues(applied?.queues ?? []);
  const changes = "changes" in step ? step.changes : [];
  return { action: "replace", link: applied?.link as Link, changes };
}
