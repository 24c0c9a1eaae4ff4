/** What became of garbage, for people and for programs. Pure. */
import { FlintapError } from "../error.js";
import type { Collected } from "../garbage/collect.js";
import type { UnclearLink } from "../garbage/sorting.js";
import type { Link } from "../link.js";
import { ageOf, kindOf, nothing } from "./device.js";
import { formatTable } from "./table.js";

/** What became of a device; `remove` is what would have. */
type GarbageAction = "removed" | "remove" | "gone" | "failed" | "young" | "unclear";

/** A device that is not kept, for programs; the shape is stable. */
export interface GarbageReport {
  device: string;
  kind: string;
  index: number;
  microvm: string | null;
  interface: string | null;
  owner: string | null;
  /** ISO 8601. */
  createdAt: string | null;
  action: GarbageAction;
  /** Of `failed`, a reason; of `unclear`, what is not as it is to be. */
  why: string | null;
}

/** All devices that are not kept. */
export function garbageReport(collected: Collected, dryRun: boolean): GarbageReport[] {
  const { removed, gone, failed, young, unclear } = collected;
  return [
    ...removed.map((link) => reportOf(link, dryRun ? "remove" : "removed")),
    ...gone.map((link) => reportOf(link, "gone")),
    ...failed.map(({ link, error }) => reportOf(link, "failed", reasonOf(error))),
    ...young.map((link) => reportOf(link, "young")),
    ...unclear.map(({ link, why }) => reportOf(link, "unclear", why)),
  ];
}

/** What is no refusal is the signal's. */
function reasonOf(error: unknown): string {
  return error instanceof FlintapError ? error.reason : "aborted";
}

function reportOf(link: Link, action: GarbageAction, why?: string): GarbageReport {
  const { name, index, tag } = link;
  return {
    device: name,
    kind: kindOf(link),
    index,
    microvm: tag?.microvm ?? null,
    interface: tag?.interface ?? null,
    owner: tag?.owner ?? null,
    createdAt: tag?.createdAt.toISOString() ?? null,
    action,
    why: why ?? null,
  };
}

const words: Record<GarbageAction, string> = {
  removed: "removed",
  remove: "to remove",
  gone: "gone already",
  failed: "failed",
  young: "young",
  unclear: "unclear",
};

/** The same in a table, and counted. */
export function garbageText(
  reports: readonly GarbageReport[],
  kept: number,
  dryRun: boolean,
): string {
  const counts = Object.entries(words).flatMap(([action, word]) => {
    const count = reports.filter((one) => one.action === action).length;
    return count === 0 ? [] : [`${count} ${word}`];
  });
  const end = dryRun ? "Found" : "Done";
  const summary = `${end}: ${[...counts, `${kept} kept`].join(", ")}.`;
  return reports.length === 0 ? summary : `${table(reports)}\n\n${summary}`;
}

function table(reports: readonly GarbageReport[]): string {
  const now = new Date();
  const rows = reports.map(({ device, kind, microvm, interface: name, createdAt, action, why }) => {
    const age = createdAt === null ? nothing : ageOf(new Date(createdAt), now);
    const outcome = why === null ? words[action] : `${words[action]}: ${why.replaceAll("-", " ")}`;
    return [device, kind, microvm ?? nothing, name ?? nothing, age, outcome];
  });
  return formatTable(["DEVICE", "KIND", "MICROVM", "INTERFACE", "AGE", "ACTION"], rows);
}

const whys: Record<UnclearLink["why"], string> = {
  "no-tag": "flintap made it, and whose it is cannot be said, since it has no tag",
  "broken-tag": "flintap made it, and whose it is cannot be said, since its tag cannot be read",
  "no-identity": "it has lost the mark by which it is deleted, and might be mistaken",
};

/** What somebody has to look at. */
export function clearUp({ unclear }: Collected): string[] {
  return unclear.map(({ link: { name }, why }) => {
    const look = `ip -d link show dev ${name}`;
    return `${name} was left alone: ${whys[why]}. Look at it (${look}), and delete it by hand if nobody needs it (ip link del dev ${name})`;
  });
}
