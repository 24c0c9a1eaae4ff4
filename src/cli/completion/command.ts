/** `flintap completion`: prints a script by which a shell completes the command. */
import { Argument, type Command } from "commander";
import type { Terminal } from "../terminal.js";
import { bashCompletion } from "./bash.js";
import { fishCompletion } from "./fish.js";
import { commandTree } from "./tree.js";
import { zshCompletion } from "./zsh.js";

const generators = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

const description = `Print a script by which a shell completes commands, options, files and the names
of network namespaces. Changes nothing by itself.`;

const examples = `
Examples:
  $ source <(flintap completion bash)           # in ~/.bashrc
  $ source <(flintap completion zsh)            # in ~/.zshrc, after compinit
  $ flintap completion fish | source            # in ~/.config/fish/config.fish`;

/** Adds the command. */
export function addCompletion(program: Command, { print }: Terminal): void {
  program
    .command("completion")
    .summary("print a completion script for a shell")
    .description(description)
    .addHelpText("after", examples)
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(generators)))
    .action((shell: keyof typeof generators) => {
      print(generators[shell](program.name(), commandTree(program)));
    });
}
