// `npm run bench -- OPTIONS`: measures flintap beside its peers and writes bench/results/latest.json.
//
//   --quick            fewer rounds and devices: two minutes, to see that it works
//   --counts N,N       how many devices are made together
//   --rounds N         at most so many rounds
//   --kinds K,K        macvtap, tap
//   --ipv6 S,S         closed, open: the host's IPv6 on the devices
//   --only C,C         contestants, by their ids (contestants.mjs)
//   --skip P,P         parts that are left out: queues, large
//   --warm-up N        how many are made and deleted first
//   --output FILE      writes there instead
//
// Makes devices in network namespaces of its own only (arena.mjs). Progress goes to standard error.
import process from "node:process";
import { parseArgs } from "node:util";
import { enterNamespaces, isInside } from "../examples/quickstart/namespace.mjs";
import { Refusal } from "./arena.mjs";
import { contestants, installNpmNetlink, makeReady } from "./contestants.mjs";
import { describeHost } from "./host.mjs";
import { casesOf, expectedMs, kinds, planFor } from "./matrix.mjs";
import { play } from "./play.mjs";
import { Progress } from "./progress.mjs";
import { measureQueues, queuesExpectedMs } from "./queues.mjs";
import { Cells, latest, writeResults } from "./results.mjs";
import { largeExpectedMs, measureLarge } from "./scaling.mjs";

/** What is wrong with the command line. */
class UsageError extends Error {}

/** @param {string} text */
function wholeNumber(text) {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new UsageError(`Expected a whole number from 1, received "${text}"`);
}

/** @param {string | undefined} text @param {readonly string[]} known */
function chosen(text, known) {
  const names = text?.split(",") ?? [...known];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new UsageError(`Expected some of ${known.join(", ")}, received "${unknown}"`);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      counts: { type: "string" },
      rounds: { type: "string" },
      kinds: { type: "string" },
      ipv6: { type: "string" },
      "warm-up": { type: "string" },
      only: { type: "string" },
      skip: { type: "string", default: "" },
      output: { type: "string", default: latest },
    },
  });
  const plan = planFor(values.quick);
  const rounds = wholeNumber(values.rounds ?? "99");
  const counts =
    values.counts?.split(",").map(wholeNumber) ?? plan.counts.map(({ count }) => count);
  const all = contestants.map(({ id }) => id);
  return {
    quick: values.quick,
    output: values.output,
    skip: values.skip === "" ? [] : chosen(values.skip, ["queues", "large"]),
    plan: {
      ...plan,
      kinds: chosen(values.kinds, kinds),
      contestants: chosen(values.only, all),
      ipv6: chosen(values.ipv6, ["closed", "open"]),
      warmUp: wholeNumber(values["warm-up"] ?? `${plan.warmUp}`),
      counts: counts.map((count) => {
        // One that is not planned is measured as often as the next larger that is.
        const planned = plan.counts.find((one) => one.count >= count) ?? plan.counts.at(-1);
        const { rounds: most = 1, peers = most } = planned ?? {};
        return { count, rounds: Math.min(most, rounds), peers };
      }),
    },
  };
}

/** @param {unknown} error @returns {error is Error} */
function isUsageError(error) {
  if (error instanceof UsageError) return true;
  return error instanceof Error && "code" in error && /^ERR_PARSE_ARGS/.test(`${error.code}`);
}

/**
 * All cases of the plan. A contestant that cannot do one kind is left out of it, with the reason.
 *
 * @param {import("./matrix.mjs").Plan} plan
 * @param {import("./matrix.mjs").Case[]} cases
 * @param {Progress} progress
 */
async function runMatrix(plan, cases, progress) {
  const cells = new Cells();
  /** @type {import("./results.mjs").Results["obstacles"]} */
  const obstacles = [];
  for (const place of cases) {
    const { kind, ipv6, count, contestant, round } = place;
    const { id } = contestant;
    const expected = expectedMs(place, plan.deleteRounds);
    const title = `round ${round + 1}, ${count} × ${kind}, host IPv6 ${ipv6}, ${contestant.title}`;
    const done = progress.begin(title, expected);
    if (obstacles.some((known) => known.kind === kind && known.contestant === id)) continue;
    try {
      await play(place, plan, cells);
    } catch (error) {
      // Without flintap or the limit there is nothing to compare.
      if (!(error instanceof Refusal) || contestant.own) throw error;
      obstacles.push({ contestant: id, kind, reason: error.message });
    }
    done();
  }
  return { cells: cells.all(), obstacles };
}

async function bench() {
  const { quick, output, skip, plan } = readOptions();
  const taking = contestants.filter(({ id }) => plan.contestants.includes(id));
  // Before, since the registry cannot be reached from inside.
  if (!isInside && taking.some(({ program }) => program === "npm netlink"))
    await installNpmNetlink();
  enterNamespaces();
  const programs = await makeReady([...new Set(taking.map(({ program }) => program))]);
  const able = taking.filter(({ program }) => "version" in (programs[program] ?? {}));
  for (const [name, state] of Object.entries(programs)) {
    if ("missing" in state) console.error(`bench: without ${name}: ${state.missing}`);
  }
  const ready = { ...plan, contestants: able.map(({ id }) => id) };
  const cases = casesOf(ready);
  const withQueues = !skip.includes("queues");
  const withLarge = !skip.includes("large");
  const expected =
    cases.reduce((sum, place) => sum + expectedMs(place, plan.deleteRounds), 0) +
    (withQueues ? queuesExpectedMs(quick) : 0) +
    (withLarge ? largeExpectedMs(quick) : 0);
  const progress = new Progress(expected);
  const host = describeHost();
  const measured = await runMatrix(ready, cases, progress);
  const queues = withQueues ? await measureQueues(quick, progress) : undefined;
  const large = withLarge ? await measureLarge(quick, progress) : undefined;
  const minutes = Number(progress.end().toFixed(1));
  writeResults({ host, quick, minutes, programs, queues, large, ...measured }, output);
  console.log(`Measured in ${minutes} minutes, written to ${output}`);
}

try {
  await bench();
} catch (error) {
  if (isUsageError(error)) process.exitCode = 2;
  else if (error instanceof Refusal) process.exitCode = 1;
  else throw error;
  console.error(`bench: ${error.message}`);
}
