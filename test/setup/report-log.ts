/** What a keeper has told, in its order. */
import { EventEmitter, once } from "node:events";
import type { KeeperReport } from "../../src/index.js";

type Type = KeeperReport["type"];
type Of<Named extends Type> = Extract<KeeperReport, { type: Named }>;

/** A log of reports. */
export class ReportLog {
  readonly #reports: KeeperReport[] = [];
  readonly #emitter = new EventEmitter();
  readonly #counts: Partial<Record<Type, number>> = {};

  /** For `report` of a keeper. */
  readonly add = (report: KeeperReport): void => {
    this.#reports.push(report);
    this.#counts[report.type] = (this.#counts[report.type] ?? 0) + 1;
    this.#emitter.emit("report");
  };

  /** The next report, which has to be of this type. */
  async next<Named extends Type>(type: Named): Promise<Of<Named>> {
    while (this.#reports.length === 0) await once(this.#emitter, "report");
    const report = this.#reports.shift() as KeeperReport;
    if (report.type === type) return report as Of<Named>;
    throw new Error(`The next report is no "${type}": ${JSON.stringify(report)}`);
  }

  /** The next report of this type; others before it are passed over. */
  async find<Named extends Type>(type: Named): Promise<Of<Named>> {
    for (;;) {
      const at = this.#reports.findIndex((report) => report.type === type);
      if (at >= 0) return this.#reports.splice(0, at + 1)[at] as Of<Named>;
      await once(this.#emitter, "report");
    }
  }

  /** How many there were of each type since the beginning. */
  counts(): Partial<Record<Type, number>> {
    return this.#counts;
  }

  /** All that has not been asked for. */
  rest(): KeeperReport[] {
    return this.#reports.splice(0);
  }
}
