/** What a keeper tells, as one object for programs. Pure. */
import type { KeeperReport } from "../keeping/index.js";
import { kindOf } from "./device.js";
import { refusalReport } from "./failure.js";
import { changesReport, type StepReport } from "./plan-report.js";

/** What is told, for programs; the shape is stable. What is not there is null. */
export interface KeeperLine extends Omit<StepReport, "action" | "guestMac"> {
  /** When it was told, ISO 8601. */
  time: string;
  event: KeeperReport["type"];
  /** Of event repaired. */
  action?: string;
  /** Of event guest-lost. */
  needs?: string;
  /** Of event contested. */
  fields?: string[];
  wins?: string;
  /** Milliseconds. */
  pause?: number;
  /** Of event failed. */
  error?: unknown;
}

/** A report for programs. */
export function keeperReport(report: KeeperReport, time: string): KeeperLine {
  const { type: event, device, link, changes = [], error, ...more } = { ...nothing, ...report };
  const tag = device?.tag ?? link?.tag;
  return {
    time,
    event,
    device: link?.name ?? device?.name ?? "",
    kind: device?.kind ?? (link === undefined ? "" : kindOf(link)),
    index: link?.index ?? null,
    microvm: tag?.microvm ?? null,
    interface: tag?.interface ?? null,
    changes: changesReport(changes),
    ...more,
    ...(error === undefined ? {} : { error: refusalReport(error, "keep") }),
  };
}

/** What some reports do not have. */
const nothing = { changes: undefined, error: undefined };
