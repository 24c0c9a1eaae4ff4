/** `flintap watch`: tells what happens to devices, until it is told to end. */
import type { Command } from "commander";
import { KnownPlaces } from "../desired/look.js";
import type { LinkEvent } from "../link-state.js";
import type { NetworkNamespace } from "../network-namespace.js";
import { eventReport, eventText } from "./event-report.js";
import { exitCodes } from "./exit-codes.js";
import { type GlobalFlags, openNamespace } from "./global-options.js";
import type { Terminal } from "./terminal.js";

const description = `Tell what happens to the devices of this owner, a line for each event, until
a signal (SIGINT, SIGTERM, SIGHUP); then it ends with 0. Changes nothing.

A line is the time, added, changed or removed, the device, its kind, the microVM
and its interface; then what is not as it was. "removed" is a guest that has
lost its device, whoever took it.`;

const examples = `
Examples:
  $ flintap watch
  $ flintap watch --initial --json > events.jsonl

With --json, an object a line: {"time", "event", "device", "kind", "index",
"microvm", "interface", "owner", "changes": [{"field", "from", "to"}]}. Once it
listens it says so on standard error.`;

interface WatchFlags extends GlobalFlags {
  all?: boolean;
  initial?: boolean;
}

/** Adds the command. */
export function addWatch(program: Command, terminal: Terminal): void {
  const command = program
    .command("watch")
    .summary("tell what happens to devices")
    .description(description)
    .addHelpText("after", examples)
    .option("--all", "every device with a tag, whoever its owner is")
    .option("--initial", "begin with those that are there, as added")
    .action(async () => await watch(command.optsWithGlobals(), terminal));
}

async function watch(flags: WatchFlags, terminal: Terminal): Promise<void> {
  const ended = AbortSignal.any([terminal.interrupted, terminal.unread]);
  try {
    await using namespace = await openNamespace(flags, ended);
    await tell(namespace, flags, ended, terminal);
  } catch (error) {
    if (!ended.aborted) throw error;
  }
  terminal.exitWith(exitCodes.done);
}

async function tell(
  namespace: NetworkNamespace,
  { all, initial, json }: WatchFlags,
  signal: AbortSignal,
  { print, drained, note }: Terminal,
): Promise<void> {
  const owner = all ? undefined : namespace.owner;
  await using events = namespace.watchLinks({ owner, initial, signal });
  await events.ready;
  note(`watching the devices of ${owner === undefined ? "all owners" : `owner ${owner}`}`);
  for await (const event of events) {
    if (!isTagged(event)) continue;
    const places = new KnownPlaces();
    await places.learn(hangingOn(event), { namespace, signal });
    const report = eventReport(event, new Date(), (index) => places.nameOf(index));
    print(json ? JSON.stringify(report) : eventText(report));
    // What happens meanwhile is told in one event a link: a reader that rests takes no memory.
    await drained();
  }
}

function isTagged(event: LinkEvent): boolean {
  return event.link.tag !== undefined || (event.type === "changed" && !!event.previous.tag);
}

/** The links of an event that tells of another place; what they hang on is told by name. */
function hangingOn(event: LinkEvent) {
  if (event.type !== "changed") return [];
  const moved = event.changes.some((field) => field === "master" || field === "parent");
  return moved ? [event.previous, event.link] : [];
}
