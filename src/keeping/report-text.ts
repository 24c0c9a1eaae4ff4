/** What a keeper tells, for people. Pure. */
import type { Difference } from "../desired/index.js";
import { changeText, deviceText, linkText } from "../desired/plan-text.js";
import { shown } from "../shown.js";
import type { GuestLost, KeeperReport, Repaired } from "./reports.js";

/** A report in one line. */
export function formatReport(report: KeeperReport): string {
  return shown(`${report.type}  ${subjectOf(report)}  ${newsOf(report)}`.trimEnd());
}

function subjectOf(report: KeeperReport): string {
  const { device, link } = report;
  if (device !== undefined) return deviceText(device, link);
  return link === undefined ? "" : linkText(link);
}

const done: Record<Repaired["action"], string> = {
  create: "made anew",
  repair: "put right",
  replace: "replaced",
};

const needs: Record<GuestLost["needs"], string> = {
  "new-fd": "its guest needs a new descriptor, or a restart",
  restart: "its guest needs a restart",
};

function newsOf(report: KeeperReport): string {
  switch (report.type) {
    case "drift":
      return report.link === undefined ? "it is gone" : changesText(report.changes);
    case "repaired":
      return [done[report.action], changesText(report.changes)].filter(Boolean).join(": ");
    case "settled":
      return "as wanted, by somebody else";
    case "guest-lost":
      return needs[report.needs];
    case "failed":
      return report.error.message;
    case "contested":
      return contestText(report.fields, report.wins, report.pause);
    case "unwanted":
      return "not wanted";
    case "removed":
      return "deleted";
  }
}

function changesText(changes: readonly Difference[]): string {
  return changes.map(changeText).join(", ");
}

function contestText(fields: readonly string[], wins: "others" | "keeper", pause: number): string {
  const what = fields.join(", ");
  if (wins === "keeper") return `${what}: the keeper wins`;
  return `${what}: somebody else wins; tried again in ${pause / 1000} s`;
}
