// The results as Markdown: what docs/benchmarks.md and the README show of them.
import { bridgesFor } from "./arena.mjs";
import { contestant, contestants } from "./contestants.mjs";
import { goals, judge } from "./goals.mjs";
import { kinds } from "./matrix.mjs";
import { cellAt, estimateOf, pairedRatio } from "./results.mjs";
import { costAt, curvePoints, fitCurve } from "./scaling.mjs";
import { estimate } from "./statistics.mjs";
import { showEstimate, showFigure, showNumber } from "./words.mjs";

/**
 * @typedef {import("./results.mjs").Results} Results
 * @typedef {import("./results.mjs").Cell} Cell
 * @typedef {import("./results.mjs").Place} Place
 */

/** @param {readonly string[]} titles @param {readonly (readonly string[])[]} rows */
function table(titles, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(" | ")} |`;
  const rule = titles.map((_, at) => (at === 0 ? "---" : "---:"));
  return [line(titles), line(rule), ...rows.map(line)].join("\n");
}

const kindTitle = (/** @type {string} */ kind) => (kind === "tap" ? "tap on a bridge" : kind);

// ---- where it was measured ----

/** @param {Results} results */
function conditions({ host, programs, obstacles, quick, minutes }) {
  const versions = Object.entries(programs).map(([name, state]) =>
    "version" in state ? `- ${name}: ${state.version}` : `- ${name}: **missing**: ${state.missing}`,
  );
  return [
    ...(quick ? ["**From a quick run: too few rounds to trust.**", ""] : []),
    `Measured on ${host.date.slice(0, 10)} in ${minutes} minutes: Linux ${host.kernel}, ${host.arch},`,
    `HZ ${host.hz ?? "unknown"}, ${host.cpus} × ${host.cpu}, load ${showNumber(host.load)} at the start.`,
    "",
    ...versions,
    ...obstacles.map(({ contestant: id, kind, reason }) => `- ${id} has no ${kind}: ${reason}`),
  ].join("\n");
}

// ---- the goals ----

/** @param {Results} results */
function goalsTable(results) {
  const rows = goals.map((goal) => {
    const figure = goal.figure(results);
    const wanted = `${goal.direction === "at most" ? "≤" : "≥"} ${goal.limit} ${goal.unit}`;
    return [
      goal.what,
      wanted,
      showFigure(figure, goal.unit),
      showFigure(goal.bareC?.(results), goal.unit),
      judge(goal, figure),
    ];
  });
  return table(["what", "goal", "measured", "bare C in flintap's place", "verdict"], rows);
}

// ---- the matrix ----

/** @param {Results} results @param {string} kind @param {string} ipv6 @param {string} work */
function placesOf({ cells }, kind, ipv6, work) {
  return cells.filter((cell) => cell.kind === kind && cell.ipv6 === ipv6 && cell.work === work);
}

/** The columns' counts. @param {readonly Cell[]} cells */
const countsOf = (cells) => [...new Set(cells.map(({ count }) => count))].toSorted((a, b) => a - b);

/** Whom a contestant is held against. @param {string} id */
const limitOf = (id) => (id === "flintap awaited" ? "C awaited" : "C bulk");

/** "212 (200 to 220), 1.02 × C; 230 by the clock" @param {Results} results @param {Cell | undefined} cell */
function costCell(results, cell) {
  const cpu = estimateOf(cell, "cpuUs");
  if (cell === undefined || cpu === undefined) return "-";
  const wall = showNumber(estimateOf(cell, "wallUs")?.median);
  const own = showEstimate(cpu);
  const { kind, ipv6, count, work, contestant: id } = cell;
  const limit = limitOf(id);
  if (id.startsWith("C ")) return `${own}; clock ${wall}`;
  const other = cellAt(results, { kind, ipv6, count, work, contestant: limit });
  const ratio = pairedRatio(cell, other, "cpuUs");
  return `${own}; clock ${wall}; **${showNumber(ratio?.median)}** × C`;
}

/** @param {Results} results @param {string} kind @param {string} ipv6 */
function createTable(results, kind, ipv6) {
  const cells = placesOf(results, kind, ipv6, "create");
  const counts = countsOf(cells);
  const rows = contestants.flatMap(({ id, title }) => {
    const own = cells.filter((cell) => cell.contestant === id);
    if (own.length === 0) return [];
    const at = (/** @type {number} */ count) => own.find((cell) => cell.count === count);
    return [[title, ...counts.map((count) => costCell(results, at(count)))]];
  });
  return table(["µs for a device, N =", ...counts.map(showNumber)], rows);
}

const deleteTitles = new Map([
  ["delete-bulk", "together"],
  ["delete-each", "one by one"],
  ["delete-parallel", "16 goroutines"],
  ["delete-single", "a single one, until it is settled (bare C: acknowledged)"],
]);
const readTitles = new Map([
  ["list", "list all"],
  ["get", "get one"],
  ["event", "from a create to its event"],
]);

/** Who does in bare C what a cell tells of: deletes one by one are held against its groups. @param {Cell} cell */
function limitIn({ work }) {
  if (work === "delete-each" || work === "delete-parallel")
    return { contestant: "C bulk", work: "delete-bulk" };
  return {
    contestant: work === "event" || work === "delete-single" ? "C awaited" : "C bulk",
    work,
  };
}

/** "0.31 (0.3 to 0.33); CPU 0.2; 1.02 × C" @param {Results} results @param {Cell | undefined} cell */
function clockCell(results, cell) {
  if (cell === undefined) return "-";
  const parts = [showEstimate(estimateOf(cell, "wallUs"))];
  const cpu = estimateOf(cell, "cpuUs");
  if (cpu !== undefined) parts.push(`CPU ${showNumber(cpu.median)}`);
  if (!cell.contestant.startsWith("C ")) {
    const { kind, ipv6, count } = cell;
    const limit = cellAt(results, { kind, ipv6, count, ...limitIn(cell) });
    parts.push(`**${showNumber(pairedRatio(cell, limit, "wallUs")?.median)}** × C`);
  }
  return parts.join("; ");
}

/** @param {Results} results @param {string} kind @param {string} what With its unit. @param {ReadonlyMap<string, string>} works */
function worksTable(results, kind, what, works) {
  const cells = [...works.keys()].flatMap((work) => placesOf(results, kind, "closed", work));
  const counts = countsOf(cells);
  const rows = [...works].flatMap(([work, title]) =>
    contestants.flatMap(({ id, title: who }) => {
      const own = cells.filter((cell) => cell.work === work && cell.contestant === id);
      if (own.length === 0) return [];
      const at = (/** @type {number} */ count) => own.find((cell) => cell.count === count);
      const figures = counts.map((count) => clockCell(results, at(count)));
      return [[`${title}: ${who}`, ...figures]];
    }),
  );
  return table([`${what}, N =`, ...counts.map(showNumber)], rows);
}

/** @param {Results} results */
function loopTable(results) {
  const cells = results.cells.filter(
    (cell) =>
      cell.contestant.startsWith("flintap") && cell.work === "create" && cell.ipv6 === "closed",
  );
  const rows = cells
    .toSorted(
      (a, b) =>
        a.kind.localeCompare(b.kind) ||
        b.contestant.localeCompare(a.contestant) ||
        a.count - b.count,
    )
    .map((cell) => [
      `${kindTitle(cell.kind)}, ${contestant(cell.contestant).title}`,
      showNumber(cell.count),
      showEstimate(estimateOf(cell, "jsThreadUs")),
      showEstimate(estimateOf(cell, "loopDelayMaxMs")),
    ]);
  return table(["creates", "N", "time for a device, µs", "longest stall, ms"], rows);
}

// ---- taps with several queues ----

/** @param {Results} results */
function queuesSection({ queues }) {
  if (queues === undefined) return "Not measured.";
  const { framesPerSecond, cells } = queues;
  const frames = Object.entries(framesPerSecond).map(([name, figures]) => [
    name === "default" ? "the kernel's default" : "noqueue (flintap's)",
    showEstimate(estimate(figures)),
  ]);
  const creates = cells.map((cell) => [
    `${contestant(cell.contestant).title}, ${cell.kind.endsWith("default") ? "the kernel's default" : "noqueue"}`,
    showEstimate(estimateOf(cell, "cpuUs")),
    showEstimate(estimateOf(cell, "wallUs")),
  ]);
  return [
    table(["queueing discipline", "frames a second"], frames),
    "",
    table(["to make one", "CPU µs", "clock µs"], creates),
  ].join("\n");
}

// ---- many devices ----

const hosts = [10_000, 50_000];

/** @param {Results} results @param {string} kind */
function scalingOf(results, kind) {
  const curve = fitCurve(curvePoints(results, kind));
  const run = results.large?.find((large) => large.kind === kind);
  return curve === undefined || run === undefined ? undefined : { curve, run };
}

/** Seconds in which one thread, and nearly as long the kernel's lock, is busy. @param {import("./scaling.mjs").Curve} curve @param {number} count */
const secondsFor = (curve, count) => (costAt(curve, count) * count) / 1e6;

/** @param {Results} results @param {string} kind */
function scalingRows(results, kind) {
  const known = scalingOf(results, kind);
  if (known === undefined) return [];
  const { curve, run } = known;
  const measured = run.cpuUs.reduce((sum, us) => sum + us * run.step, 0) / 1e6;
  const off = secondsFor(curve, run.count) / measured - 1;
  const error = `${off < 0 ? "−" : "+"}${Math.abs(off * 100).toFixed(0)} %`;
  const bridges = (/** @type {number} */ count) =>
    kind === "tap" ? showNumber(bridgesFor(count)) : "-";
  const counts = [run.count, ...hosts.filter((count) => count > run.count)];
  return counts.map((count) => [
    kindTitle(kind),
    showNumber(count),
    `${showNumber(secondsFor(curve, count))} s`,
    ...(count === run.count ? [`${showNumber(measured)} s`, error] : ["-", "-"]),
    `${showNumber((run.memoryKiB * count) / 1024)} MiB`,
    `${showNumber((run.listMs * count) / run.count)} ms`,
    bridges(count),
  ]);
}

/** @param {Results} results */
function scalingSection(results) {
  const formulas = kinds.flatMap((kind) => {
    const known = scalingOf(results, kind);
    if (known === undefined) return [];
    const { curve, run } = known;
    const { base, growth, power } = curve;
    const formula = `t(N) = ${showNumber(base)} + ${growth.toPrecision(3)} · N^${power.toFixed(2)} µs`;
    const rest = `${run.memoryKiB} KiB, ${showNumber((run.listMs * 1000) / run.count)} µs to list`;
    const steps = run.cpuUs.map(showNumber).join(", ");
    return [
      `- ${kindTitle(kind)}: \`${formula}\`; ${rest}. Measured, for each ${showNumber(run.step)} more: ${steps} µs.`,
    ];
  });
  if (formulas.length === 0) return "Too few counts were measured for a model.";
  const titles = [
    "",
    "N",
    "create all, model",
    "measured",
    "model is off by",
    "memory",
    "list",
    "bridges",
  ];
  const rows = kinds.flatMap((kind) => scalingRows(results, kind));
  return [...formulas, "", table(titles, rows)].join("\n");
}

