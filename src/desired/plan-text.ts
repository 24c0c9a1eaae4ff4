/** A plan for people: one line a step, and one for each change of it. */
import type { Link } from "../link.js";
import { shown } from "../shown.js";
import type { TagParts } from "../tag.js";
import type { DesiredDevice } from "./device.js";
import type { Difference, Value } from "./difference.js";
import { describeDevice } from "./difference.js";
import type { Plan, PlanStep } from "./plan.js";

const signs = {
  create: "+",
  adopt: "=",
  repair: "~",
  replace: "±",
  refuse: "!",
  remove: "-",
} as const satisfies Record<PlanStep["action"], string>;

/**
 * The plan in lines: `+` create, `=` adopt (as wanted already), `~` repair, `±` replace, `!` refuse,
 * `-` remove.
 */
export function formatPlan({ steps }: Plan): string {
  return steps.flatMap(linesOf).join("\n");
}

function linesOf(step: PlanStep): string[] {
  const changes = "changes" in step ? step.changes.map((one) => `    ${changeText(one)}`) : [];
  return [`${signs[step.action]} ${step.action} ${subjectOf(step)}`, ...changes];
}

function subjectOf(step: PlanStep): string {
  if (step.action === "remove") return linkText(step.link);
  return deviceText(step.device, "link" in step ? step.link : undefined);
}

/** A device that is wanted, and what it is for; by the name that it has. */
export function deviceText(device: DesiredDevice, link?: Link): string {
  return textOf(link?.name ?? device.name, describeDevice(device), device.tag);
}

/** A device that is there, and what it is for. */
export function linkText({ name, kind, tag }: Link): string {
  return textOf(name, kindOf(kind), tag ?? {});
}

function textOf(name: string, what: string, { microvm, interface: entry }: TagParts): string {
  const purpose = [microvm, entry].filter((part) => part !== undefined).join(" ");
  return shown(`${name} (${what})${purpose === "" ? "" : ` for ${purpose}`}`);
}

function kindOf(kind: string): string {
  return kind === "tun" ? "tap" : kind;
}

/** What is, and what is to be. */
export function changeText({ field, from, to, repairable }: Difference): string {
  const note = repairable ? "" : " (not while the device lives)";
  return `${field}: ${valueText(from)} -> ${valueText(to)}${note}`;
}

function valueText(value: Value): string {
  return value === undefined || value === "" ? "nothing" : shown(String(value));
}
