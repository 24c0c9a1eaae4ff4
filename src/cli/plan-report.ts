/** A plan, and what it came to, for people and for programs. Pure. */
import {
  type Applied,
  changesNothing,
  type Difference,
  formatPlan,
  type Plan,
  type PlanStep,
} from "../desired/index.js";
import { guestMacOf, kindOf } from "./device.js";

/** A step for programs; the shape is stable. */
export interface StepReport {
  action: PlanStep["action"];
  /** The name that the device has, or is to have. */
  device: string;
  kind: string;
  /** Absent (null) until the device is made. */
  index: number | null;
  guestMac: string | null;
  microvm: string | null;
  interface: string | null;
  /** What is not as wanted: of steps repair, replace and refuse. */
  changes: {
    field: string;
    from: Difference["from"] | null;
    to: Difference["to"] | null;
    /** It can be changed while a guest uses the device. */
    repairable: boolean;
  }[];
}

/** A plan for programs. */
export function planReport({ steps }: Plan): StepReport[] {
  return steps.map(stepReport);
}

/** What is not as wanted, for programs. */
export function changesReport(changes: readonly Difference[]): StepReport["changes"] {
  return changes.map(({ field, from, to, repairable }) => {
    return { field, from: from ?? null, to: to ?? null, repairable };
  });
}

function stepReport(step: PlanStep): StepReport {
  const link = "link" in step ? step.link : undefined;
  const wanted = "device" in step ? step.device : undefined;
  const tag = wanted?.tag ?? link?.tag;
  const guestMac = tag?.guestMac ?? (link && guestMacOf(link));
  const changes = "changes" in step ? step.changes : [];
  return {
    action: step.action,
    device: link?.name ?? wanted?.name ?? "",
    kind: wanted?.kind ?? (link === undefined ? "" : kindOf(link)),
    index: link?.index ?? null,
    guestMac: guestMac ?? null,
    microvm: tag?.microvm ?? null,
    interface: tag?.interface ?? null,
    changes: changesReport(changes),
  };
}

/** What was done, for programs: the plan's steps, with the devices as they are now. */
export function appliedReport(
  { steps }: Plan,
  { devices }: Pick<Applied, "devices">,
): StepReport[] {
  return steps.map((step, at) => {
    const done = devices[at];
    if (done === undefined) return stepReport(step);
    const { action, link } = done;
    const now = { device: link.name, index: link.index, guestMac: guestMacOf(link) ?? null };
    return { ...stepReport(step), action, ...now };
  });
}

/** What is still to be done, and what has been, in the words of a summary. */
const summaries: Record<PlanStep["action"], { ahead: string; done: string }> = {
  create: { ahead: "to create", done: "created" },
  adopt: { ahead: "as wanted", done: "as wanted" },
  repair: { ahead: "to repair", done: "repaired" },
  replace: { ahead: "to replace", done: "replaced" },
  refuse: { ahead: "refused", done: "refused" },
  remove: { ahead: "to remove", done: "removed" },
};

/** A step's action when it has been done, in one word: `created`. */
export function doneWord(action: PlanStep["action"]): string {
  return action === "adopt" ? "adopted" : summaries[action].done;
}

/** How many devices, by what is done for them: `1 to create, 2 as wanted`. */
export function summary(actions: readonly PlanStep["action"][], tense: "ahead" | "done"): string {
  const counts = Object.entries(summaries).map(([action, words]) => {
    const count = actions.filter((one) => one === action).length;
    return count === 0 ? [] : [`${count} ${words[tense]}`];
  });
  return counts.flat().join(", ") || "no device is wanted or there";
}

/** A plan for people. */
export function planText(plan: Plan): string {
  const counted = summary(
    plan.steps.map(({ action }) => action),
    "ahead",
  );
  const end = changesNothing(plan) ? `Nothing to do: ${counted}.` : `Plan: ${counted}.`;
  return [formatPlan(plan), end].filter((part) => part !== "").join("\n\n");
}
