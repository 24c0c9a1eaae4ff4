/** `flintap gc`: deletes the devices of microVMs that nobody has any more. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { labelOf, withLeft } from "../desired/undo-log.js";
import { microvmTags } from "../flintlock/index.js";
import { type Collected, collectGarbage } from "../garbage/collect.js";
import type { TagParts } from "../tag.js";
import { SeveralErrors, UsageError } from "./failure.js";
import { readMicrovms } from "./files.js";
import { clearUp, garbageReport, garbageText } from "./gc-report.js";
import { type GlobalFlags, openNamespace } from "./global-options.js";
import type { Terminal } from "./terminal.js";

const description = `Delete the devices of this owner whose microVM is not among those named. A
microVM is its namespace, its id and its uid: where it was given its devices
with a uid, its spec has to say that. A file that is missing, empty or wrong
ends the command, and nothing is deleted.

Devices younger than --min-age stay, as do those whose tag names no microVM and
no interface. What has flintap's mark, and no tag that can be read, is told of
and left alone: somebody has to look at it.`;

const examples = `
Examples:
  $ flintap gc -f specs/*.yaml --dry-run       # says what would be deleted
  $ flintap gc -f specs/*.yaml --min-age 3600
  $ flintap gc --keep-none --owner my-daemon   # there is no microVM any more

With --json: [{"device", "kind", "index", "microvm", "interface", "owner",
"createdAt", "action", "why"}], one for each device but those that are kept; what
is not there is null. The action is "removed" ("remove" with --dry-run), "gone",
"failed", "young" or "unclear"; why is a reason of docs/errors.md where it failed,
and "no-tag", "broken-tag" or "no-identity" where it is unclear.`;

interface GcFlags extends GlobalFlags {
  file?: string[];
  keepNone?: boolean;
  /** In seconds. */
  minAge: number;
  dryRun?: boolean;
}

/** Adds the command. */
export function addGc(program: Command, terminal: Terminal): void {
  const files = "files with the specs of the microVMs that keep their devices, or -";
  const command = program
    .command("gc")
    .summary("delete the devices of microVMs that are no more")
    .description(description)
    .addHelpText("after", examples)
    .option("-f, --file <file...>", files)
    .addOption(new Option("--keep-none", "no microVM keeps its devices").conflicts("file"))
    .option("--min-age <seconds>", "seconds that a device must have been there", secondsIn, 60)
    .option("--dry-run", "print what would be deleted, and delete nothing")
    .action(async () => await gc(command.optsWithGlobals(), terminal));
}

/** More would be no whole number of milliseconds any more. */
const mostSeconds = 1e12;

function secondsIn(value: string): number {
  const seconds = Number(value);
  if (/^\d+$/.test(value) && seconds <= mostSeconds) return seconds;
  throw new InvalidArgumentError("It is a whole number of seconds.");
}

async function gc(flags: GcFlags, terminal: Terminal): Promise<void> {
  const { interrupted: signal, print, note } = terminal;
  const { json = false, dryRun = false, minAge } = flags;
  const keep = await keepListOf(flags, signal);
  await using namespace = await openNamespace(flags, signal);
  const how = { namespace, keep, minAge: minAge * 1_000, dryRun, signal };
  const work = () => collectGarbage(how);
  const collected = dryRun ? await work() : await terminal.changing(work);
  const reports = garbageReport(collected, dryRun);
  const words = () => garbageText(reports, collected.kept.length, dryRun);
  print(json ? JSON.stringify(reports, undefined, 2) : words());
  for (const message of clearUp(collected)) note(message);
  const failure = failureOf(collected, signal);
  if (failure !== undefined) throw failure;
}

async function keepListOf(
  { file, keepNone }: GcFlags,
  signal: AbortSignal,
): Promise<readonly TagParts[]> {
  if (file !== undefined) return microvmTags(await readMicrovms(file, undefined, signal));
  if (keepNone) return [];
  throw new UsageError("it is not said which microVMs keep their devices", {
    hint: "Name their specs with -f FILE, or say --keep-none.",
  });
}

/** What kept devices from being deleted; where it is that the command was told to end, all in one. */
function failureOf({ removed, failed }: Collected, signal: AbortSignal): unknown {
  const errors = failed.map(({ error }) => error);
  if (!errors.includes(signal.reason))
    return SeveralErrors.of(errors, `${errors.length} devices could not be deleted`);
  const nothingDone = removed.length === 0 && errors.every((error) => error === signal.reason);
  return nothingDone
    ? signal.reason
    : withLeft(
        errors,
        failed.map(({ link }) => labelOf(link)),
      );
}
