// Runs every case of the benchmark, round after round, each in a process and namespaces of its own
// (round.mjs). What is compared takes turns, in another order each round, so that a slow moment
// hits everybody. Measures nothing itself.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { median, medians } from "./statistics.mjs";
import { peer, subjects } from "./subjects.mjs";

/** @typedef {import("./meter.mjs").Cost} Cost */

/**
 * @typedef {object} Plan
 * @property {string[]} kinds
 * @property {number[]} counts How many devices are made together.
 * @property {number} rounds
 * @property {number} leastDevices Smaller counts are repeated within a round up to this many.
 * @property {number} warmUp How many are made and deleted first in every case.
 */

/**
 * What a subject did for a number of devices of a kind.
 *
 * @typedef {object} Place
 * @property {string} kind
 * @property {number} count
 * @property {string} subject
 * @property {"create" | "delete"} work
 */

/**
 * What one device cost: each round's median, and the median of these. `ofPeer` is the median of
 * the rounds' ratios to the peer.
 *
 * @typedef {Place & { median: Cost, rounds: Cost[], ofPeer?: Ratio }} Result
 * @typedef {{ wall?: number, cpu?: number }} Ratio
 */

/** @typedef {{ kind: string, subject: string, reason: string }} Obstacle */

/** One by one, each delete waits in the kernel by itself: more of them would take minutes. */
export const mostDeletes = 100;
const deletingSubject = "flintap, one by one";

/** A round broke; it has told why on standard error. */
export class RoundFailure extends Error {}

/**
 * Runs one case.
 *
 * @param {import("./round.mjs").Case} settings
 * @returns {Promise<import("./round.mjs").Outcome>}
 */
async function runCase(settings) {
  const args = [join(import.meta.dirname, "round.mjs"), JSON.stringify(settings)];
  const round = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [output, [code, signal]] = await Promise.all([text(round.stdout), once(round, "close")]);
  if (code === 0) return JSON.parse(output);
  const { count, kind, subject } = settings;
  throw new RoundFailure(`${count} × ${kind}, ${subject}: ended by ${signal ?? `code ${code}`}`);
}

/** @param {readonly Cost[]} own @param {readonly Cost[]} others @param {"wallUs" | "cpuUs"} figure */
function pairedRatio(own, others, figure) {
  const ratios = own.map((cost, round) => (cost[figure] ?? NaN) / (others[round]?.[figure] ?? NaN));
  return median(ratios.filter(Number.isFinite));
}

/** @param {Place} place */
const keyOf = ({ kind, count, subject, work }) => [kind, count, subject, work].join();

/** @param {Map<string, { place: Place, rounds: Cost[] }>} measured @returns {Result[]} */
function summarize(measured) {
  return [...measured.values()].map(({ place, rounds }) => {
    const result = { ...place, median: medians(rounds), rounds };
    const others = measured.get(keyOf({ ...place, subject: peer }));
    if (place.subject === peer || others === undefined) return result;
    const wall = pairedRatio(rounds, others.rounds, "wallUs");
    const cpu = pairedRatio(rounds, others.rounds, "cpuUs");
    return { ...result, ofPeer: { wall, cpu } };
  });
}

/** @param {Plan} plan */
function* casesOf({ kinds, counts, rounds, leastDevices, warmUp }) {
  const names = Object.keys(subjects);
  for (let round = 0; round < rounds; round += 1) {
    const first = round % names.length;
    const turns = [...names.slice(first), ...names.slice(0, first)];
    for (const kind of kinds) {
      for (const count of counts) {
        const repetitions = Math.ceil(leastDevices / count);
        for (const subject of turns) {
          const deletes = subject === deletingSubject && count <= mostDeletes;
          yield { round, kind, count, subject, repetitions, warmUp, deletes };
        }
      }
    }
  }
}

/**
 * Runs the plan. A subject that cannot make a kind here is left out of it, with the reason.
 *
 * @param {Plan} plan
 * @param {(text: string) => void} showProgress
 */
export async function runMatrix(plan, showProgress) {
  /** @type {Map<string, { place: Place, rounds: Cost[] }>} */
  const measured = new Map();
  /** @type {Obstacle[]} */
  const obstacles = [];
  for (const { round, ...settings } of casesOf(plan)) {
    const { kind, count, subject } = settings;
    if (obstacles.some((known) => known.kind === kind && known.subject === subject)) continue;
    showProgress(`round ${round + 1} of ${plan.rounds}: ${count} × ${kind}, ${subject}`);
    const outcome = await runCase(settings);
    if ("obstacle" in outcome) {
      obstacles.push({ kind, subject, reason: outcome.obstacle });
      continue;
    }
    for (const work of /** @type {const} */ (["create", "delete"])) {
      if (outcome[work].length === 0) continue;
      const place = { kind, count, subject, work };
      const entry = measured.get(keyOf(place)) ?? { place, rounds: [] };
      entry.rounds.push(medians(outcome[work]));
      measured.set(keyOf(place), entry);
    }
  }
  return { results: summarize(measured), obstacles };
}
