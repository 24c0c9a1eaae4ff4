// `npm test`: sets the checkout up and runs every check, one step after the other.
//
//   --only A,B     only these steps or groups of steps (see test-steps.mjs)
//   --e2e          instead: the tests with real guests
//   --sanitizers   instead: the native, kernel and fault tests under ASan+UBSan and TSan
//   --kernels      instead: the kernel tests in guests, on the kernels of Debian releases
//   --no-skips     a skip is a failure, unless .ci/allowed-skips.json allows it
//   --verbose      show what every step prints, not only the failed ones'
//   -- ARGS        handed to vitest, such as -t NAME
//
// The last line is `N passed, N failed` with `, N skipped` if there were any.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setUp } from "./setup.mjs";
import { guestSteps, kernelSteps, sanitizerSteps, steps } from "./test-steps.mjs";
import { CommandFailed, Obstacle, root, since } from "./toolchain.mjs";

const separator = process.argv.indexOf("--", 2);
const { values: options } = parseArgs({
  args: process.argv.slice(2, separator < 0 ? undefined : separator),
  options: {
    only: { type: "string" },
    e2e: { type: "boolean", default: false },
    sanitizers: { type: "boolean", default: false },
    kernels: { type: "boolean", default: false },
    "no-skips": { type: "boolean", default: process.env.FLINTAP_NO_SKIPS === "1" },
    verbose: { type: "boolean", default: false },
  },
});
const vitestArguments = separator < 0 ? [] : process.argv.slice(separator + 1);

function stepsOf({ e2e, sanitizers, kernels }) {
  if (e2e) return guestSteps;
  if (sanitizers) return sanitizerSteps;
  return kernels ? kernelSteps : steps;
}

function chosenSteps() {
  const all = stepsOf(options);
  if (options.only === undefined) return all;
  const wanted = options.only.split(",");
  const chosen = all.filter(({ name, group }) => wanted.includes(name) || wanted.includes(group));
  if (chosen.length === 0) throw new Error(`No step or group is called "${options.only}"`);
  return chosen;
}

/** A step's outcome, however it ended: counts, skips and what there is to read. */
async function outcomeOf(step) {
  try {
    const {
      passed = 1,
      failed = 0,
      skips = [],
      output = "",
    } = (await step.run(vitestArguments)) ?? {};
    return { passed, failed, skips, output };
  } catch (error) {
    if (error instanceof Obstacle)
      return {
        passed: 0,
        failed: 0,
        skips: [{ what: step.title, reason: error.message }],
        output: "",
      };
    const output = error instanceof CommandFailed ? error.message : String(error.stack);
    return { passed: 0, failed: 1, skips: [], output };
  }
}

// What every create, attach, list and delete test stands on: never to be allowed away.
const indispensable =
  /network namespace|user namespaces|macvtap devices|bridges|veth|\/dev\/net\/tun/;

/** Parts a step's skips into those that the list allows and those that fail the run. */
function judgeSkips({ name }, skips) {
  if (!options["no-skips"]) return { allowed: skips, refused: [] };
  const list = JSON.parse(readFileSync(join(root, ".ci/allowed-skips.json"), "utf8"));
  const isAllowed = ({ what, reason }) =>
    !indispensable.test(reason) &&
    list.some(({ step = name, match }) => step === name && `${what}: ${reason}`.includes(match));
  return { allowed: skips.filter(isAllowed), refused: skips.filter((skip) => !isAllowed(skip)) };
}

async function runStep(step) {
  console.log(`\n${step.title} …`);
  const start = performance.now();
  const { passed, failed, skips, output } = await outcomeOf(step);
  const { allowed, refused } = judgeSkips(step, skips);
  for (const { what, reason } of refused) console.log(`not to be skipped: ${what}: ${reason}`);
  if (output && (failed > 0 || options.verbose)) console.log(output.trimEnd());
  return { step, passed, failed: failed + refused.length, skips: allowed, time: since(start) };
}

function printTable(results) {
  const rows = results.map(({ step, passed, failed, skips, time }) => [
    step.title,
    time,
    String(passed),
    String(failed),
    String(skips.length),
  ]);
  const table = [["step", "time", "passed", "failed", "skipped"], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table) {
    const [title, ...numbers] = row;
    const cells = numbers.map((cell, index) => cell.padStart(widths[index + 1]));
    console.log([title.padEnd(widths[0]), ...cells].join("  "));
  }
}

function report(results) {
  console.log("");
  printTable(results);
  const skips = results.flatMap((result) => result.skips);
  if (skips.length > 0) console.log("\nSkipped:");
  for (const { what, reason } of skips) console.log(`  ${what}: ${reason}`);
  const sum = (count) => results.reduce((total, result) => total + count(result), 0);
  const failed = sum((result) => result.failed);
  const line = `${sum((result) => result.passed)} passed, ${failed} failed`;
  console.log(`\n${line}${skips.length > 0 ? `, ${skips.length} skipped` : ""}`);
  process.exitCode = failed > 0 ? 1 : 0;
}

const results = [];
try {
  await setUp();
  for (const step of chosenSteps()) results.push(await runStep(step));
} catch (error) {
  const isExpected = error instanceof Obstacle || error instanceof CommandFailed;
  console.error(isExpected ? error.message : error);
  results.push({ step: { title: "set-up" }, passed: 0, failed: 1, skips: [], time: "" });
}
report(results);
