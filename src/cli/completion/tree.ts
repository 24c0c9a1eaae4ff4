/**
 * What the shells' completions are generated from: the commands, and what follows their options. Read
 * from commander's own tree, so that nothing has to be kept in step with it.
 */
import type { Argument, Command, Option } from "commander";

/** What a value can be completed with. */
export type Values =
  | { type: "files" }
  /** Names in /run/netns, or a path. */
  | { type: "netns" }
  | { type: "choices"; choices: readonly string[] }
  /** Anything: there is nothing to offer. */
  | { type: "free" };

/** An option. */
export interface OptionNode {
  /** `-f`, where it has one. */
  short?: string;
  /** `--file`. */
  long: string;
  description: string;
  /** Absent: it takes no value. */
  values?: Values;
  /** It takes all values up to the next option. */
  variadic: boolean;
}

/** A command. */
export interface CommandNode {
  /** Its name and those above it, without the program's: `["config", "check"]`. */
  path: string[];
  description: string;
  /** Its own, those of the program, and help. */
  options: OptionNode[];
  commands: CommandNode[];
  /** What its arguments are. */
  values?: Values;
}

/** The tree below a command. */
export function commandTree(command: Command, path: string[] = []): CommandNode {
  const help = command.createHelp();
  help.showGlobalOptions = true;
  const options = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
  const [argument] = command.registeredArguments;
  const below = help.visibleCommands(command);
  const node: CommandNode = {
    path,
    description: command.summary() || firstLine(command.description()),
    options: options.flatMap(optionNode),
    commands: below.map((one) => withTopics(commandTree(one, [...path, one.name()]), below)),
  };
  return argument === undefined ? node : { ...node, values: argumentValues(argument) };
}

/** Commander's own help is about the commands beside it. */
function withTopics(node: CommandNode, beside: readonly Command[]): CommandNode {
  if (node.path.at(-1) !== "help") return node;
  const choices = beside.map((one) => one.name()).filter((name) => name !== "help");
  return { ...node, values: { type: "choices", choices } };
}

/** All commands of a tree, the given one first. */
export function allCommands(node: CommandNode): CommandNode[] {
  return [node, ...node.commands.flatMap(allCommands)];
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}

function optionNode(option: Option): OptionNode[] {
  const { short, long, description, variadic } = option;
  if (long === undefined) return [];
  const takesValue = option.required || option.optional;
  const values = takesValue ? valuesOf(option.argChoices, placeholder(option.flags)) : undefined;
  return [{ short, long, description: firstLine(description), values, variadic }];
}

function argumentValues(argument: Argument): Values {
  return valuesOf(argument.argChoices, argument.name());
}

/** `file` of `-f, --file <file...>`. */
function placeholder(flags: string): string {
  return /[<[]([\w-]+)/.exec(flags)?.[1] ?? "";
}

function valuesOf(choices: readonly string[] | undefined, name: string): Values {
  if (choices !== undefined) return { type: "choices", choices };
  if (name === "file") return { type: "files" };
  if (name === "netns") return { type: "netns" };
  return { type: "free" };
}
