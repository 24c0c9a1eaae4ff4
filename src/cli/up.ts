/** `flintap up`: gives a microVM its devices. */
import type { Command } from "commander";
import { plan } from "../desired/index.js";
import { desiredNetwork, type Provisioned, provision } from "../flintlock/index.js";
import { kindOf } from "./device.js";
import {
  addConfigOption,
  addIdentityOptions,
  type IdentityFlags,
  readConfig,
  readSpec,
} from "./files.js";
import { type GlobalFlags, openNamespace } from "./global-options.js";
import { noteNearlyFull } from "./nearly-full.js";
import { showPlan } from "./plan.js";
import { doneWord } from "./plan-report.js";
import {
  addProvisionOptions,
  networkOptions,
  type ProvisionFlags,
  requireLasting,
} from "./provision-options.js";
import { formatTable } from "./table.js";
import type { Terminal } from "./terminal.js";

const description = `Give a microVM the network devices of its spec: all of them, or none.

Devices that it has already are adopted, and repaired where a guest that uses
them keeps them; so it can be run again. What fails is taken back, and the error
names what could not be. Devices of interfaces that are no longer in the spec
stay: see apply.`;

const examples = `
Examples:
  $ flintap up -f vm1.json                    # the id is in the spec
  $ flintap up -c config.yaml -f spec.yaml --id vm1 --namespace team-a
  $ flintap up -f machines.yaml --name vm2    # one of several objects
  $ flintap up -f vm1.json --dry-run          # says what would be done

With --json it prints flintlock's status: {"eth1": {"host_device_name", "index",
"mac_address"}}; with --dry-run the plan (see plan).`;

interface UpFlags extends GlobalFlags, IdentityFlags, ProvisionFlags {
  file: string;
}

/** Adds the command. */
export function addUp(program: Command, terminal: Terminal): void {
  const command = program
    .command("up")
    .summary("give a microVM its devices")
    .description(description)
    .addHelpText("after", examples)
    .requiredOption(
      "-f, --file <file>",
      "the microVM's spec (JSON, YAML, CAPMVM), or - for standard input",
    );
  addIdentityOptions(addConfigOption(command));
  addProvisionOptions(command)
    .option("--dry-run", "print the plan, and change nothing")
    .action(async () => {
      requireLasting(command.opts(), command);
      await up(command.optsWithGlobals(), terminal);
    });
}

async function up(flags: UpFlags, terminal: Terminal): Promise<void> {
  const signal = terminal.interrupted;
  const config = await readConfig(flags.config, signal);
  const microvm = await readSpec(flags.file, flags, signal);
  const network = networkOptions(flags, config);
  const { replace } = flags;
  await using namespace = await openNamespace(flags, signal);
  if (flags.dryRun) {
    const { devices } = desiredNetwork([microvm], network);
    return showPlan(await plan({ devices }, { namespace, replace, signal }), flags, terminal);
  }
  const options = { ...network, namespace, replace, signal };
  const provisioned = await terminal.changing(() => provision(microvm, options));
  noteNearlyFull(provisioned.nearlyFull, terminal);
  if (flags.json) return terminal.print(JSON.stringify(provisioned.status, undefined, 2));
  terminal.print(table(provisioned));
}

function table({ interfaces }: Provisioned): string {
  const header = ["INTERFACE", "TYPE", "DEVICE", "INDEX", "GUEST MAC", "ACTION"];
  const rows = interfaces.map(({ deviceId, link, guestMac, action }) => {
    return [deviceId, kindOf(link), link.name, `${link.index}`, guestMac, doneWord(action)];
  });
  return formatTable(header, rows);
}
