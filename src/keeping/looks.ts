/** Looks at devices that are kept: tells what is not as wanted, and says what is to be put right now. */
import { asideName } from "../desired/device.js";
import type { RefuseStep, WantedStep } from "../desired/index.js";
import type { Looking } from "../desired/looking.js";
import { type Finding, isInWork, lookAt, toDo } from "./findings.js";
import { comesWithQueues, type KeptDevice, type Told } from "./kept-device.js";
import type { KeptDevices } from "./kept-devices.js";
import type { Reporter } from "./reporter.js";

/** What to do about what is found. */
export interface Manner {
  repair: boolean;
  replace: boolean;
}

/** Looks at devices. */
export class Looks {
  readonly #devices: KeptDevices;
  readonly #looking: Looking;
  readonly #manner: Manner;
  readonly #reporter: Reporter;

  constructor(devices: KeptDevices, looking: Looking, manner: Manner, reporter: Reporter) {
    this.#devices = devices;
    this.#looking = looking;
    this.#manner = manner;
    this.#reporter = reporter;
  }

  /** Looks at some; gives those that are to be repaired now. */
  async at(some: readonly KeptDevice[]): Promise<KeptDevice[]> {
    const now = performance.now();
    for (const kept of some) kept.begin(now);
    const findings = await this.#findings(some);
    return findings.filter((one) => this.#isToBeRepaired(one)).map(({ kept }) => kept);
  }

  /** Looks at one that is about to be repaired; gives how. */
  async again(kept: KeptDevice): Promise<WantedStep | undefined> {
    const [finding] = await this.#findings([kept]);
    const found = finding && this.#note(finding);
    if (finding === undefined || found === undefined) return undefined;
    kept.contest.written(found.news, performance.now());
    return this.#work(finding);
  }

  async #findings(some: readonly KeptDevice[]): Promise<Finding[]> {
    const findings = await lookAt(some, this.#looking, this.#manner);
    return findings.filter(({ kept }) => this.#devices.has(kept));
  }

  /** Tells what was found; gives what is not as wanted, and which fields of it are news. */
  #note(finding: Finding): { told: Told; news: string[] } | undefined {
    const { kept } = finding;
    const { owner } = this.#looking.namespace;
    const inWork = isInWork(finding, asideName(owner, kept.device));
    if (inWork !== undefined && kept.leaves(inWork, performance.now())) return undefined;
    if ("error" in finding) {
      this.#reporter.failed(kept, finding.error);
      return undefined;
    }
    const { step, without } = finding;
    if ("link" in step) {
      this.#devices.saw(kept, step.link);
      kept.pin(step.device, step.link);
    }
    if (step.action === "adopt") {
      this.#reporter.asWanted(kept, step.link);
      return undefined;
    }
    const told = toldOf(step);
    const news = this.#reporter.drifted(kept, told);
    if (without !== undefined) this.#waitFor(kept, finding);
    return { told, news };
  }

  /** That its place is there again is told by the watch. */
  #waitFor(kept: KeptDevice, { without }: Extract<Finding, { step: unknown }>): void {
    this.#reporter.failed(kept, without);
    kept.waits();
  }

  #isToBeRepaired(finding: Finding): boolean {
    const found = this.#note(finding);
    if (found === undefined) return false;
    const { kept } = finding;
    const { told, news } = found;
    const now = performance.now();
    kept.contest.written(news, now);
    const pause = kept.isPutOff ? 0 : kept.contest.pause(news);
    if (pause > 0) kept.putOff(pause, now);
    if (!this.#manner.repair || this.#work(finding) === undefined) return false;
    kept.isPutOff = pause > 0;
    if (pause > 0) this.#reporter.leftToOthers(kept, told, pause);
    return pause === 0;
  }

  /** What can be put right, but for a tap that comes with its queues. */
  #work(finding: Finding): WantedStep | undefined {
    const step = toDo(finding);
    const makes = step?.action === "create" || step?.action === "replace";
    return step !== undefined && makes && comesWithQueues(step.device) ? undefined : step;
  }
}

function toldOf(step: WantedStep | RefuseStep): Told {
  const changes = "changes" in step ? step.changes : [];
  return "link" in step ? { link: step.link, changes } : { changes };
}
