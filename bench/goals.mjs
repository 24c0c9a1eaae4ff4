// The goals that the library is held to, each a figure of the results with its interval.
import { cellAt, estimateOf, pairedRatio } from "./results.mjs";
import { estimate } from "./statistics.mjs";

/**
 * @typedef {import("./results.mjs").Results} Results
 * @typedef {import("./results.mjs").Figure} Figure
 * @typedef {import("./statistics.mjs").Estimate} Estimate
 *
 * @typedef {object} Goal
 * @property {string} what
 * @property {"at most" | "at least"} direction
 * @property {number} limit
 * @property {string} unit "×", "µs" or "ms"
 * @property {(results: Results) => Estimate | undefined} figure
 * @property {Goal["figure"]} [bareC] What bare C has in flintap's place, with the same requests: no more
 *   than that is to be had.
 *
 * @typedef {"met" | "not met" | "undecided" | "not measured"} Verdict
 */

/** @typedef {{ kind: string, ipv6?: string, count: number, contestant: string, work?: string }} Who */

/** @param {Results} results @param {Who} who */
const cell = (results, { ipv6 = "closed", work = "create", ...who }) =>
  cellAt(results, { ipv6, work, ...who });

/**
 * @param {Who} above
 * @param {Partial<Who>} below What differs in the other one.
 * @param {Figure} figure
 * @returns {Goal["figure"]}
 */
const ratio = (above, below, figure) => (results) =>
  pairedRatio(cell(results, above), cell(results, { ...above, ...below }), figure);

/**
 * How often another one's costs hold flintap's, and bare C's.
 *
 * @param {Who} other
 * @param {Partial<Who>} own What differs in flintap's.
 * @param {Figure} figure
 * @returns {Pick<Goal, "figure" | "bareC">}
 */
const beside = (other, own, figure) => ({
  figure: ratio(other, { contestant: "flintap bulk", ...own }, figure),
  bareC: ratio(other, { contestant: "C bulk", ...own }, figure),
});

/** @param {string} kind @returns {Goal[]} */
function createGoals(kind) {
  const own = { kind, count: 1000, contestant: "flintap bulk" };
  const few = { kind, count: 100, contestant: "flintap awaited" };
  const go = { kind, count: 100, ipv6: "open", contestant: "Go flintlock" };
  const flintlock = { kind, count: 1000, ipv6: "open", contestant: "Go flintlock" };
  const processes = { kind, count: 100, contestant: "ip processes" };
  return [
    {
      what: `${kind}: Promise.all of 1,000 creates, to bare C`,
      direction: "at most",
      limit: 1.1,
      unit: "×",
      figure: ratio(own, { contestant: "C bulk" }, "cpuUs"),
    },
    {
      what: `${kind}: 100 creates awaited one by one, to bare C`,
      direction: "at most",
      limit: 1.5,
      unit: "×",
      figure: ratio(few, { contestant: "C awaited" }, "cpuUs"),
    },
    {
      what: `${kind}: Go as flintlock calls it to 100 creates, host IPv6 open on both`,
      direction: "at least",
      limit: 1.5,
      unit: "×",
      ...beside(go, {}, "cpuUs"),
    },
    {
      what: `${kind}: Go as flintlock calls it (host IPv6 open) to 1,000 creates (closed), by default`,
      direction: "at least",
      limit: 2,
      unit: "×",
      ...beside(flintlock, { ipv6: "closed" }, "cpuUs"),
    },
    {
      what: `${kind}: processes of ip, 8 side by side, to 100 creates, by the clock`,
      direction: "at least",
      limit: kind === "tap" ? 10 : 15,
      unit: "×",
      ...beside(processes, {}, "wallUs"),
    },
  ];
}

