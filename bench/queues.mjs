// Taps with several queues: flintap gives them no queueing discipline, where the kernel would make one
// for each of 256 queues. What that is worth when they are made, and what it costs frames on their way
// through the tap.
import { inArena } from "./arena.mjs";
import { compileC, contestant } from "./contestants.mjs";
import { Cells } from "./results.mjs";

/**
 * @typedef {object} QueueResults
 * @property {Record<"noqueue" | "default", number[]>} framesPerSecond By round.
 * @property {import("./results.mjs").Cell[]} cells What it costs to make them.
 */

const devices = 20;
const frames = 200_000;
const bareKinds = ["multi-queue-tap", "multi-queue-tap-default"];
const roundsFor = (/** @type {boolean} */ quick) => (quick ? 3 : 15);
const roundMs = 3500;

/** @param {boolean} quick */
export const queuesExpectedMs = (quick) => roundsFor(quick) * roundMs;

/** @param {string} kind @param {string} id @param {number} round @param {Cells} cells */
async function measureCreates(kind, id, round, cells) {
  const command = contestant(id).command(kind, "closed", 1);
  const setting = { kind: "tap", bridges: 1, closedByDefault: false, command };
  await inArena(setting, async (ask) => {
    await ask("make-awaited", 1);
    const place = { kind, ipv6: "closed", count: devices, contestant: id, work: "create" };
    const cost = await ask("make-awaited", devices);
    cells.add(place, round, cost);
  });
}

/** @param {string} program @param {"noqueue" | "default"} discipline */
async function throughput(program, discipline) {
  const setting = {
    kind: "tap",
    bridges: 0,
    closedByDefault: true,
    command: [program, discipline],
  };
  const { framesPerSecond } = /** @type {any} */ (
    await inArena(setting, (ask) => ask("frames", frames))
  );
  return Math.round(framesPerSecond);
}

/**
 * @param {boolean} quick
 * @param {import("./progress.mjs").Progress} progress
 * @returns {Promise<QueueResults>}
 */
export async function measureQueues(quick, progress) {
  const program = await compileC("tap_throughput");
  const cells = new Cells();
  /** @type {QueueResults["framesPerSecond"]} */
  const framesPerSecond = { noqueue: [], default: [] };
  const disciplines = /** @type {const} */ (["noqueue", "default"]);
  for (let round = 0; round < roundsFor(quick); round += 1) {
    const done = progress.begin(`round ${round + 1}, taps with several queues`, roundMs);
    for (const discipline of round % 2 === 0 ? disciplines : disciplines.toReversed()) {
      framesPerSecond[discipline].push(await throughput(program, discipline));
    }
    for (const kind of bareKinds) await measureCreates(kind, "C awaited", round, cells);
    await measureCreates("multi-queue-tap", "flintap awaited", round, cells);
    done();
  }
  return { framesPerSecond, cells: cells.all() };
}
