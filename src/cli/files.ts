/** The files that commands read: the options that name them, and their reading. `-` is standard input. */
import type { Command } from "commander";
import { readDocument } from "../flintlock/document-file.js";
import {
  type HostConfig,
  type Microvm,
  type MicrovmSpec,
  microvmName,
  parseConfig,
  parseSpec,
  parseSpecs,
  UnreadableDocumentError,
} from "../flintlock/index.js";
import { UsageError } from "./failure.js";

/** Where flintlockd has its configuration. */
const defaultConfig = "/etc/opt/flintlockd/config.yaml";

/** Which microVM is meant, beside what a spec says. */
export interface IdentityFlags {
  /** Instead of the spec's id. */
  id?: string;
  /** Instead of the spec's namespace. */
  namespace?: string;
  /** Instead of the spec's uid. */
  uid?: string;
  /** Which of the objects in the file. */
  name?: string;
}

/** Adds `--config`. */
export function addConfigOption(command: Command): Command {
  return command.option("-c, --config <file>", "flintlockd's configuration", defaultConfig);
}

/** Adds the options that say which microVM is meant. */
export function addIdentityOptions(command: Command): Command {
  return command
    .option("--id <id>", "the microVM's id, instead of the spec's")
    .option("--namespace <name>", "the microVM's namespace, instead of the spec's")
    .option("--uid <uid>", "the microVM's uid, instead of the spec's")
    .option("--name <name>", "which one, where the file describes several microVMs");
}

/** Reads flintlockd's configuration. */
export async function readConfig(path = defaultConfig, signal: AbortSignal): Promise<HostConfig> {
  return parseConfig(await readConfigText(path, signal), path);
}

/** Reads the text of flintlockd's configuration. */
export async function readConfigText(path: string, signal: AbortSignal): Promise<string> {
  try {
    return await readDocument({ what: "the host's config", path, signal });
  } catch (error) {
    const isAbsent = error instanceof UnreadableDocumentError && error.code === "ENOENT";
    if (!isAbsent || path !== defaultConfig) throw error;
    const hint =
      "That is where flintlockd has it; name another with -c FILE. It says parent-iface and bridge-name.";
    throw new UsageError(error.message, { hint, cause: error });
  }
}

/** Reads the spec of one microVM. */
export async function readSpec(
  path: string,
  { id, namespace, uid, name }: IdentityFlags,
  signal: AbortSignal,
): Promise<Microvm> {
  const { text, source } = await readText(path, signal);
  return parseSpec(text, { id, namespace, uid, name, source });
}

/** Reads all that a file describes. */
export async function readSpecs(path: string, signal: AbortSignal): Promise<MicrovmSpec[]> {
  const { text, source } = await readText(path, signal);
  return parseSpecs(text, { source });
}

async function readText(path: string, signal: AbortSignal) {
  const place =
    path === "-"
      ? { what: "the spec from", path: "standard input", stream: process.stdin }
      : { what: "the spec", path };
  return { text: await readDocument({ ...place, signal }), source: place.path };
}

/** Standard input can be read once. */
export function requireOneInput(paths: readonly string[]): void {
  if (paths.filter((path) => path === "-").length > 1)
    throw new UsageError("standard input is named twice", {
      hint: "It can be read once: put all descriptions into it, or name files.",
    });
}

/**
 * Reads the microVMs of several files; a single one is meant where its identity is given beside.
 *
 * @param identity Undefined: the command has no options for it.
 */
export async function readMicrovms(
  paths: readonly string[],
  identity: IdentityFlags | undefined,
  signal: AbortSignal,
): Promise<Microvm[]> {
  const { id, namespace, uid, name } = identity ?? {};
  const [only = "", ...others] = paths;
  requireOneInput(paths);
  if (identity && [id, namespace, uid, name].some((given) => given !== undefined)) {
    if (others.length === 0) return [await readSpec(only, identity, signal)];
    throw new UsageError(
      "--id, --namespace, --uid and --name are about one microVM, and several files were named",
      {
        hint: "Name one file with -f, or leave them out: then each microVM has its id in its file.",
      },
    );
  }
  const firsts = new Map<string, string>();
  const microvms: Microvm[] = [];
  for (const path of paths) {
    for (const spec of await readSpecs(path, signal)) {
      const microvm = withId(spec, path, identity !== undefined);
      const first = firsts.get(microvmName(microvm));
      if (first !== undefined)
        throw new UsageError(`${path}: ${microvmName(microvm)} is described in ${first} as well`);
      firsts.set(microvmName(microvm), path);
      microvms.push(microvm);
    }
  }
  return microvms;
}

/** What a description is, in words: `MicrovmMachineTemplate mvm-md-0`. */
export function formText({ kind, name }: Pick<MicrovmSpec, "kind" | "name">): string {
  const form = kind === "flintlock" ? "flintlock spec" : kind;
  return name === undefined ? form : `${form} ${name}`;
}

function withId(
  { kind, name, id, ...rest }: MicrovmSpec,
  path: string,
  hasOptions: boolean,
): Microvm {
  if (id !== undefined) return { ...rest, id };
  throw new UsageError(`${path}: the ${formText({ kind, name })} names no microVM`, {
    hint: hasOptions
      ? "Give its id with --id; where the file describes several, choose this one with --name."
      : "Write its id into the file. A template is of no microVM: leave that out.",
  });
}
