/** The options of every command, and the namespace that they choose. */
import { type Command, InvalidArgumentError } from "commander";
import { NetworkNamespace } from "../network-namespace.js";
import { tagOwner } from "../tag.js";

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
    .option("--netns <netns>", "the network namespace: a name of ip netns, or a path", netnsIn)
    .option("--owner <name>", 'whose the devices are (default: "flintap")', ownerIn);
}

function netnsIn(value: string): string {
  if (value === "") throw new InvalidArgumentError("It is a name of ip netns, or a path.");
  return value;
}

function ownerIn(value: string): string {
  if (isOwner(value)) return value;
  throw new InvalidArgumentError("It has 1 to 32 bytes; a blank, %, ; and # take three each.");
}

function isOwner(value: string): boolean {
  try {
    tagOwner(value, { call: "flintap", argument: "owner" });
    return true;
  } catch {
    return false;
  }
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
