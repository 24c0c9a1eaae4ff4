/** Looks at devices that are kept: tells what is not as wanted, and repairs it where that is asked for. */
import { isDeepStrictEqual } from "node:util";
import { applyThen } from "../desired/apply.js";
import type { AppliedDevice, DesiredDevice, RefuseStep, WantedStep } from "../desired/index.js";
import { findAll } from "../desired/look.js";
import type { Looking } from "../desired/looking.js";
import { isTaken } from "../desired/make.js";
import { compare } from "../desired/plan.js";
import { FlintapError } from "../error.js";
import type { Link } from "../link.js";
import { closeQueues } from "../queue.js";
import { comesWithQueues, fieldsOf, type KeptDevice, type Told } from "./kept-device.js";
import type { KeptDevices } from "./kept-devices.js";
import type { KeeperReport } from "./reports.js";

/** What to do about what is found. */
interface Manner {
  report: (report: KeeperReport) => void;
  repair: boolean;
  replace: boolean;
}

/** What was found of a device. */
interface Finding<Step = WantedStep | RefuseStep> {
  kept: KeptDevice;
  step: Step;
}

/** Looks at devices, and repairs them. */
export class Looks {
  readonly #devices: KeptDevices;
  readonly #looking: Looking;
  readonly #manner: Manner;

  constructor(devices: KeptDevices, looking: Looking, manner: Manner) {
    this.#devices = devices;
    this.#looking = looking;
    this.#manner = manner;
  }

