// Numbers as people read them.

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

/** Three digits that count; none after the point from 100 on. @param {number | undefined} value */
export function showNumber(value) {
  if (value === undefined || !Number.isFinite(value)) return "-";
  return Math.abs(value) >= 100 ? grouped.format(value) : precise.format(value);
}

/**
 * "1.02 (0.98 to 1.05) ×", or "-".
 *
 * @param {import("./statistics.mjs").Estimate | undefined} figure
 * @param {string} unit
 */
export const showFigure = (figure, unit) =>
  figure === undefined ? "-" : `${showEstimate(figure)} ${unit}`;

/** "1.02 (0.98 to 1.05)" @param {import("./statistics.mjs").Estimate | undefined} figure */
export function showEstimate(figure) {
  if (figure === undefined) return "-";
  const { median, low, high } = figure;
  if (low === undefined || high === undefined) return showNumber(median);
  return `${showNumber(median)} (${showNumber(low)} to ${showNumber(high)})`;
}
