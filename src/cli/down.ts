/** `flintap down`: deletes the devices of a microVM. */
import type { Command } from "commander";
import {
  type Microvm,
  microvmName,
  parseSpec,
  type ReleasedInterface,
  release,
} from "../flintlock/index.js";
import { planRelease } from "../flintlock/service.js";
import type { NetworkNamespace } from "../network-namespace.js";
import { shown } from "../shown.js";
import { UsageError } from "./failure.js";
import { addIdentityOptions, type IdentityFlags, readSpec } from "./files.js";
import { type GlobalFlags, openNamespace } from "./global-options.js";
import { showPlan } from "./plan.js";
import { formatTable } from "./table.js";
import type { Terminal } from "./terminal.js";

const description = `Delete the network devices of a microVM. Devices that are gone already are no
failure, so it can be run again.

They are found by their tags: neither the spec nor the config is needed, and
devices of interfaces that are no longer in the spec are found too. What could
not be deleted, the error names.`;

const examples = `
Examples:
  $ flintap down -f vm1.json
  $ flintap down --id vm1 --namespace team-a   # without the spec
  $ flintap down --id vm1 --dry-run            # says what would be deleted

With --json: [{"deviceId", "hostDeviceName", "deleted"}]; with --dry-run the plan
(see plan).`;

interface DownFlags extends GlobalFlags, IdentityFlags {
  file?: string;
  dryRun?: boolean;
}

/** Adds the command. */
export function addDown(program: Command, terminal: Terminal): void {
  const command = program
    .command("down")
    .summary("delete the devices of a microVM")
    .description(description)
    .addHelpText("after", examples)
    .option("-f, --file <file>", "the microVM's spec, or - for standard input");
  addIdentityOptions(command)
    .option("--dry-run", "print what would be deleted, and delete nothing")
    .action(async () => await down(command.optsWithGlobals(), terminal));
}

async function down(flags: DownFlags, terminal: Terminal): Promise<void> {
  const signal = terminal.interrupted;
  const microvm = await microvmOf(flags, signal);
  await using namespace = await openNamespace(flags, signal);
  if (flags.dryRun) {
    const planned = await planRelease(microvm, { namespace, signal });
    if (planned.steps.length === 0) await noteOthers(microvm, namespace, terminal);
    return showPlan(planned, flags, terminal);
  }
  const released = await terminal.changing(() => release(microvm, { namespace, signal }));
  if (!released.some(({ deleted }) => deleted)) await noteOthers(microvm, namespace, terminal);
  terminal.print(flags.json ? JSON.stringify(released, undefined, 2) : table(released, microvm));
}

async function microvmOf(flags: DownFlags, signal: AbortSignal): Promise<Microvm> {
  const { file, id, namespace, uid } = flags;
  if (file !== undefined) return await readSpec(file, flags, signal);
  if (id === undefined)
    throw new UsageError("no microVM is named", {
      hint: "Name it with --id ID, or its spec with -f FILE.",
    });
  return parseSpec('{"interfaces": []}', { id, namespace, uid, source: "the command line" });
}

/** A uid that was left out, or is not the last one's, is easily taken for "there is nothing". */
async function noteOthers(
  microvm: Microvm,
  namespace: NetworkNamespace,
  { note, interrupted: signal }: Terminal,
): Promise<void> {
  const own = microvmName(microvm);
  const anyUid = microvmName({ ...microvm, uid: undefined });
  const links = await namespace.listLinks({ owner: namespace.owner, signal });
  const names = links.flatMap(({ tag }) => tag?.microvm ?? []);
  const others = new Set(names.filter((name) => name === anyUid || name.startsWith(`${anyUid}/`)));
  others.delete(own);
  if (others.size === 0) return;
  const list = [...others].sort().join(", ");
  note(`there is no device of ${own}, but of ${list}: --uid says which one is meant`);
}

function table(released: readonly ReleasedInterface[], microvm: Microvm): string {
  if (released.length === 0) return `There is no device of ${shown(microvmName(microvm))}.`;
  const rows = released.map(({ deviceId, hostDeviceName, deleted }) => {
    return [deviceId, hostDeviceName, deleted ? "deleted" : "not there"];
  });
  return formatTable(["INTERFACE", "DEVICE", "ACTION"], rows);
}
