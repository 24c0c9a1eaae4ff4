/**
 * Completion for bash, without the bash-completion package. The script asks the shell only, so that
 * TAB starts no process of ours, and evaluates nothing of what was typed.
 */
import { allCommands, type CommandNode, type OptionNode, type Values } from "./tree.js";

/** The script for `source <(PROGRAM completion bash)`. */
export function bashCompletion(program: string, root: CommandNode): string {
  const commands = allCommands(root);
  return `# bash completion for ${program}: source <(${program} completion bash)
_${program}() {
  local IFS=$' \\t\\n'
  local word path= open= cur=\${COMP_WORDS[COMP_CWORD]}
  # Bash makes a word of its own of the "=" in --option=value.
  [[ $cur == = ]] && cur=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == = ]] && continue
    if [[ $word == -?* ]]; then
      open=
      case "$path:$word" in
${indented(8, optionCases(commands))}
      esac
    elif [[ $open == *+ ]]; then
      continue
    elif [[ $open ]]; then
      open=
    else
      case "$path/$word" in
        ${pathPatterns(commands)}) path+=/$word ;;
      esac
    fi
  done

  local words= values=\${open%+}
  if [[ ! $open && $cur != -* ]]; then
    case "$path" in
${indented(6, commands.flatMap(argumentCase))}
    esac
  elif [[ ! $open || ( $open == *+ && $cur == -* ) ]]; then
    values=
    case "$path" in
${indented(6, commands.map(optionsCase))}
    esac
  fi
  [[ $values == netns && $cur == */* ]] && values=files
  case "$values" in
    netns) mapfile -t COMPREPLY < <(cd /run/netns 2>/dev/null && compgen -f -- "$cur") ;;
    files)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      ;;
    choices:*) mapfile -t COMPREPLY < <(compgen -W "\${values#choices:}" -- "$cur") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur") ;;
  esac
}
complete -F _${program} ${program}`;
}

function indented(columns: number, lines: readonly string[]): string {
  return lines.map((line) => " ".repeat(columns) + line).join("\n");
}

function pathOf({ path }: CommandNode): string {
  return path.map((name) => `/${name}`).join("");
}

function pathPatterns(commands: readonly CommandNode[]): string {
  return commands
    .filter(({ path }) => path.length > 0)
    .map(pathOf)
    .join(" | ");
}

/** Which value an option leaves open, after which command. */
function optionCases(commands: readonly CommandNode[]): string[] {
  const patterns = new Map<string, string[]>();
  for (const command of commands) {
    for (const { short, long, values, variadic } of command.options) {
      if (values === undefined) continue;
      const value = `${valueWord(values)}${variadic ? "+" : ""}`;
      const flags = [short, long].filter((flag) => flag !== undefined);
      const known = patterns.get(value) ?? [];
      patterns.set(value, [...known, ...flags.map((flag) => `${pathOf(command)}:${flag}`)]);
    }
  }
  return [...patterns].map(([value, flags]) => `${flags.join(" | ")}) open='${value}' ;;`);
}

function valueWord(values: Values): string {
  return values.type === "choices" ? `choices:${values.choices.join(" ")}` : values.type;
}

/** What a command takes as an argument: a command below it, or a value. */
function argumentCase(command: CommandNode): string[] {
  const names = command.commands.map(({ path }) => path.at(-1));
  if (names.length > 0) return [`'${pathOf(command)}') words='${names.join(" ")}' ;;`];
  if (command.values === undefined) return [];
  return [`'${pathOf(command)}') values='${valueWord(command.values)}' ;;`];
}

function optionsCase(command: CommandNode): string {
  return `'${pathOf(command)}') words='${command.options.flatMap(flagsOf).join(" ")}' ;;`;
}

function flagsOf({ short, long }: OptionNode): string[] {
  return short === undefined ? [long] : [short, long];
}
