/** The command tree: all subcommands, and what `--help` says above them. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addCompletion } from "./completion/command.js";
import { addConfigCheck } from "./config-check.js";
import { addDown } from "./down.js";
import { exitCodeHelp } from "./exit-codes.js";
import { addGc } from "./gc.js";
import { addGlobalOptions } from "./global-options.js";
import { addKeep } from "./keep.js";
import { addList } from "./list.js";
import { addApply, addPlan } from "./plan.js";
import { addSpecCheck } from "./spec-check.js";
import type { Terminal } from "./terminal.js";
import { addUp } from "./up.js";
import { addWatch } from "./watch.js";

const { version } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);

const description = `Gives microVMs their network devices, as flintlock does: macvtaps on a parent
interface, taps on a bridge. Each device has a tag that says whose it is and
what for; only devices of the same owner are changed or deleted.`;

const help = `
Examples:
  $ flintap up -c config.yaml -f spec.json --id vm1
  $ flintap plan -c config.yaml -f specs/*.yaml
  $ flintap list --netns blue
  $ flintap down --id vm1

${exitCodeHelp()}`;

const seeExitCodes = "\nExit codes: see flintap --help";

/** A command's name, with those above it but the program's: `spec check`. */
export function pathOf(command: Command): string {
  const { parent } = command;
  if (parent === null) return "";
  return [pathOf(parent), command.name()].filter(Boolean).join(" ");
}

/** Builds the program. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command("flintap")
    .description(description)
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.print(text.trimEnd()), outputError: () => {} })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", help)
    .addHelpText("afterAll", ({ command }) => (command.parent === null ? "" : seeExitCodes));
  addGlobalOptions(program);
  addUp(program, terminal);
  addDown(program, terminal);
  addGc(program, terminal);
  addList(program, terminal);
  addPlan(program, terminal);
  addApply(program, terminal);
  addWatch(program, terminal);
  addKeep(program, terminal);
  addConfigCheck(group(program, "config", "check the host's configuration"), terminal);
  addSpecCheck(group(program, "spec", "check microVMs' specs"), terminal);
  addCompletion(program, terminal);
  return program;
}

/** A command that has only commands below it. */
function group(program: Command, name: string, summary: string): Command {
  const description = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return program.command(name).summary(summary).description(description);
}
