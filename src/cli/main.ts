#!/usr/bin/env node
/** The `flintap` command: runs the program, and ends as it came out. */
import { exitCodes } from "./exit-codes.js";
import { endingOf, errorJson, errorText } from "./failure.js";
import { createProgram, pathOf } from "./program.js";
import { processTerminal } from "./terminal.js";

// The options may be what is wrong, so they are not asked.
const json = process.argv.includes("--json");
const terminal = processTerminal({ json });
const program = createProgram(terminal);
let command = "";
let failure: unknown;

program.hook("preAction", (_, action) => {
  command = pathOf(action);
});

/** Does some of the work, and tells why it failed. */
async function run(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const ending = endingOf(error, command);
    if (ending === undefined) throw error;
    const { report, exitCode } = ending;
    if (error === failure) return;
    if (report !== undefined) terminal.fail(json ? errorJson(report) : errorText(report));
    process.exitCode = exitCode;
    if (exitCode !== exitCodes.done) failure = error;
  }
}

await run(async () => await program.parseAsync());
await run(async () => await terminal.drained());
terminal.end(failure !== undefined);
