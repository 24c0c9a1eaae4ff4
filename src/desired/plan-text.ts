/** A plan for people: one line a step, and one for each change of it. */
import { shown } from "../shown.js";
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
  const changes = "changes" in step ? step.changes.map((one) => `    ${changeLine(one)}`) : [];
  return [`${signs[step.action]} ${step.action} ${subjectOf(step)}`, ...changes];
}

function subjectOf(step: PlanStep): string {
  const { name, tag, what } =
    step.action === "remove"
      ? { name: step.link.name, tag: step.link.tag ?? {}, what: kindOf(step.link.kind) }
      : {
          name: "link" in step ? step.link.name : step.device.name,
          tag: step.device.tag,
          what: describeDevice(step.device),
        };
  const purpose = [tag.microvm, tag.interface].filter((part) => part !== undefined).join(" ");
  return shown(`${name} (${what})${purpose === "" ? "" : ` for ${purpose}`}`);
}

function kindOf(kind: string): string {
  return kind === "tun" ? "tap" : kind;
}

function changeLine({ field, from, to, repairable }: Difference): string {
  const note = repairable ? "" : " (not while the device lives)";
  return `${field}: ${valueText(from)} -> ${valueText(to)}${note}`;
}

function valueText(value: Value): string {
  return value === undefined || value === "" ? "nothing" : shown(String(value));
}
