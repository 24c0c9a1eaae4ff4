/** Tells what is found of kept devices, each thing once, and what became of it. */
import { FlintapError } from "../error.js";
import type { Link } from "../link.js";
import { fieldsOf, type KeptDevice, newsIn, type Told } from "./kept-device.js";
import type { KeeperReport, Repaired } from "./reports.js";

/** Tells. */
export class Reporter {
  readonly #report: (report: KeeperReport) => void;
  readonly #repairs: boolean;
  /** What `report` has thrown. */
  thrown: { error: unknown } | undefined;

  /**
   * @param report Whoever is told.
   * @param repairs Somebody repairs: then those who write against that are told of.
   * @param ended Called once `report` has thrown: it is told nothing any more.
   */
  constructor(report: (report: KeeperReport) => void, repairs: boolean, ended: () => void) {
    this.#repairs = repairs;
    this.#report = (told) => {
      if (this.thrown !== undefined) return;
      try {
        report(told);
      } catch (error) {
        this.thrown = { error };
        ended();
      }
    };
  }

  /** Tells something. */
  tell(report: KeeperReport): void {
    this.#report(report);
  }

  /** A device is not as wanted. Gives the fields that have not been told of before. */
  drifted(kept: KeptDevice, told: Told): string[] {
    const news = newsIn(told, kept.told);
    kept.told = told;
    if (news === undefined) return [];
    kept.succeeded(); // what kept another thing from being repaired may not keep this one
    this.tell({ type: "drift", device: kept.device, ...told });
    return fieldsOf(news);
  }

  /** A device is as wanted. */
  asWanted(kept: KeptDevice, link: Link): void {
    const { device, told, contest } = kept;
    kept.told = undefined;
    kept.isPutOff = false;
    kept.succeeded();
    if (told !== undefined) this.tell({ type: "settled", device, link });
    const fields = contest.won(performance.now());
    if (fields.length === 0 || !this.#repairs) return;
    const won = { fields, wins: "keeper" as const, changes: [], pause: 0 };
    this.tell({ type: "contested", device, link, ...won });
  }

  /** A device, or some of it, was put right. */
  repaired(kept: KeptDevice, done: Pick<Repaired, "action" | "link" | "changes">): void {
    const { device, told } = kept;
    const isWhole = done.action !== "repair";
    const rest = isWhole
      ? undefined
      : told && newsIn(told, { link: done.link, changes: done.changes });
    kept.told = rest;
    if (rest === undefined) kept.succeeded();
    const before = isWhole && told?.link === undefined ? { changes: [] } : done;
    kept.contest.repaired(fieldsOf(before), performance.now());
    this.tell({ type: "repaired", device, ...done });
  }

  /** Somebody else writes what is repaired again and again: it is left to them for a while. */
  leftToOthers(kept: KeptDevice, told: Told, pause: number): void {
    const { device, contest } = kept;
    const fields = contest.disputed(fieldsOf(told));
    if (fields.length > 0)
      this.tell({ type: "contested", device, ...told, fields, wins: "others", pause });
  }

  /** Something could not be done, and is tried again. */
  failed(kept: KeptDevice, error: unknown): void {
    const failure = asKeepers(error);
    if (kept.failed(`${failure.reason} ${failure.step}`, performance.now()))
      this.tell({ type: "failed", device: kept.device, error: failure });
  }
}

/** The failure, as the keeper's own. Throws what ends the keeper: any error else, a closed handle. */
export function asKeepers(error: unknown): FlintapError {
  if (!(error instanceof FlintapError) || error.reason === "closed") throw error;
  return FlintapError.again(error, { operation: "keepInState" });
}