  /** Looks at some. Where one cannot be looked at or repaired, the others are all the same. */
  async at(some: readonly KeptDevice[]): Promise<void> {
    const now = performance.now();
    for (const kept of some) kept.begin(now);
    const findings = await this.#compare(some);
    const there = findings.filter(({ kept }) => this.#devices.has(kept));
    await this.#repair(there.flatMap((finding) => this.#judge(finding)));
  }

  async #compare(some: readonly KeptDevice[]): Promise<Finding[]> {
    const { replace } = this.#manner;
    try {
      const devices = some.map(({ device }) => device);
      const { steps } = await compare(devices, [], this.#looking, { replace });
      return some.map((kept, at) => ({ kept, step: steps[at] as Finding["step"] }));
    } catch (error) {
      if (this.#looking.signal?.aborted) return [];
      const [only] = some;
      if (only !== undefined && some.length === 1) {
        await this.#cannotCompare(only, error);
        return [];
      }
      const findings: Finding[] = [];
      for (const kept of some) findings.push(...(await this.#compare([kept])));
      return findings;
    }
  }

  /** What it is to hang on is not there, most likely, and has taken it along. */
  async #cannotCompare(kept: KeptDevice, error: unknown): Promise<void> {
    this.#failed(kept, error);
    try {
      const [found] = await findAll([kept.device], this.#looking);
      const told = withoutPlace(kept.device, found?.link);
      if (told !== undefined) this.#tell(kept, told);
    } catch (another) {
      if (!(another instanceof FlintapError) && !this.#looking.signal?.aborted) throw another;
    }
  }

  /** Tells what was found; gives what is to be repaired now. */
  #judge({ kept, step }: Finding): Finding<WantedStep>[] {
    const now = performance.now();
    if ("link" in step) {
      this.#devices.saw(kept, step.link);
      kept.pin(step.device, step.link);
    }
    if (step.action === "adopt") this.#asWanted(kept, step.link, now);
    else {
      const told = toldOf(step);
      const isNew = this.#tell(kept, told);
      if (isNew) kept.contest.written(fieldsOf(told), now);
      const pause = isNew && !kept.isPutOff ? kept.contest.pause(fieldsOf(told)) : 0;
      if (pause > 0) kept.putOff(pause, now);
      if (!this.#manner.repair || !canBeDone(step)) kept.succeeded();
      else if (pause > 0) this.#leave(kept, told, pause);
      else {
        kept.isPutOff = false;
        return [{ kept, step }];
      }
    }
    return [];
  }

  #asWanted(kept: KeptDevice, link: Link, now: number): void {
    const { device, told, contest } = kept;
    kept.told = undefined;
    kept.isPutOff = false;
    kept.succeeded();
    if (told !== undefined) this.#manner.report({ type: "settled", device, link });
    const fields = contest.won(now);
    if (fields.length === 0 || !this.#manner.repair) return;
    const won = { fields, wins: "keeper" as const, changes: [], pause: 0 };
    this.#manner.report({ type: "contested", device, link, ...won });
  }

  /** To somebody else who writes it. */
  #leave(kept: KeptDevice, told: Told, pause: number): void {
    kept.isPutOff = true;
    const { device, contest } = kept;
    const fields = contest.disputed(fieldsOf(told));
    if (fields.length > 0)
      this.#manner.report({ type: "contested", device, ...told, fields, wins: "others", pause });
  }

  /** All together, so that two can exchange names; where that fails, each by itself. */
  async #repair(findings: readonly Finding<WantedStep>[]): Promise<void> {
    const [only] = findings;
    if (only === undefined) return;
    const { namespace } = this.#looking;
    const steps = findings.map(({ step }) => step);
    try {
      const { devices } = await applyThen(
        { owner: namespace.owner, steps },
        { namespace },
        async (made) => made,
        (now) => this.#overtaken(findings, now as Finding["step"][]),
      );
      await closeQueues(devices.flatMap(({ queues }) => queues));
      for (const [at, { kept }] of findings.entries())
        this.#repaired(kept, devices[at] as AppliedDevice);
    } catch (error) {
      if (findings.length === 1) this.#failed(only.kept, error);
      else await Promise.all(findings.map((finding) => this.#repair([finding])));
    }
  }

  /** What others have done during the repair is repaired with it. */
  #overtaken(findings: readonly Finding[], steps: readonly Finding["step"][]): void {
    for (const [at, step] of steps.entries()) {
      const kept = findings[at]?.kept;
      if (kept !== undefined && step.action !== "adopt") this.#tell(kept, toldOf(step));
    }
  }

  #repaired(kept: KeptDevice, { device, link, action }: AppliedDevice): void {
    const now = performance.now();
    const { told = { changes: [] } } = kept;
    kept.told = undefined;
    kept.succeeded();
    kept.pin(device, link);
    this.#devices.saw(kept, link);
    if (action === "adopt") this.#manner.report({ type: "settled", device, link });
    else {
      kept.contest.repaired(fieldsOf(told), now);
      kept.due = Math.min(kept.due, kept.contest.over);
      this.#manner.report({ type: "repaired", device, link, action, changes: told.changes });
    }
  }

  /** Tells that a device is not as wanted, unless that has been told; whether it was. */
  #tell(kept: KeptDevice, told: Told): boolean {
    const before = kept.told;
    const isKnown =
      before !== undefined && (before.link === undefined) === (told.link === undefined);
    if (isKnown && isDeepStrictEqual(before.changes, told.changes)) return false;
    kept.told = told;
    this.#manner.report({ type: "drift", device: kept.device, ...told });
    return true;
  }

  /** Two that have exchanged names can only get them back together. */
  #putTogether(kept: KeptDevice): boolean {
    const now = performance.now();
    const isOff = (one: KeptDevice) => one !== kept && (one.told !== undefined || one.due <= now);
    const others = this.#devices.all().filter(isOff);
    if (others.length === 0 || kept.isTogether) return false;
    kept.isTogether = true;
    for (const one of [kept, ...others]) one.markAnyway(now);
    return true;
  }

  #failed(kept: KeptDevice, error: unknown): void {
    if (!(error instanceof FlintapError) || error.reason === "closed") throw error;
    if (isTaken(error) && this.#putTogether(kept)) return;
    if (!kept.failed(`${error.reason} ${error.step}`, performance.now())) return;
    this.#manner.report({ type: "failed", device: kept.device, error });
  }
}

function toldOf(step: WantedStep | RefuseStep): Told {
  const changes = "changes" in step ? step.changes : [];
  return "link" in step ? { link: step.link, changes } : { changes };
}

function canBeDone(step: WantedStep | RefuseStep): step is WantedStep {
  const makes = step.action === "create" || step.action === "replace";
  return step.action !== "refuse" && !(makes && comesWithQueues(step.device));
}

/** What can be said of a device whose bridge or parent is not there. */
function withoutPlace(device: DesiredDevice, link: Link | undefined): Told | undefined {
  if (link === undefined) return { changes: [] };
  if (device.kind !== "tap" || device.bridge === undefined || link.master !== undefined)
    return undefined;
  const change = { field: "bridge", from: undefined, to: device.bridge, repairable: true };
  return { link, changes: [change] };
}
