#!/usr/bin/env node
/** The `flintap` command: runs the program, and ends as it came out. */
import { endingOf, errorJson, errorText } from "./failure.js";
import { createProgram } from "./program.js";
import { processTerminal } from "./terminal.js";

try {
  await createProgram(processTerminal()).parseAsync();
} catch (error) {
  const ending = endingOf(error);
  if (ending === undefined) throw error;
  const { report, exitCode } = ending;
  // The options may be what is wrong, so they are not asked.
  const toText = process.argv.includes("--json") ? errorJson : errorText;
  if (report !== undefined) console.error(toText(report));
  process.exitCode = exitCode;
}
