/** `flintap keep`: tells what is not as the specs have it, and puts it right, until it is told to end. */
import type { Command } from "commander";
import { formatReport, type KeeperReport, keepInState } from "../keeping/index.js";
import { exitCodes } from "./exit-codes.js";
import { openNamespace } from "./global-options.js";
import { keeperReport } from "./keeper-report.js";
import { addWantedOptions, readWanted, type WantedFlags } from "./plan.js";
import type { Terminal } from "./terminal.js";

const description = `Keep the devices of microVMs as their specs have them, until a signal (SIGINT,
SIGTERM, SIGHUP); then it ends with 0, and the devices stay. Without --repair it
only tells. A line is the time, what is told, the device and what it is for:

  drift       it is not as wanted, or gone
  repaired    it is as wanted, by this command
  settled     it is as wanted, by somebody else
  guest-lost  it is gone, and a guest may have it open, which needs another
              descriptor or a restart
  failed      it cannot be looked at or repaired now; it is tried again
  contested   somebody else writes it again and again; who wins
  unwanted    the microVM has it, and its spec does not ask for it
  removed     it was deleted for that`;

const examples = `
Examples:
  $ flintap keep -f specs/*.yaml
  $ flintap keep -f specs/*.yaml --repair --json >> drifts.jsonl

With --json, an object a line: {"time", "event", "device", "kind", "index",
"microvm", "interface", "changes": [{"field", "from", "to", "repairable"}]}, and
of some events "action", "needs", "fields", "wins", "pause" (milliseconds) and
"error". Once all have been looked at it says so on standard error.`;

interface KeepFlags extends WantedFlags {
  repair?: boolean;
}

/** Adds the command. */
export function addKeep(program: Command, terminal: Terminal): void {
  const command = program
    .command("keep")
    .summary("tell what drifts from the specs, and put it right")
    .description(description)
    .addHelpText("after", examples)
    .option("--repair", "put right what is not as wanted, and make what is gone");
  addWantedOptions(command).action(async () => {
    const flags: KeepFlags = command.optsWithGlobals();
    if (flags.replace && !flags.repair)
      command.error("error: option '--replace' takes --repair: without, nothing is changed");
    await keep(flags, terminal);
  });
}

async function keep(flags: KeepFlags, terminal: Terminal): Promise<void> {
  const { interrupted, unread, print, note } = terminal;
  const wanted = await readWanted(flags, interrupted);
  const ended = AbortSignal.any([interrupted, unread]);
  const report = (told: KeeperReport): void => {
    const time = new Date().toISOString();
    const line = flags.json
      ? JSON.stringify(keeperReport(told, time))
      : `${time}  ${formatReport(told)}`;
    print(line);
  };
  try {
    await using namespace = await openNamespace(flags, ended);
    const { repair, replace } = flags;
    await using keeper = keepInState(wanted, { namespace, report, repair, replace, signal: ended });
    await keeper.ready;
    note(`keeping ${wanted.devices.length} devices of owner ${namespace.owner}`);
    await keeper.done;
  } catch (error) {
    if (!ended.aborted) throw error;
  }
  terminal.exitWith(exitCodes.done);
}
