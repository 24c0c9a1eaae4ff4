// The plots of the results: which cells are drawn, and how.
import { dotPanel, legend, linePanel, svg } from "./chart.mjs";
import { contestant, contestants } from "./contestants.mjs";
import { kinds } from "./matrix.mjs";
import { cellAt, estimateOf, pairedRatio } from "./results.mjs";
import { showNumber } from "./words.mjs";

/**
 * @typedef {import("./results.mjs").Results} Results
 * @typedef {import("./results.mjs").Figure} Figure
 * @typedef {import("./chart.mjs").Series} Series
 */

/** @type {import("./chart.mjs").Axis} */
const devicesAxis = {
  label: "devices made together",
  scale: "log",
  ticks: [1, 10, 100, 1000, 4000],
};

/**
 * Where a figure lies. Few rounds give intervals that say nothing, and would fill the plot.
 *
 * @param {import("./results.mjs").Cell | undefined} cell
 * @param {Figure} figure
 */
function spanOf(cell, figure) {
  const known = estimateOf(cell, figure);
  if (known === undefined) return undefined;
  const { median, low, high, count } = known;
  return { median, ...(count > 5 && { low, high }) };
}

/** @param {Results} results @param {string} kind @param {string} id @param {string} ipv6 @param {Figure} figure */
function pointsOf(results, kind, id, ipv6, figure) {
  return results.cells
    .filter((cell) => cell.kind === kind && cell.contestant === id && cell.ipv6 === ipv6)
    .filter((cell) => cell.work === "create")
    .flatMap((cell) => {
      const span = spanOf(cell, figure);
      return span === undefined ? [] : [{ x: cell.count, y: span.median, ...span }];
    })
    .toSorted((a, b) => a.x - b.x);
}

const costLines = [
  { id: "flintap bulk", ipv6: "closed", label: "flintap", look: "flintap" },
  { id: "C bulk", ipv6: "closed", label: "bare C", look: "bare" },
  { id: "flintap bulk", ipv6: "open", label: "flintap, host IPv6 open", look: "flintap dashed" },
  { id: "C bulk", ipv6: "open", label: "bare C, host IPv6 open", look: "bare dashed" },
];

/** @param {readonly { low?: number | undefined, high?: number | undefined, median: number }[]} spans */
const reachOf = (spans) => spans.flatMap(({ median, low = median, high = median }) => [low, high]);

/** @param {Results} results */
function costPerDevice(results) {
  // The same axis for both kinds: else the flatter one would look as steep.
  const reach = reachOf(
    kinds.flatMap((kind) =>
      costLines.flatMap(({ id, ipv6 }) => pointsOf(results, kind, id, ipv6, "cpuUs")),
    ),
  );
  const [width, height] = [430, 330];
  /** @type {import("./chart.mjs").Axis} */
  const costAxis = { label: "CPU time for a device, µs", scale: "log", reach };
  const panels = kinds.flatMap((kind, place) => {
    const series = costLines.map(({ id, ipv6, label, look }) => ({
      label,
      look,
      points: pointsOf(results, kind, id, ipv6, "cpuUs"),
    }));
    const frame = { left: place * width, width, height };
    const axes = { x: devicesAxis, y: costAxis };
    return linePanel(frame, kind === "tap" ? "tap on a bridge" : kind, axes, series);
  });
  const key = legend(70, height + 10, costLines, 200);
  return svg("What a device costs against how many are made", 2 * width, height + 30, [
    ...panels,
    ...key,
  ]);
}

/** @param {string} id */
function lookOf(id) {
  if (id.startsWith("flintap")) return "flintap";
  return id.startsWith("C ") ? "bare" : "peer";
}

/** @param {Results} results @param {string} kind @param {string} id */
function peerRow(results, kind, id) {
  const place = { kind, ipv6: "closed", count: 100, work: "create" };
  const own = cellAt(results, { ...place, contestant: "flintap bulk" });
  const cell = cellAt(results, { ...place, contestant: id });
  const span = spanOf(cell, "cpuUs");
  const times = pairedRatio(cell, own, "cpuUs");
  const ratio = id === "flintap bulk" ? "" : `${showNumber(times?.median)} ×`;
  const note = span === undefined ? "makes none" : ratio;
  const label = contestant(id).title;
  return { label, look: lookOf(id), note, ...span, x: span?.median ?? NaN };
}

/** @param {Results} results */
function peersSideBySide(results) {
  const names = 230;
  const [width, height] = [340, 400];
  /** @type {import("./chart.mjs").Axis} */
  const axis = { label: "CPU time for each of 100 devices, µs", scale: "log" };
  // The same rows in both: who makes no taps has an empty one there.
  const ids = contestants
    .map(({ id }) => id)
    .filter((id) => kinds.some((kind) => Number.isFinite(peerRow(results, kind, id).x)));
  const all = kinds.flatMap((kind) => ids.map((id) => peerRow(results, kind, id)));
  const reach = reachOf(all.map((row) => ({ ...row, median: row.x }))).filter(Number.isFinite);
  const panels = kinds.flatMap((kind, place) => {
    const rows = ids.map((id) => peerRow(results, kind, id));
    const frame = {
      left: place === 0 ? 0 : names + width,
      width: place === 0 ? names + width : width,
      height,
      names: place === 0 ? names : 10,
    };
    const title = kind === "tap" ? "tap on a bridge" : kind;
    return dotPanel(frame, `${title} (× flintap)`, { ...axis, reach }, rows);
  });
  return svg("What a device costs, by who makes it", names + 2 * width, height, panels);
}

const loopLines = [
  { kind: "macvtap", label: "macvtap", look: "flintap" },
  { kind: "tap", label: "tap on a bridge", look: "second" },
];

/** @param {Results} results */
function eventLoop(results) {
  const [width, height] = [430, 330];
  /** @type {(figure: Figure) => Series[]} */
  const seriesOf = (figure) =>
    loopLines.map(({ kind, label, look }) => ({
      label,
      look,
      points: pointsOf(results, kind, "flintap bulk", "closed", figure),
    }));
  const panels = [
    ...linePanel(
      { left: 0, width, height },
      "Event loop's time for a device",
      { x: devicesAxis, y: { label: "time not waiting, µs", scale: "log" } },
      seriesOf("jsThreadUs"),
    ),
    ...linePanel(
      { left: width, width, height },
      "Event loop's longest stall",
      { x: devicesAxis, y: { label: "delay, ms", scale: "linear" } },
      seriesOf("loopDelayMaxMs"),
    ),
  ];
  const key = legend(70, height + 10, loopLines, 200);
  return svg("What creates take of the event loop", 2 * width, height + 30, [...panels, ...key]);
}

/** The plots by the names of their files. @param {Results} results */
export function plotsOf(results) {
  return {
    "cost-per-device.svg": costPerDevice(results),
    "peers.svg": peersSideBySide(results),
    "event-loop.svg": eventLoop(results),
  };
}
