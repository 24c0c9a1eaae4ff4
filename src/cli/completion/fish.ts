/** Completion for fish. */
import { allCommands, type CommandNode, type OptionNode, type Values } from "./tree.js";

/** The script for `PROGRAM completion fish | source`. */
export function fishCompletion(program: string, root: CommandNode): string {
  const lines = allCommands(root).flatMap((command) => linesOf(program, root, command));
  return `# fish completion for ${program}: ${program} completion fish | source
complete -c ${program} -f
${lines.join("\n")}`;
}

function linesOf(program: string, root: CommandNode, command: CommandNode): string[] {
  const here = `complete -c ${program} -n ${quoted(conditionOf(command))}`;
  // Those of the program are offered everywhere.
  const own = command === root ? [] : command.options.filter((one) => !isGlobal(one, root));
  return [
    ...(command === root
      ? root.options.map((option) => `complete -c ${program}${optionText(option)}`)
      : own.map((option) => `${here}${optionText(option)}`)),
    ...command.commands.map(
      ({ path, description }) => `${here} -a ${path.at(-1)} -d ${quoted(description)}`,
    ),
    ...(command.values === undefined ? [] : [`${here}${valueText(command.values)}`]),
  ];
}

function isGlobal({ long }: OptionNode, root: CommandNode): boolean {
  return root.options.some((option) => option.long === long);
}

/** That the command line is at this command, and at none below it. */
function conditionOf({ path, commands }: CommandNode): string {
  const names = commands.map((one) => one.path.at(-1)).join(" ");
  const seen = path.map((name) => `__fish_seen_subcommand_from ${name}`);
  const unseen = names === "" ? [] : [`not __fish_seen_subcommand_from ${names}`];
  return [...seen, ...unseen].join("; and ");
}

function optionText({ short, long, description, values }: OptionNode): string {
  const flags = [...(short === undefined ? [] : [`-s ${short.slice(1)}`]), `-l ${long.slice(2)}`];
  const value = values === undefined ? "" : ` -r${valueText(values)}`;
  return ` ${flags.join(" ")}${value} -d ${quoted(description)}`;
}

function valueText(values: Values): string {
  if (values.type === "files") return " -F";
  if (values.type === "netns") return " -F -a '(command ls /run/netns 2>/dev/null)'";
  return values.type === "choices" ? ` -a ${quoted(values.choices.join(" "))}` : "";
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
