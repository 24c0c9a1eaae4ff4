/** `flintap plan` and `flintap apply`: what is to be done for whole files of microVMs, and doing it. */
import type { Command } from "commander";
import { requireApplicable } from "../desired/apply.js";
import { apply, changesNothing, type DesiredState, type Plan, plan } from "../desired/index.js";
import { desiredNetwork } from "../flintlock/index.js";
import { exitCodes } from "./exit-codes.js";
import {
  addConfigOption,
  addIdentityOptions,
  type IdentityFlags,
  readConfig,
  readMicrovms,
} from "./files.js";
import { type GlobalFlags, openNamespace } from "./global-options.js";
import { noteNearlyFull } from "./nearly-full.js";
import { appliedReport, planReport, planText, summary } from "./plan-report.js";
import {
  addProvisionOptions,
  networkOptions,
  type ProvisionFlags,
  requireLasting,
} from "./provision-options.js";
import type { Terminal } from "./terminal.js";

const planDescription = `Say what apply would do: compare the devices that microVMs are to have with
those that they have. Changes nothing.

  +  create   it is not there
  =  adopt    it is as wanted already
  ~  repair   it is changed, and a guest that uses it keeps it
  ±  replace  it is deleted and made anew (only with --replace)
  !  refuse   it would have to be replaced: apply is refused as a whole, and
              plan ends with 1
  -  remove   the microVM has it, and its spec no longer asks for it`;

const planExamples = `
Examples:
  $ flintap plan -f vm1.json vm2.yaml
  $ flintap plan -f specs/*.yaml --exit-code || echo "not as wanted"

With --json: [{"action", "device", "kind", "index", "guestMac", "microvm",
"interface", "changes": [{"field", "from", "to", "repairable"}]}]; what is not
there is null.`;

const applyDescription = `Give all microVMs of some files the devices of their specs, and take from them
those that are no longer asked for. Other microVMs' devices are not touched.

It is done as a whole, or taken back, and the error names what could not be.
Removals come last and are not taken back. It can be run again.`;

const applyExamples = `
Examples:
  $ flintap apply -f vm1.json vm2.yaml
  $ flintap apply -f specs/*.yaml --replace --dry-run

With --json it prints what was done, in the shape of plan's.`;

/** What says which microVMs' devices are wanted. */
export interface WantedFlags extends GlobalFlags, IdentityFlags, ProvisionFlags {
  file: string[];
}

interface PlanFlags extends WantedFlags {
  exitCode?: boolean;
}

/** Adds `plan`. */
export function addPlan(program: Command, terminal: Terminal): void {
  const command = program
    .command("plan")
    .summary("say what apply would do")
    .description(planDescription)
    .addHelpText("after", planExamples);
  addWantedOptions(command)
    .option("--exit-code", "exit with 3 when there is something to do")
    .action(async () => await run({ ...command.optsWithGlobals(), dryRun: true }, terminal));
}

/** Adds `apply`. */
export function addApply(program: Command, terminal: Terminal): void {
  const command = program
    .command("apply")
    .summary("give many microVMs their devices, no more and no less")
    .description(applyDescription)
    .addHelpText("after", applyExamples);
  addWantedOptions(command)
    .option("--dry-run", "print the plan, and change nothing")
    .action(async () => {
      requireLasting(command.opts(), command);
      await run(command.optsWithGlobals(), terminal);
    });
}

/** Adds the options that say it. */
export function addWantedOptions(command: Command): Command {
  const files = "files with microVMs' specs (JSON, YAML, CAPMVM), or - for standard input";
  command.requiredOption("-f, --file <file...>", files);
  return addProvisionOptions(addIdentityOptions(addConfigOption(command)));
}

/** Reads what is wanted. */
export async function readWanted(flags: WantedFlags, signal: AbortSignal): Promise<DesiredState> {
  const config = await readConfig(flags.config, signal);
  const microvms = await readMicrovms(flags.file, flags, signal);
  return desiredNetwork(microvms, networkOptions(flags, config));
}

async function run(flags: PlanFlags, terminal: Terminal): Promise<void> {
  const signal = terminal.interrupted;
  const wanted = await readWanted(flags, signal);
  await using namespace = await openNamespace(flags, signal);
  const planned = await plan(wanted, { namespace, replace: flags.replace, signal });
  if (flags.dryRun) return showPlan(planned, flags, terminal);
  if (!flags.json) terminal.print(planText(planned));
  const applied = await terminal.changing(() => apply(planned, { namespace, signal }));
  noteNearlyFull(applied.nearlyFull, terminal);
  const done = appliedReport(planned, applied);
  if (flags.json) return terminal.print(JSON.stringify(done, undefined, 2));
  if (changesNothing(planned)) return;
  const actions = done.map(({ action }) => action);
  terminal.print(`Done: ${summary(actions, "done")}.`);
}

/** Prints a plan; one that could not be applied is a failure then. */
export function showPlan(
  planned: Plan,
  { json, exitCode }: Pick<PlanFlags, "json" | "exitCode">,
  { print, exitWith }: Terminal,
): void {
  print(json ? JSON.stringify(planReport(planned), undefined, 2) : planText(planned));
  requireApplicable(planned);
  if (exitCode && !changesNothing(planned)) exitWith(exitCodes.pending);
}
