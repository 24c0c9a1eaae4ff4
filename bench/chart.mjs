// Plots as SVG, readable on light and on dark pages. Knows nothing of what is plotted.
import { scaleLinear, scaleLog } from "d3-scale";
import { showNumber } from "./words.mjs";

/**
 * @typedef {{ x: number, y: number, low?: number, high?: number }} Point
 * @typedef {{ label: string, look: string, points: Point[] }} Series
 *
 * @typedef {object} Axis
 * @property {string} label With its unit.
 * @property {"log" | "linear"} scale
 * @property {readonly number[]} [ticks]
 * @property {readonly number[]} [reach] Has room for these too: so that panels can have the same axis.
 */

const style = `
text { font: 12px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: #1f2328; }
.title { font-size: 14px; font-weight: 600; }
.quiet { fill: #59636e; }
.grid { stroke: #d1d9e0; stroke-width: 1; }
.line { fill: none; stroke-width: 2; }
.flintap { stroke: #0969da; fill: #0969da; } .bare { stroke: #59636e; fill: #59636e; }
.peer { stroke: #bc4c00; fill: #bc4c00; } .second { stroke: #8250df; fill: #8250df; }
.line.flintap, .line.bare, .line.peer, .line.second { fill: none; }
.dashed { stroke-dasharray: 5 4; } .dot { stroke: none; } .dot.hollow { fill: #fff; stroke-width: 2; }
.dot.hollow.flintap { stroke: #0969da; } .dot.hollow.bare { stroke: #59636e; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; } .quiet { fill: #9198a1; } .grid { stroke: #3d444d; }
  .flintap { stroke: #4493f8; fill: #4493f8; } .bare { stroke: #9198a1; fill: #9198a1; }
  .peer { stroke: #f0883e; fill: #f0883e; } .second { stroke: #ab7df8; fill: #ab7df8; }
  .dot.hollow { fill: #0d1117; } .dot.hollow.flintap { stroke: #4493f8; } .dot.hollow.bare { stroke: #9198a1; }
}`;

/** @param {string} text */
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
/** @param {number} value */
const at = (value) => value.toFixed(1);

/**
 * @param {number} x
 * @param {number} y
 * @param {string} words
 * @param {{ anchor?: "start" | "middle" | "end", look?: string, turned?: boolean }} [how]
 */
function text(x, y, words, { anchor = "start", look = "", turned = false } = {}) {
  const turn = turned ? ` transform="rotate(-90 ${at(x)} ${at(y)})"` : "";
  const attributes = `x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" class="${look}"${turn}`;
  return `<text ${attributes}>${escaped(words)}</text>`;
}

