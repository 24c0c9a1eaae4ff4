// Plays one case in its arena, and puts what its steps cost into the cells.
import { bridgesFor, inArena } from "./arena.mjs";
import { stepsOf } from "./matrix.mjs";
import { kernelMemoryKiB } from "./memory.mjs";
import { means } from "./statistics.mjs";

/** Fewer devices do not show in the kernel's memory. */
const leastForMemory = 1000;

/** @typedef {import("./meter.mjs").Cost & { memoryKiB?: number }} StepCost */

/**
 * @param {(verb: string, count: number) => Promise<import("./meter.mjs").Cost>} ask
 * @param {import("./matrix.mjs").Step} step
 * @returns {Promise<StepCost>}
 */
async function costOf(ask, { work, verb, count, repetitions = 1 }) {
  const before = kernelMemoryKiB();
  const costs = [];
  for (let left = repetitions; left > 0; left -= 1) costs.push(await ask(verb, count));
  const memoryKiB = (kernelMemoryKiB() - before) / count;
  return { ...means(costs), ...(work === "create" && count >= leastForMemory && { memoryKiB }) };
}

/** They stay, so that nothing is measured on an empty parent or bridge. */
const standing = 10;

/**
 * What does not count. Those that cannot delete together would wait long: they read only.
 *
 * @param {(verb: string, count: number) => Promise<unknown>} ask
 * @param {import("./contestants.mjs").Contestant} contestant
 * @param {number} count
 */
async function warm(ask, { how, own, works }, count) {
  if (own) {
    await ask(`make-${how}`, count);
    await ask("delete-bulk", count);
  }
  await ask(`make-${how}`, standing);
  if (works.includes("list")) await ask("list", own ? count : standing);
  if (works.includes("get")) await ask("get", count);
}

/**
 * @param {import("./matrix.mjs").Case} place
 * @param {Pick<import("./matrix.mjs").Plan, "warmUp" | "deleteRounds">} plan
 * @param {import("./results.mjs").Cells} cells
 */
export async function play(place, { warmUp, deleteRounds }, cells) {
  const { kind, ipv6, count, contestant, round } = place;
  const bridges = bridgesFor(count);
  const setting = {
    kind,
    bridges,
    // Peers don't close it themselves: there, the namespace does.
    closedByDefault: ipv6 === "closed" && !contestant.own,
    command: contestant.command(kind, ipv6, bridges),
  };
  await inArena(setting, async (ask) => {
    await warm(ask, contestant, warmUp);
    for (const step of stepsOf(place, deleteRounds)) {
      const where = { kind, ipv6, count, contestant: contestant.id, work: step.work };
      cells.add(where, round, await costOf(ask, step));
    }
  });
}
