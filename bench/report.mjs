// The benchmark's results as text for people.
import { formatTable } from "../dist/cli/table.js";
import { deviceKinds } from "./devices.mjs";
import { mostDeletes } from "./matrix.mjs";
import { subjects } from "./subjects.mjs";

/**
 * @typedef {import("./matrix.mjs").Result} Result
 * @typedef {import("./matrix.mjs").Obstacle} Obstacle
 * @typedef {import("./host.mjs").Host} Host
 */

/** @type {readonly (readonly [title: string, cell: (result: Result) => string])[]} */
const columns = [
  ["devices", ({ count }) => String(count)],
  ["wall µs", ({ median }) => figure(median.wallUs)],
  ["CPU µs", ({ median }) => figure(median.cpuUs)],
  ["JS thread µs", ({ median }) => figure(median.jsThreadUs)],
  ["delay p99 ms", ({ median }) => figure(median.loopDelayP99Ms, 1)],
  ["delay max ms", ({ median }) => figure(median.loopDelayMaxMs, 1)],
  ["wall ÷ ip", ({ ofPeer }) => figure(ofPeer?.wall, 2)],
  ["CPU ÷ ip", ({ ofPeer }) => figure(ofPeer?.cpu, 2)],
];

/** @param {number | undefined} value */
function figure(value, digits = 0) {
  return value === undefined ? "-" : value.toFixed(digits);
}

/** @param {Host} host */
function header({ date, flintap, node, iproute2, kernel, hz, arch, cpu, cpus, load }) {
  return [
    `flintap ${flintap}, Node.js ${node}, iproute2 ${iproute2 ?? "missing"}`,
    `Linux ${kernel}, ${arch}, HZ ${hz ?? "unknown"}`,
    `${cpus} × ${cpu ?? "unknown processor"}, load ${figure(load, 1)} at the start`,
    date,
  ];
}

/** @param {readonly Result[]} results */
function table(results) {
  const widths = columns.map(([title]) => title.length);
  const titles = columns.map(([title]) => title);
  const rows = results.map((result) => [
    `${result.subject}, ${result.work}`,
    ...columns.map(([, cell], at) => cell(result).padStart(widths[at] ?? 0)),
  ]);
  return formatTable(["", ...titles], rows);
}

/** @param {number} rounds */
const legend = (rounds) => [
  `One device's figures: medians of ${rounds === 1 ? "one round" : `${rounds} rounds`}, each case in a network namespace of its own.`,
  "one by one  each call is awaited before the next (at once: Promise.all)",
  "CPU         user and system time of the process; not what the kernel leaves to its own threads",
  "JS thread   time in which the event loop was not waiting",
  "delay       of the event loop, beyond the 1 ms at which it is watched, during the whole work",
  "÷ ip        to `ip -batch` in the same round. That was started before the clock, and makes the",
  "            same devices, but without identity, tag and read-back, and guests' devices open to the",
  "            host's IPv6.",
  "Each delete waits some 20 ms in the kernel (rcu_barrier), depending on HZ. One by one that adds",
  `up, so deletes are measured with up to ${mostDeletes} devices.`,
];

/** In the order of the subjects, each one's from the fewest devices to the most; deletes last. */
const order = Object.keys(subjects);
const byRow = (/** @type {Result} */ a, /** @type {Result} */ b) =>
  a.work.localeCompare(b.work) ||
  order.indexOf(a.subject) - order.indexOf(b.subject) ||
  a.count - b.count;

/**
 * @param {{ host: Host, plan: import("./matrix.mjs").Plan, results: Result[], obstacles: Obstacle[] }} report
 */
export function formatReport({ host, plan, results, obstacles }) {
  const sections = plan.kinds.map((kind) => {
    const rows = results.filter((result) => result.kind === kind).sort(byRow);
    const missing = obstacles
      .filter((obstacle) => obstacle.kind === kind)
      .map(({ subject, reason }) => `not measured: ${subject}: ${reason}`);
    const lines = rows.length > 0 ? [table(rows), ...missing] : missing;
    return [deviceKinds[kind]?.title, ...lines].join("\n");
  });
  return [header(host).join("\n"), ...sections, legend(plan.rounds).join("\n")].join("\n\n");
}
