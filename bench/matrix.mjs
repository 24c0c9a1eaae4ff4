// Which cases there are, and in which order they run: round after round, what is compared right after
// each other and in another order each round, so that a slow moment hits everybody. Measures nothing
// itself.
import { contestants } from "./contestants.mjs";

/**
 * What runs in one namespace.
 *
 * @typedef {object} Case
 * @property {string} kind
 * @property {string} ipv6 "closed" or "open": the host's IPv6 on the devices.
 * @property {number} count How many devices are made together.
 * @property {import("./contestants.mjs").Contestant} contestant
 * @property {number} round
 */

/**
 * @typedef {object} Plan
 * @property {readonly string[]} kinds
 * @property {readonly string[]} ipv6
 * @property {readonly { count: number, rounds: number, peers: number }[]} counts How many rounds; in
 *   how many of them the peers take part.
 * @property {readonly string[]} contestants
 * @property {number} warmUp How many are made and deleted first in a case: a daemon's JavaScript has been
 *   compiled long since.
 * @property {number} deleteRounds In how many rounds those peers delete that wait for each delete, and
 *   are in no goal.
 */

export const kinds = ["macvtap", "tap"];

/** @type {readonly Plan["counts"][number][]} */
const fullCounts = [
  { count: 1, rounds: 15, peers: 0 },
  { count: 100, rounds: 15, peers: 15 },
  { count: 1000, rounds: 7, peers: 7 },
  { count: 4000, rounds: 3, peers: 0 },
];

/** @type {readonly Plan["counts"][number][]} */
const quickCounts = [
  { count: 1, rounds: 2, peers: 0 },
  { count: 100, rounds: 2, peers: 1 },
  { count: 1000, rounds: 1, peers: 0 },
];

/** @param {boolean} quick @returns {Plan} */
export const planFor = (quick) => ({
  kinds,
  ipv6: ["closed", "open"],
  counts: quick ? quickCounts : fullCounts,
  contestants: contestants.map(({ id }) => id),
  warmUp: 100,
  deleteRounds: quick ? 1 : 5,
});

/** Each process of `ip` takes milliseconds: beyond this many devices, minutes. */
const mostProcesses = 100;
/** Host IPv6 makes thousands of devices slow: there, only the limit is held against the fastest way. */
const mostAwaitedOpen = 100;

/** @param {Omit<Case, "round">} place @param {number} round @param {Plan["counts"][number]} rounds */
function takesPart({ contestant, count, ipv6 }, round, { peers }) {
  if (contestant.own)
    return contestant.how === "bulk" || ipv6 === "closed" || count <= mostAwaitedOpen;
  if (contestant.id === "ip processes" && count > mostProcesses) return false;
  return round < peers;
}

/**
 * Every other round goes through the round before it backwards, so that of any two, each comes first as
 * often as the other; and another begins every two rounds.
 *
 * @param {readonly string[]} ids
 * @param {number} round
 */
export function turns(ids, round) {
  const first = Math.floor(round / 2) % ids.length;
  const turned = [...ids.slice(first), ...ids.slice(0, first)];
  return round % 2 === 0 ? turned : turned.toReversed();
}

/** @param {Plan} plan @returns {Case[]} */
export function casesOf(plan) {
  const most = Math.max(...plan.counts.map(({ rounds }) => rounds));
  /** @type {Case[]} */
  const cases = [];
  for (let round = 0; round < most; round += 1) {
    const counts = plan.counts.filter(({ rounds }) => round < rounds);
    for (const kind of plan.kinds)
      for (const rounds of counts)
        for (const ipv6 of plan.ipv6)
          for (const id of turns(plan.contestants, round)) {
            const contestant = contestants.find((one) => one.id === id);
            if (contestant === undefined) throw new Error(`No contestant "${id}"`);
            const place = { kind, ipv6, count: rounds.count, contestant };
            if (takesPart(place, round, rounds)) cases.push({ ...place, round });
          }
  }
  return cases;
}

// ---- what is asked in a case ----

/** What a contestant is asked for, how often, and what of the answers is one measurement. */
/** @typedef {{ work: string, verb: string, count: number, repetitions?: number }} Step */

const gets = 100;
const waits = 5;
/** Of a single device, that many are made one after the other. */
const singles = 10;
/** Those are in a goal: they delete in every round. */
const judgedDeletes = ["Go flintlock", "Go lean"];
const mostDeletes = 100;

/** @param {number} count */
const listings = (count) => Math.max(3, Math.min(20, Math.ceil(5000 / count)));

/** @param {Case} place @param {number} deleteRounds @returns {Step[]} */
export function stepsOf({ contestant, count, ipv6, round }, deleteRounds) {
  const { how, works, id, own } = contestant;
  /** @type {Step[]} */
  const steps = [
    { work: "create", verb: `make-${how}`, count, repetitions: count === 1 ? singles : 1 },
  ];
  if (works.includes("list")) steps.push({ work: "list", verb: "list", count: listings(count) });
  if (works.includes("get")) steps.push({ work: "get", verb: "get", count: gets });
  if (works.includes("event")) steps.push({ work: "event", verb: "event", count: waits });
  for (const verb of works.filter((work) => work.startsWith("delete-"))) {
    if (verb === "delete-single") steps.push({ work: verb, verb, count: waits });
    if (verb === "delete-bulk" && count > 1) steps.push({ work: verb, verb, count });
    const slow = !own && (ipv6 === "open" || count > mostDeletes);
    const inRound = judgedDeletes.includes(id) || round < deleteRounds;
    if (!own && !slow && inRound) steps.push({ work: verb, verb, count });
  }
  return steps;
}

/** About how long a case takes, in milliseconds, before one has been measured. @param {Case} place @param {number} deleteRounds */
export function expectedMs(place, deleteRounds) {
  const { count, ipv6, contestant, kind } = place;
  const perDevice = 0.5 + (count / 4000) * (ipv6 === "open" && kind === "macvtap" ? 3.5 : 0.8);
  const slow = { "ip processes": 12, pyroute2: kind === "tap" ? 6 : 3 }[contestant.id] ?? 1;
  const steps = stepsOf(place, deleteRounds);
  const waiting = steps.some(({ verb }) => verb === "delete-each") ? 20 * count : 0;
  const quiet = steps.some(({ verb }) => verb === "event") ? 700 : 0;
  return 400 + count * perDevice * slow + (count > 1 ? count * 0.6 : 0) + waiting + quiet;
}
