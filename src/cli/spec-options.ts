/** The options of every command that is about one microVM's spec. */
import type { Command } from "commander";

/** What the options give; the names of those that stand in for a spec's fields are its own. */
export interface SpecFlags {
  /** The spec's file. */
  file: string;
  /** Instead of the spec's id. */
  id?: string;
  /** Instead of the spec's namespace. */
  namespace?: string;
  /** Instead of the spec's uid. */
  uid?: string;
  /** Print JSON. */
  json?: boolean;
}

/** Adds the options to a command. */
export function addSpecOptions(command: Command): Command {
  return command
    .requiredOption("-f, --file <file>", "the microVM's spec, JSON with comments or YAML")
    .option("--id <id>", "the microVM's id, instead of the spec's")
    .option("--namespace <name>", "the microVM's namespace, instead of the spec's")
    .option("--uid <uid>", "the microVM's uid, instead of the spec's")
    .option("--json", "print JSON");
}
