#!/usr/bin/env node
/** The `flintap` command: its subcommands, help and ending. What they do is the library's. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { downCommand } from "./down.js";
import { endingOf } from "./failure.js";
import { upCommand } from "./up.js";

const { version, description } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);

const help = `
Examples:
  $ flintap up -c config.yaml -f spec.json --id vm1
  $ flintap down -f spec.json --id vm1

Exit codes:
  0  done
  1  refused by the kernel or the library
  2  wrong usage, or a file that cannot be read or holds something wrong; nothing was sent`;

// `flintap --help | head -1` closes the pipe before everything is written; that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const print = (text: string): void => console.log(text);

const program = new Command("flintap")
  .description(description)
  .version(version)
  .exitOverride()
  .addHelpText("after", help);
for (const command of [upCommand(print), downCommand(print)]) {
  program.addCommand(command.copyInheritedSettings(program));
}

try {
  await program.parseAsync();
} catch (error) {
  const ending = endingOf(error);
  if (ending === undefined) throw error;
  for (const line of ending.lines) console.error(line);
  process.exitCode = ending.exitCode;
}
