// What a piece of work costs this process: time, processor time, and the event loop's share.
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/**
 * What making or deleting one device costs, on average over those made together. A figure that
 * cannot be had is absent.
 *
 * @typedef {object} Cost
 * @property {number} wallUs Time until it was done, in microseconds.
 * @property {number} [cpuUs] Processor time of the process, user and system, in microseconds.
 * @property {number} [jsThreadUs] Time in which the event loop was not waiting, in microseconds.
 * @property {number} [loopDelayP99Ms] The event loop's delay, its 99th percentile over the whole
 *   work, in milliseconds.
 * @property {number} [loopDelayMaxMs] Its longest delay, in milliseconds.
 */

// The monitor's timer can't be finer. What it records is the time from one of its ticks to the
// next, and the first tick only starts the clock.
const stepMs = 1;
const ticksMs = 4 * stepMs;

/** @param {number} nanoseconds */
const beyondStep = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - stepMs);

/**
 * Runs `work`, which handles `count` devices; gives what it gives and what each device cost.
 *
 * @template Result
 * @param {number} count
 * @param {() => Promise<Result>} work
 * @returns {Promise<{ result: Result, cost: Cost }>}
 */
export async function measure(count, work) {
  const loopDelay = monitorEventLoopDelay({ resolution: stepMs });
  loopDelay.enable();
  await delay(ticksMs);
  const loop = performance.eventLoopUtilization();
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const { active } = performance.eventLoopUtilization(loop);
  // A stall at the end of the work shows at the next tick.
  await delay(ticksMs);
  loopDelay.disable();
  const cost = {
    wallUs: (wall * 1000) / count,
    cpuUs: (user + system) / count,
    jsThreadUs: (active * 1000) / count,
    loopDelayP99Ms: beyondStep(loopDelay.percentile(99)),
    loopDelayMaxMs: beyondStep(loopDelay.max),
  };
  return { result, cost };
}
