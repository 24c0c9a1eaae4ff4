/** Completion for zsh, by its own `_arguments`. */
import { allCommands, type CommandNode, type OptionNode, type Values } from "./tree.js";

/** The script for `source <(PROGRAM completion zsh)`, or for a file `_PROGRAM` of the fpath. */
export function zshCompletion(program: string, root: CommandNode): string {
  const functions = allCommands(root).map((command) => functionOf(program, command));
  return `#compdef ${program}
# zsh completion for ${program}: source <(${program} completion zsh), after compinit
${functions.join("\n")}
_${program}_netns() {
  local -a names
  names=(/run/netns/*(N:t))
  compadd -a names
  _files
}
if [ "$funcstack[1]" = "_${program}" ]; then
  _${program} "$@"
else
  compdef _${program} ${program}
fi`;
}

function nameOf(program: string, { path }: CommandNode): string {
  return ["", program, ...path].join("_").replaceAll("-", "_");
}

function functionOf(program: string, command: CommandNode): string {
  const options = command.options.flatMap((option) => specsOf(program, option));
  const { commands, values } = command;
  if (commands.length === 0) {
    const argument = values === undefined ? [] : [`'*:value:${actionOf(program, values)}'`];
    return `${nameOf(program, command)}() {
  _arguments -s \\
    ${[...options, ...argument].join(" \\\n    ")}
}`;
  }
  const names = commands.map((one) =>
    quoted(`${escaped(one.path.at(-1) ?? "")}:${one.description}`),
  );
  const cases = commands.map((one) => `${one.path.at(-1)}) ${nameOf(program, one)} ;;`);
  return `${nameOf(program, command)}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -s -C \\
    ${options.join(" \\\n    ")} \\
    '1: :->command' '*:: :->rest'
  case $state in
    command)
      local -a commands
      commands=(
        ${names.join("\n        ")}
      )
      _describe command commands
      ;;
    rest)
      case $line[1] in
        ${cases.join("\n        ")}
      esac
      ;;
  esac
}`;
}

/** One spec for each spelling: `'*-f[the spec]:value:_files'`. */
function specsOf(program: string, { short, long, description, values }: OptionNode): string[] {
  const value = values === undefined ? "" : `:value:${actionOf(program, values)}`;
  const says = `[${escaped(description)}]${value}`;
  const flags = [...(short === undefined ? [] : [short]), values === undefined ? long : `${long}=`];
  return flags.map((flag) => quoted(`*${flag}${says}`));
}

function actionOf(program: string, values: Values): string {
  if (values.type === "files") return "_files";
  if (values.type === "netns") return `_${program}_netns`;
  return values.type === "choices" ? `(${values.choices.join(" ")})` : " ";
}

/** Brackets and colons mean something to `_arguments` and `_describe`. */
function escaped(text: string): string {
  return text.replace(/[[\]:\\]/g, "\\$&");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
