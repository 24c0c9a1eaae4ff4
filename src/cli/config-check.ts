/** `flintap config check`: what is understood of flintlockd's configuration. */
import type { Command } from "commander";
import { bridgeUsage, isNearlyFull } from "../desired/bridge-usage.js";
import { getPlace } from "../desired/look.js";
import { FlintapError } from "../error.js";
import { bridgesOf } from "../flintlock/bridges.js";
import { misspelt } from "../flintlock/config.js";
import { type HostConfig, parseConfig } from "../flintlock/index.js";
import type { NetworkNamespace } from "../network-namespace.js";
import { nothing, stateOf } from "./device.js";
import { refusalReport, SeveralErrors } from "./failure.js";
import { addConfigOption, readConfigText } from "./files.js";
import { type GlobalFlags, openNamespace } from "./global-options.js";
import { noteNearlyFull, portsText } from "./nearly-full.js";
import { formatTable } from "./table.js";
import type { Terminal } from "./terminal.js";

const description = `Read flintlockd's configuration and say what is understood of it; all keys but
parent-iface and bridge-name are flintlockd's own. bridge-name may be a list, of
which each bridge has a line. With --host, look whether they are there, devices
can be made on them, and bridges have ports left. Changes nothing.`;

const examples = `
Examples:
  $ flintap config check
  $ flintap config check -c config.yaml --host

A link that is not usable ends it with 1. With --json: [{"key", "value", "usedFor",
"host"}]; host is there with --host: {"usable": true, "index", "mtu", "state"}, of a
bridge with "ports" and "mostPorts", or {"usable": false, "reason", "message",
"hint"}.`;

interface ConfigCheckFlags extends GlobalFlags {
  config: string;
  host?: boolean;
}

/** What the host has of a link that a key names. */
type HostReport =
  | {
      usable: true;
      index: number;
      mtu: number;
      state: string;
      /** Of a bridge: how many it has, and can have. */
      ports?: number;
      mostPorts?: number;
    }
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

function reportsOf(config: HostConfig): KeyReport[] {
  const bridges = bridgesOf(config);
  const values = bridges.length === 0 ? [null] : bridges;
  return [
    { key: "parent-iface", value: config.parentIface ?? null, usedFor: "macvtaps" },
    ...values.map((value): KeyReport => {
      return { key: "bridge-name", value, usedFor: "taps that name no bridge" };
    }),
  ];
}

/** Adds to the reports what the host has. Gives why it has not. */
async function lookAtHost(
  reports: KeyReport[],
  flags: GlobalFlags,
  terminal: Terminal,
): Promise<FlintapError[]> {
  const signal = terminal.interrupted;
  await using namespace = await openNamespace(flags, signal);
  const failures: FlintapError[] = [];
  for (const report of reports) {
    try {
      report.host = await hostReport(report, namespace, terminal);
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
  terminal: Terminal,
): Promise<HostReport | undefined> {
  const signal = terminal.interrupted;
  if (value === null) return undefined;
  const role = key === "parent-iface" ? "parent" : "bridge";
  const link = await getPlace(value, role, { namespace, signal });
  const found = { usable: true, index: link.index, mtu: link.mtu, state: stateOf(link) } as const;
  if (role === "parent") return found;
  const usage = await bridgeUsage(value, { namespace, signal });
  if (isNearlyFull(usage)) noteNearlyFull([usage], terminal);
  return { ...found, ports: usage.ports, mostPorts: usage.most };
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
  const { index, mtu, state, ports, mostPorts: most } = found;
  const counted =
    ports === undefined || most === undefined ? "" : `, ${portsText({ ports, most })}`;
  return `usable: index ${index}, MTU ${mtu}, ${state}${counted}`;
}
