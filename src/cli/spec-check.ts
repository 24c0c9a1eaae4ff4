/** `flintap spec check`: what is understood of microVMs' specs. */
import type { Command } from "commander";
import {
  desiredDevices,
  type HostConfig,
  InvalidDocumentError,
  type MicrovmSpec,
  microvmName,
} from "../flintlock/index.js";
import { nothing } from "./device.js";
import { SeveralErrors } from "./failure.js";
import { formText, readConfig, readSpecs, requireOneInput } from "./files.js";
import type { GlobalFlags } from "./global-options.js";
import { formatTable } from "./table.js";
import type { Terminal } from "./terminal.js";

const description = `Read microVMs' specs and say what devices they ask for: flintlock's specs as
JSON or YAML, CAPMVM's MicrovmMachines and MicrovmMachineTemplates. Fragments
without an id are fine. With -c, look also whether the config has the keys that
they need. Nothing is asked of the kernel.`;

const examples = `
Examples:
  $ flintap spec check vm1.json machines.yaml
  $ flintap spec check -c config.yaml specs/*.yaml
  $ kubectl get microvmmachine vm1 -o yaml | flintap spec check -

With --json: [{"file", "kind", "name", "microvm", "interface", "type", "guestMac",
"address", "gateway", "bridge"}], one for each interface; what is not there is
null.`;

interface SpecCheckFlags extends GlobalFlags {
  config?: string;
}

/** An interface that a file asks for, for programs; the shape is stable. */
interface InterfaceReport {
  file: string;
  /** The form in which it is written. */
  kind: MicrovmSpec["kind"];
  /** The name of the Kubernetes object. */
  name: string | null;
  /** Null: it has no id yet. */
  microvm: string | null;
  interface: string;
  type: string;
  guestMac: string | null;
  /** Null: DHCP. */
  address: string | null;
  gateway: string | null;
  /** The bridge that it names itself. */
  bridge: string | null;
}

/** Adds the command. */
export function addSpecCheck(spec: Command, terminal: Terminal): void {
  const command = spec
    .command("check")
    .summary("say what devices they ask for")
    .description(description)
    .addHelpText("after", examples)
    .argument("<file...>", "the specs; - is standard input")
    .option("-c, --config <file>", "look also whether this config has the keys that are needed")
    .action(async (files: string[]) => await check(files, command.optsWithGlobals(), terminal));
}

async function check(
  files: readonly string[],
  { config: path, json }: SpecCheckFlags,
  { print, interrupted }: Terminal,
): Promise<void> {
  requireOneInput(files);
  const config = path === undefined ? undefined : await readConfig(path, interrupted);
  const reports: InterfaceReport[] = [];
  const errors: unknown[] = [];
  const guests = new Map<string, string>();
  for (const file of files) {
    try {
      const specs = await readSpecs(file, interrupted);
      requireOwnMacs(file, specs, guests);
      for (const spec of specs) {
        if (config !== undefined) requireKeys(spec, config, `${path}, for ${file},`);
        reports.push(...reportsOf(file, spec));
      }
    } catch (error) {
      interrupted.throwIfAborted();
      errors.push(error);
    }
  }
  if (errors.length > 0) throw SeveralErrors.of(errors, `${errors.length} files are wrong`);
  print(json ? JSON.stringify(reports, undefined, 2) : table(reports));
}

/** Within a file that has been looked at. A machine may have the MAC of a template, which it is made from. */
function requireOwnMacs(
  file: string,
  specs: readonly MicrovmSpec[],
  guests: Map<string, string>,
): void {
  const found = specs.flatMap((spec) =>
    spec.interfaces.flatMap(({ guestMac, deviceId }) => {
      if (guestMac === undefined) return [];
      const key = `${spec.kind === "MicrovmMachineTemplate"} ${guestMac}`;
      return { key, guestMac, path: `${spec.id ?? formText(spec)} ${deviceId}` };
    }),
  );
  const issues = found.flatMap(({ key, guestMac, path }) => {
    const holder = guests.get(key);
    if (holder === undefined) return [];
    return { path, expected: "a MAC of its own", received: `"${guestMac}" (${holder} has it)` };
  });
  for (const { key, path } of found) if (!guests.has(key)) guests.set(key, `${path} in ${file}`);
  if (issues.length > 0) throw new InvalidDocumentError(file, issues);
}

function requireKeys(spec: MicrovmSpec, config: HostConfig, source: string): void {
  const { id = "unnamed" } = spec;
  try {
    desiredDevices({ ...spec, id }, config);
  } catch (error) {
    if (!(error instanceof InvalidDocumentError)) throw error;
    throw renamed(error, source);
  }
}

function renamed(error: InvalidDocumentError, source: string): InvalidDocumentError {
  return new InvalidDocumentError(source, error.issues, { cause: error });
}

function reportsOf(file: string, spec: MicrovmSpec): InterfaceReport[] {
  const { id, kind, name, namespace, uid } = spec;
  const microvm = id === undefined ? null : microvmName({ id, namespace, uid });
  return spec.interfaces.map(({ deviceId, type, guestMac, address, bridgeName }) => ({
    file,
    kind,
    name: name ?? null,
    microvm,
    interface: deviceId,
    type,
    guestMac: guestMac ?? null,
    address: address?.address ?? null,
    gateway: address?.gateway ?? null,
    bridge: bridgeName ?? null,
  }));
}

function table(reports: readonly InterfaceReport[]): string {
  if (reports.length === 0) return "No interface is asked for.";
  const header = ["FILE", "MICROVM", "INTERFACE", "TYPE", "GUEST MAC", "ADDRESS", "BRIDGE"];
  const rows = reports.map((one) => [
    one.file,
    one.microvm ?? unnamed(one),
    one.interface,
    one.type,
    one.guestMac ?? "chosen",
    one.address ?? "DHCP",
    one.bridge ?? (one.type === "tap" ? "bridge-name" : nothing),
  ]);
  return formatTable(header, rows);
}

/** A description that is of no microVM yet. */
function unnamed({ kind, name }: InterfaceReport): string {
  return `(${formText({ kind, name: name ?? undefined })})`;
}
