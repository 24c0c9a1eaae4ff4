/** `flintap list`: the devices that there are. */
import type { Command } from "commander";
import { KnownPlaces } from "../desired/look.js";
import { shown } from "../shown.js";
import { ageOf, type DeviceReport, nothing, reportOf } from "./device.js";
import { type GlobalFlags, openNamespace } from "./global-options.js";
import { formatTable } from "./table.js";
import type { Terminal } from "./terminal.js";

const description = `List the devices that this owner has made.

  ON     the parent of a macvtap, the bridge of a tap
  STATE  up; no-carrier: up, but no VMM has the tap open, or the parent has no
         carrier; down
  AGE    since it was made`;

const examples = `
Examples:
  $ flintap list
  $ flintap list --all --netns blue
  $ flintap list --json | jq -r '.[] | select(.microvm == "default/vm1").device'

With --json: [{"device", "kind", "index", "guestMac", "mac", "on", "mtu", "state",
"microvm", "interface", "owner", "createdAt"}]; what is not there is null.`;

interface ListFlags extends GlobalFlags {
  all?: boolean;
}

/** Adds the command. */
export function addList(program: Command, terminal: Terminal): void {
  const command = program
    .command("list")
    .summary("list the devices that there are")
    .description(description)
    .addHelpText("after", examples)
    .option("--all", "every device with a tag, whoever its owner is")
    .action(async () => await list(command.optsWithGlobals(), terminal));
}

async function list(flags: ListFlags, { print, interrupted: signal }: Terminal): Promise<void> {
  await using namespace = await openNamespace(flags, signal);
  const owner = flags.all ? undefined : namespace.owner;
  const found = await namespace.listLinks({ owner, signal });
  const links = found.filter(({ tag }) => tag !== undefined);
  const places = new KnownPlaces();
  await places.learn(links, { namespace, signal });
  const reports = links
    .map((link) => reportOf(link, places.nameOf(link.master ?? localParent(link))))
    .sort((a, b) => sortKey(a).localeCompare(sortKey(b)));
  print(flags.json ? JSON.stringify(reports, undefined, 2) : table(reports, flags));
}

/** Where the parent is elsewhere, its index is one of over there. */
function localParent({ parent, parentNamespace }: { parent?: number; parentNamespace?: number }) {
  return parentNamespace === undefined ? parent : undefined;
}

function sortKey({ owner, microvm, interface: name, device }: DeviceReport): string {
  return JSON.stringify([owner, microvm ?? "", name ?? "", device]);
}

function table(reports: readonly DeviceReport[], { all, owner = "flintap" }: ListFlags): string {
  if (reports.length === 0)
    return all ? "There is no device with a tag." : `There is no device of owner ${shown(owner)}.`;
  const now = new Date();
  const header = "DEVICE,KIND,INDEX,GUEST MAC,ON,MTU,STATE,MICROVM,INTERFACE,AGE".split(",");
  const rows = reports.map((one) => {
    const age = one.createdAt === null ? null : ageOf(new Date(one.createdAt), now);
    const { device, kind, index, guestMac, on, mtu, state, microvm, interface: name } = one;
    const cells = [device, kind, index, guestMac, on, mtu, state, microvm, name, age];
    return [...cells, ...(all ? [one.owner] : [])].map((cell) => String(cell ?? nothing));
  });
  return formatTable(all ? [...header, "OWNER"] : header, rows);
}
