/** The options of every command, and the namespace that they choose. */
import type { Command } from "commander";
import { NetworkNamespace } from "../network-namespace.js";

/** What they give. */
export interface GlobalFlags {
  /** Print JSON. */
  json?: boolean;
  /** A network namespace, by name or path. */
  netns?: string;
  /** Whose the devices are. */
  owner?: string;
}

/** Adds the options to the program; commander takes them behind a subcommand as well. */
export function addGlobalOptions(program: Command): Command {
  return program
    .option("--json", 'print JSON; a failure is {"error": …} on standard error')
    .option("--netns <netns>", "the network namespace: a name of ip netns, or a path")
    .option("--owner <name>", 'whose the devices are (default: "flintap")');
}

/** A handle on the namespace that was chosen: the process's own, or another. */
export async function openNamespace(
  { netns, owner }: GlobalFlags,
  signal: AbortSignal,
): Promise<NetworkNamespace> {
  if (netns === undefined) return NetworkNamespace.current({ owner });
  const path = netns.includes("/") ? netns : `/run/netns/${netns}`;
  return await NetworkNamespace.open(path, { owner, signal });
}
