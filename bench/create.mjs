// Measures what it costs to create and delete devices of each kind: `npm run bench -- OPTIONS`.
//
//   --json         print all that was measured, as JSON, in place of the table
//   --quick        fewer rounds, and no more than 100 devices together
//   --rounds N     how often everything is measured (default 5)
//   --counts N,N   how many devices are made together (default 1,100,1000)
//   --kinds K,K    kinds of devices (default macvtap,tap,bridge,veth)
//
// Makes devices in network namespaces of its own only (round.mjs). What it prints goes to standard
// output; progress, on a terminal, to standard error.
import process from "node:process";
import { parseArgs } from "node:util";
import { deviceKinds } from "./devices.mjs";
import { describeHost } from "./host.mjs";
import { RoundFailure, runMatrix } from "./matrix.mjs";
import { formatReport } from "./report.mjs";

/** What is wrong with the command line. */
class UsageError extends Error {}

/** @param {string} text */
function wholeNumber(text) {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new UsageError(`Expected a whole number from 1, received "${text}"`);
}

/** @param {string} text */
function kindName(text) {
  const known = Object.keys(deviceKinds);
  if (known.includes(text)) return text;
  throw new UsageError(`Expected one of ${known.join(", ")}, received "${text}"`);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      counts: { type: "string" },
      kinds: { type: "string" },
    },
  });
  const [rounds, counts, fewest] = values.quick ? ["2", "1,100", 5] : ["5", "1,100,1000", 10];
  const plan = {
    kinds: (values.kinds ?? Object.keys(deviceKinds).join()).split(",").map(kindName),
    counts: (values.counts ?? counts).split(",").map(wholeNumber),
    rounds: wholeNumber(values.rounds ?? rounds),
    leastDevices: fewest,
    warmUp: fewest,
  };
  return { json: values.json, plan };
}

/** @param {unknown} error @returns {error is Error} */
function isParseError(error) {
  return error instanceof Error && "code" in error && /^ERR_PARSE_ARGS/.test(`${error.code}`);
}

/** @param {string} text */
function showProgress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

try {
  const { json, plan } = readOptions();
  const host = describeHost();
  const report = { host, plan, ...(await runMatrix(plan, showProgress)) };
  showProgress("");
  console.log(json ? JSON.stringify(report, undefined, 2) : formatReport(report));
} catch (error) {
  if (error instanceof RoundFailure) process.exitCode = 1;
  else if (error instanceof UsageError || isParseError(error)) process.exitCode = 2;
  else throw error;
  console.error(`bench: ${error.message}`);
}