// ---- the pages ----

/** @param {Results} results */
export function benchmarksPage(results) {
  const perKind = kinds.flatMap((kind) => [
    `## ${kindTitle(kind)}`,
    "### Create, the host's IPv6 closed on the devices",
    createTable(results, kind, "closed"),
    "### Create, the host's IPv6 open",
    createTable(results, kind, "open"),
    "### Delete",
    worksTable(results, kind, "µs for a device by the clock", deleteTitles),
    "### Read",
    worksTable(results, kind, "µs by the clock", readTitles),
  ]);
  return [
    conditions(results),
    "## Goals",
    goalsTable(results),
    "![What a device costs against how many are made](benchmarks/cost-per-device.svg)",
    "![What a device costs, by who makes it](benchmarks/peers.svg)",
    ...perKind,
    "## The event loop",
    "![What creates take of the event loop](benchmarks/event-loop.svg)",
    loopTable(results),
    "## Taps with several queues",
    queuesSection(results),
    "## A host with many guests",
    scalingSection(results),
  ].join("\n\n");
}

/** @param {Results} results @param {Partial<Place>} above @param {Partial<Place>} below @param {import("./results.mjs").Figure} figure */
function readmeRatio(results, above, below, figure) {
  const place = { kind: "macvtap", ipv6: "closed", count: 100, contestant: "", work: "create" };
  const ratio = pairedRatio(
    cellAt(results, { ...place, ...above }),
    cellAt(results, { ...place, ...below }),
    figure,
  );
  return ratio === undefined ? "-" : `${showEstimate(ratio)} ×`;
}

