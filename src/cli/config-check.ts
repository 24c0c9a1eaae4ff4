/** `flintap config check`: what is understood of flintlockd's configuration. */
import type { Command } from "commander";
import { getPlace } from "../desired/look.js";
import { FlintapError } from "../error.js";
import { misspelt } from "../flintlock/config.js";
import { type HostConfig, parseConfig } from "../flintlock/index.js";
import type { NetworkNamespace } from "../network-namespace.js";
import { nothing, stateOf } from "./device.js";
import { refusalReport, SeveralErrors } from "./failure.js";
import { addConfigOption, readConfigText } from "./files.js";
import { type GlobalFlags, openNamespace } from "./global-options.js";
import { formatTable } from "./table.js";
import type { Terminal } from "./terminal.js";

const description = `Read flintlockd's configuration and say what is understood of it; all keys but
parent-iface and bridge-name are flintlockd's own. With --host, look whether the
two are there and devices can be made on them. Changes nothing.`;

const examples = `
Examples:
  $ flintap config check
  $ flintap config check -c config.yaml --host

A link that is not usable ends it with 1. With --json: [{"key", "value", "usedFor",
"host"}]; host is there with --host: {"usable": true, "index", "mtu", "state"} or
{"usable": false, "reason", "message", "hint"}.`;

interface ConfigCheckFlags extends GlobalFlags {
  config: string;
  host?: boolean;
}

/** What the host has of a link that a key names. */
type HostReport =
  | { usable: true; index: number; mtu: number; state: string }
  | { usable: false; reason: string; message: string; hint: string };

interface KeyReport {
  key: "parent-iface" | "bridge-name";
  value: string | null;
  usedFor: string;
  host?: HostReport;
}

/** Adds the command. */
export function addConfigCheck(config: Command, terminal: Terminal): void {
  const command = config
    .command("check")
    .summary("say what is understood of it, and whether the host has it")
    .description(description)
    .addHelpText("after", examples);
  addConfigOption(command)
    .option("--host", "look whether the parent and the bridge are there and usable")
    .action(async () => await check(command.optsWithGlobals(), terminal));
}

async function check(flags: ConfigCheckFlags, terminal: Terminal): Promise<void> {
  const text = await readConfigText(flags.config, terminal.interrupted);
  const reports = reportsOf(parseConfig(text, flags.config));
  for (const { key, meant } of misspelt(text))
    terminal.note(`${flags.config}: ${key} means nothing; did you mean ${meant}?`);
  const failures = flags.host ? await lookAtHost(reports, flags, terminal) : [];
  terminal.print(flags.json ? JSON.stringify(reports, undefined, 2) : table(reports, flags));
  if (failures.length > 0) throw SeveralErrors.of(failures, `${failures.length} are not usable`);
}

function reportsOf({ parentIface, bridgeName }: HostConfig): KeyReport[] {
  return [
    { key: "parent-iface", value: parentIface ?? null, usedFor: "macvtaps" },
    { key: "bridge-name", value: bridgeName ?? null, usedFor: "taps that name no bridge" },
  ];
}

/** Adds to the reports what the host has. Gives why it has not. */
async function lookAtHost(
  reports: KeyReport[],
  flags: GlobalFlags,
  { interrupted: signal }: Terminal,
): Promise<FlintapError[]> {
  await using namespace = await openNamespace(flags, signal);
  const failures: FlintapError[] = [];
  for (const report of reports) {
    try {
      report.host = await hostReport(report, namespace, signal);
    } catch (error) {
      if (!(error instanceof FlintapError)) throw error;
      const { reason, message, hint } = refusalReport(error, "config check");
      report.host = { usable: false, reason, message, hint };
      failures.push(error);
    }
  }
  return failures;
}

async function hostReport(
  { key, value }: KeyReport,
  namespace: NetworkNamespace,
  signal: AbortSignal,
): Promise<HostReport | undefined> {
  if (value === null) return undefined;
  const role = key === "parent-iface" ? "parent" : "bridge";
  const link = await getPlace(value, role, { namespace, signal });
  return { usable: true, index: link.index, mtu: link.mtu, state: stateOf(link) };
}

function table(reports: readonly KeyReport[], { host }: ConfigCheckFlags): string {
  const header = ["KEY", "VALUE", "USED FOR", ...(host ? ["ON THE HOST"] : [])];
  const rows = reports.map(({ key, value, usedFor, host: found }) => {
    return [key, value ?? nothing, usedFor, ...(host ? [hostText(found)] : [])];
  });
  return formatTable(header, rows);
}

function hostText(found: HostReport | undefined): string {
  if (found === undefined) return nothing;
  if (!found.usable) return `not usable: ${found.reason}`;
  return `usable: index ${found.index}, MTU ${found.mtu}, ${found.state}`;
}
