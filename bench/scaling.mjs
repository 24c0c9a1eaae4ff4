// Many devices on one host: runs of flintap that go on to thousands, and a model that is fitted to the
// matrix's curve and held against them.
import { bridgesFor, inArena } from "./arena.mjs";
import { contestant } from "./contestants.mjs";
import { kernelMemoryKiB } from "./memory.mjs";
import { estimateOf } from "./results.mjs";

/**
 * A run that makes devices in steps.
 *
 * @typedef {object} LargeRun
 * @property {string} kind
 * @property {number} count
 * @property {number} step
 * @property {number[]} cpuUs Of each step, for a device.
 * @property {number[]} wallUs
 * @property {number} memoryKiB For a device.
 * @property {number} listMs
 * @property {number} deleteUs For a device, together.
 */

const fewer = { count: 1000, step: 500, expected: 3000 };
const many = { count: 10_000, step: 1000, expected: 25_000 };
const warmUp = 100;
const id = "flintap bulk";
const largeKinds = ["macvtap", "tap"];

/** @param {boolean} quick */
export const largeExpectedMs = (quick) => largeKinds.length * (quick ? fewer : many).expected;

/** @param {string} kind @param {{ count: number, step: number }} size @returns {Promise<LargeRun>} */
async function runLarge(kind, { count, step }) {
  const bridges = bridgesFor(count);
  const command = contestant(id).command(kind, "closed", bridges);
  return inArena({ kind, bridges, closedByDefault: false, command }, async (ask) => {
    // As in the matrix, to whose curve it is held: a daemon's JavaScript has been compiled long since.
    await ask("make-bulk", warmUp);
    await ask("delete-bulk", warmUp);
    const before = kernelMemoryKiB();
    const [cpuUs, wallUs] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
    for (let made = 0; made < count; made += step) {
      const cost = await ask("make-bulk", step);
      cpuUs.push(Math.round(cost.cpuUs ?? NaN));
      wallUs.push(Math.round(cost.wallUs));
    }
    const memoryKiB = Math.round((kernelMemoryKiB() - before) / count);
    const listMs = Math.round((await ask("list", 3)).wallUs / 1000);
    const deleteUs = Math.round((await ask("delete-bulk", count)).wallUs);
    return { kind, count, step, cpuUs, wallUs, memoryKiB, listMs, deleteUs };
  });
}

/** @param {boolean} quick @param {import("./progress.mjs").Progress} progress */
export async function measureLarge(quick, progress) {
  const size = quick ? fewer : many;
  const runs = [];
  for (const kind of largeKinds) {
    const done = progress.begin(`${size.count} × ${kind}`, size.expected);
    runs.push(await runLarge(kind, size));
    done();
  }
  return runs;
}

// ---- the model ----

/**
 * A device costs `base + growth · N^power` microseconds on average, where N are made.
 *
 * @typedef {{ base: number, growth: number, power: number }} Curve
 */

/** @param {Curve} curve @param {number} count */
export const costAt = ({ base, growth, power }, count) => base + growth * count ** power;

/** Least squares of the relative errors, for one power. @param {readonly (readonly [number, number])[]} points @param {number} power */
function fitLine(points, power) {
  let [s11, s12, s22, y1, y2] = [0, 0, 0, 0, 0];
  for (const [count, cost] of points) {
    const [one, grown] = [1 / cost, count ** power / cost];
    s11 += one * one;
    s12 += one * grown;
    s22 += grown * grown;
    y1 += one;
    y2 += grown;
  }
  const determinant = s11 * s22 - s12 * s12;
  const base = (y1 * s22 - y2 * s12) / determinant;
  const growth = (s11 * y2 - s12 * y1) / determinant;
  const curve = { base, growth, power };
  const error = points.reduce((sum, [n, cost]) => sum + (costAt(curve, n) / cost - 1) ** 2, 0);
  return { curve, error };
}

/** The best curve that neither shrinks nor begins below nothing. @param {readonly (readonly [number, number])[]} points @returns {Curve | undefined} */
export function fitCurve(points) {
  if (points.length < 3) return undefined;
  const flat = points.reduce((sum, [, cost]) => sum + cost, 0) / points.length;
  let best = { curve: { base: flat, growth: 0, power: 1 }, error: Infinity };
  for (let power = 0.2; power <= 2; power += 0.02) {
    const fit = fitLine(points, Number(power.toFixed(2)));
    const allowed = fit.curve.base >= 0 && fit.curve.growth >= 0;
    if (allowed && fit.error < best.error) best = fit;
  }
  return best.curve;
}

/** The matrix's curve of a kind: what a device costs where N are made. @param {import("./results.mjs").Results} results @param {string} kind */
export function curvePoints(results, kind) {
  const cells = results.cells.filter(
    (cell) => cell.kind === kind && cell.contestant === id && cell.work === "create",
  );
  return cells
    .filter(({ ipv6, count }) => ipv6 === "closed" && count >= 100)
    .map((cell) => /** @type {const} */ ([cell.count, estimateOf(cell, "cpuUs")?.median ?? NaN]))
    .toSorted(([a], [b]) => a - b);
}