/** The three ratios that matter, and a plot. @param {Results} results */
export function readmeSection(results) {
  const own = { contestant: "flintap bulk" };
  const count = results.cells.some((cell) => cell.count === 1000) ? 1000 : 100;
  const many = showNumber(count);
  const goCount = results.quick ? 100 : 1000;
  const go = { contestant: "Go flintlock", ipv6: "open", count: goCount };
  const deletes = { contestant: "Go flintlock", work: "delete-each" };
  const rows = [
    [
      `${many} macvtaps, made with \`Promise.all\`: CPU time, to bare C with the same requests`,
      readmeRatio(results, { ...own, count }, { contestant: "C bulk", count }, "cpuUs"),
    ],
    [
      `${showNumber(goCount)} macvtaps: CPU time of Go as flintlock calls it, one by one, to flintap's \`Promise.all\`, both by their defaults`,
      readmeRatio(results, go, { ...own, count: goCount }, "cpuUs"),
    ],
    [
      "100 macvtaps deleted: time of Go one by one, to `deleteLinks`",
      readmeRatio(results, deletes, { ...own, work: "delete-bulk" }, "wallUs"),
    ],
  ];
  return [
    ...(results.quick ? ["**From a quick run: too few rounds to trust.**"] : []),
    table(["", "median (95 % interval)"], rows),
    "![What a device costs, by who makes it](docs/benchmarks/peers.svg)",
    "Go's devices have no identity, no tag and no read-back, and by default are open to the host's IPv6.",
  ].join("\n\n");
}