/** @param {string} look @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
const line = (look, x1, y1, x2, y2) =>
  `<line class="${look}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"/>`;

/** @param {string} title For who cannot see it. @param {number} width @param {number} height @param {readonly string[]} parts */
export function svg(title, width, height, parts) {
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${escaped(title)}">`,
    `<style>${style}\n</style>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

/** 1, 2 or 5 times a power of ten. @param {number} value */
function roundBelow(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return Math.max(...[1, 2, 5].filter((digit) => digit * power <= value * 1.0001)) * power;
}

/** @param {number} value */
const roundAbove = (value) => 1 / roundBelow(1 / value / 1.0001);

/** @param {readonly number[]} values @param {"log" | "linear"} scale @returns {[number, number]} */
function domainOf(values, scale) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return scale === "log" ? [roundBelow(least), roundAbove(most)] : [0, most * 1.08 || 1];
}

/** @param {readonly number[]} values @param {Axis} axis @param {[number, number]} range */
function scaleOf(values, { scale, ticks, reach = [] }, range) {
  const domain = domainOf([...values, ...(ticks ?? []), ...reach], scale);
  const made = scale === "log" ? scaleLog(domain, range) : scaleLinear(domain, range);
  const all = made.ticks(5);
  const round = all.filter((tick) => /^[125]/.test(tick.toExponential()));
  const few = scale === "log" ? round : all;
  return { place: (/** @type {number} */ value) => made(value), ticks: ticks ?? few };
}

const margin = { top: 34, right: 16, bottom: 50, left: 70 };

/** @param {Series} series @param {(value: number) => number} x @param {(value: number) => number} y */
function drawSeries({ look, points }, x, y) {
  const path = points.map(
    (point, n) => `${n === 0 ? "M" : "L"}${at(x(point.x))},${at(y(point.y))}`,
  );
  const whiskers = points.flatMap(({ x: place, low, high }) =>
    low === undefined || high === undefined
      ? []
      : [line(look, x(place), y(low), x(place), y(high))],
  );
  const shape = look.replace("dashed", "");
  const dots = points.map(
    (point) =>
      `<circle class="dot ${shape}" cx="${at(x(point.x))}" cy="${at(y(point.y))}" r="3.5"/>`,
  );
  return [`<path class="line ${look}" d="${path.join(" ")}"/>`, ...whiskers, ...dots];
}

/**
 * Lines over a horizontal axis, with the 95 % intervals as whiskers.
 *
 * @param {{ left: number, width: number, height: number }} frame
 * @param {string} title
 * @param {{ x: Axis, y: Axis }} axes
 * @param {readonly Series[]} series
 */
export function linePanel({ left, width, height }, title, axes, series) {
  const [x0, x1] = [left + margin.left, left + width - margin.right];
  const [y0, y1] = [height - margin.bottom, margin.top];
  const points = series.flatMap((one) => one.points);
  const x = scaleOf(
    points.map((point) => point.x),
    axes.x,
    [x0, x1],
  );
  const heights = points.flatMap(({ y: value, low = value, high = value }) => [value, low, high]);
  const y = scaleOf(
    heights.filter((value) => axes.y.scale === "linear" || value > 0),
    axes.y,
    [y0, y1],
  );
  return [
    text(x0, 18, title, { look: "title" }),
    ...y.ticks.flatMap((tick) => [
      line("grid", x0, y.place(tick), x1, y.place(tick)),
      text(x0 - 8, y.place(tick) + 4, showNumber(tick), { anchor: "end", look: "quiet" }),
    ]),
    ...x.ticks.map((tick) =>
      text(x.place(tick), y0 + 18, showNumber(tick), { anchor: "middle", look: "quiet" }),
    ),
    text((x0 + x1) / 2, y0 + 38, axes.x.label, { anchor: "middle" }),
    text(left + 16, (y0 + y1) / 2, axes.y.label, { anchor: "middle", turned: true }),
    ...series.flatMap((one) => drawSeries(one, x.place, y.place)),
  ];
}

/** @param {number} left @param {number} top @param {readonly Pick<Series, "label" | "look">[]} series @param {number} pitch */
export function legend(left, top, series, pitch) {
  return series.flatMap(({ label, look }, place) => {
    const x = left + place * pitch;
    return [line(`line ${look}`, x, top, x + 26, top), text(x + 32, top + 4, label)];
  });
}

/**
 * A row for each name with its figure as a dot: on a logarithmic axis, where bars would lie. One whose
 * `x` is NaN has its note only.
 *
 * @param {{ left: number, width: number, height: number, names: number }} frame `names`: their room.
 * @param {string} title
 * @param {Axis} axis
 * @param {readonly { label: string, look: string, x: number, low?: number, high?: number, note: string }[]} rows
 */
export function dotPanel({ left, width, height, names }, title, axis, rows) {
  const [x0, x1] = [left + names, left + width - 70];
  const tickRoom = 45;
  const [top, bottom] = [margin.top + 4, height - margin.bottom];
  const known = rows.flatMap(({ x: value, low = value, high = value }) => [value, low, high]);
  const x = scaleOf(known.filter(Number.isFinite), axis, [x0, x1]);
  const pitch = (bottom - top) / rows.length;
  /** @type {number[]} */
  const ticks = [];
  for (const tick of x.ticks) {
    const before = ticks.at(-1);
    if (before === undefined || x.place(tick) - x.place(before) >= tickRoom) ticks.push(tick);
  }
  return [
    text(x0, 18, title, { look: "title" }),
    ...ticks.flatMap((tick) => [
      line("grid", x.place(tick), top, x.place(tick), bottom),
      text(x.place(tick), bottom + 18, showNumber(tick), { anchor: "middle", look: "quiet" }),
    ]),
    text((x0 + x1) / 2, bottom + 38, axis.label, { anchor: "middle" }),
    ...rows.flatMap(({ label, look, x: value, low = value, high = value, note }, row) => {
      const y = top + (row + 0.5) * pitch;
      const name = names > 20 ? [text(x0 - 10, y + 4, label, { anchor: "end" })] : [];
      if (!Number.isFinite(value)) return [...name, text(x0 + 10, y + 4, note, { look: "quiet" })];
      const dot = `<circle class="dot ${look}" cx="${at(x.place(value))}" cy="${at(y)}" r="5"/>`;
      return [
        ...name,
        line(`line ${look}`, x.place(low), y, x.place(high), y),
        dot,
        text(x.place(Math.max(high, value)) + 10, y + 4, note, { look: "quiet" }),
      ];
    }),
  ];
}