/** @param {string} kind @returns {Goal[]} */
function deleteGoals(kind) {
  const own = { kind, count: 1000, contestant: "flintap bulk", work: "delete-bulk" };
  const goDeletes = { kind, count: 100, contestant: "Go flintlock", work: "delete-each" };
  const parallel = { kind, count: 100, contestant: "Go lean", work: "delete-parallel" };
  const together = { work: "delete-bulk" };
  const acked = { kind, count: 100, contestant: "C awaited", work: "delete-single" };
  return [
    {
      what: `${kind}: deleteLinks of 1,000, to bare C's group deletes, by the clock`,
      direction: "at most",
      limit: 1.15,
      unit: "×",
      figure: ratio(own, { contestant: "C bulk" }, "wallUs"),
    },
    {
      what: `${kind}: Go's deletes one by one to deleteLinks of 100, by the clock`,
      direction: "at least",
      limit: 35,
      unit: "×",
      ...beside(goDeletes, together, "wallUs"),
    },
    {
      what: `${kind}: Go's deletes by 16 goroutines to deleteLinks of 100, by the clock`,
      direction: "at least",
      limit: 5,
      unit: "×",
      ...beside(parallel, together, "wallUs"),
    },
    {
      what: `${kind}: waiting for a delete's ack to a deleteLink that is settled, by the clock`,
      direction: "at least",
      limit: 15,
      unit: "×",
      figure: ratio(acked, { contestant: "flintap awaited" }, "wallUs"),
    },
  ];
}

/** @param {string} kind @returns {Goal[]} */
function loopGoals(kind) {
  const own = { kind, count: 1000, contestant: "flintap bulk" };
  return [
    {
      what: `${kind}: event loop's time for each of 1,000 creates at once`,
      direction: "at most",
      limit: 15,
      unit: "µs",
      figure: (results) => estimateOf(cell(results, own), "jsThreadUs"),
    },
    {
      what: `${kind}: event loop's longest stall in 1,000 creates at once`,
      direction: "at most",
      limit: 5,
      unit: "ms",
      figure: (results) => estimateOf(cell(results, own), "loopDelayMaxMs"),
    },
  ];
}

const growing = { kind: "macvtap", count: 4000, contestant: "flintap bulk" };

/** @param {Results} results */
function throughputRatio({ queues }) {
  const { noqueue = [], default: other = [] } = queues?.framesPerSecond ?? {};
  return estimate(noqueue.map((frames, round) => frames / (other[round] ?? NaN)));
}

/** @type {Goal[]} */
const otherGoals = [
  {
    what: "macvtap: one among 4,000, to one among 100",
    direction: "at most",
    limit: 2.6,
    unit: "×",
    figure: ratio(growing, { count: 100 }, "cpuUs"),
    bareC: ratio({ ...growing, contestant: "C bulk" }, { count: 100 }, "cpuUs"),
  },
  {
    what: "macvtap: listLinks of 4,000, to a dump that bare C reads",
    direction: "at most",
    limit: 2,
    unit: "×",
    figure: ratio({ ...growing, work: "list" }, { contestant: "C bulk" }, "cpuUs"),
  },
  {
    what: "tap with several queues: frames a second without a queueing discipline, to the kernel's default",
    direction: "at least",
    limit: 0.95,
    unit: "×",
    figure: throughputRatio,
  },
];

/** @type {readonly Goal[]} */
export const goals = [
  ...["macvtap", "tap"].flatMap(createGoals),
  ...["macvtap", "tap"].flatMap(deleteGoals),
  ...["macvtap", "tap"].flatMap(loopGoals),
  ...otherGoals,
];

/**
 * Decided only where the whole interval is on one side of the limit.
 *
 * @param {Pick<Goal, "direction" | "limit">} goal
 * @param {Estimate | undefined} figure
 * @returns {Verdict}
 */
export function judge({ direction, limit }, figure) {
  if (figure === undefined) return "not measured";
  const { low, high } = figure;
  if (low === undefined || high === undefined) return "undecided";
  const [inside, outside] =
    direction === "at most" ? [high <= limit, low > limit] : [low >= limit, high < limit];
  if (inside) return "met";
  return outside ? "not met" : "undecided";
}
