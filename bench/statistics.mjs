// What is made of repeated measurements. Knows nothing of devices.

/**
 * A figure of which it is known how far to trust it: the median, and an interval that holds the true
 * one with 95 % (`low` and `high` are absent where there are too few values to say).
 *
 * @typedef {{ median: number, low?: number, high?: number, count: number }} Estimate
 */

/**
 * The middle value, or the mean of the two in the middle; undefined where there is none.
 *
 * @param {readonly number[]} values
 */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [below, above] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return below === undefined || above === undefined ? undefined : (below + above) / 2;
}

const confidence = 0.95;

/**
 * How many values may be left out at each end so that the rest still spans the true median with 95 %:
 * each value lies below it with one half, so their number is binomial. Undefined where even all of
 * them do not.
 *
 * @param {number} count
 */
export function ranksToLeaveOut(count) {
  let outside = 0;
  let term = 0.5 ** count;
  for (let rank = 0; rank < count / 2; rank += 1) {
    outside += 2 * term;
    if (1 - outside < confidence) return rank === 0 ? undefined : rank - 1;
    term *= (count - rank) / (rank + 1);
  }
  return undefined;
}

/** Student's t for 95 %, both sides, of 3 to 5 values; two say nothing. */
const studentT = [4.303, 3.182, 2.776];

/**
 * Of fewer than six values, the order says too little. There, a mean of logarithms: for positive
 * figures that scatter by factors, it is that of the median.
 *
 * @param {readonly number[]} values
 */
function fewValuesInterval(values) {
  const factor = studentT[values.length - 3];
  if (factor === undefined || values.some((value) => value <= 0)) return {};
  const logs = values.map(Math.log);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1);
  const reach = factor * Math.sqrt(variance / logs.length);
  return { low: Math.exp(mean - reach), high: Math.exp(mean + reach) };
}

/**
 * The median and its 95 % interval.
 *
 * @param {readonly number[]} values
 * @returns {Estimate | undefined} undefined where there is no value.
 */
export function estimate(values) {
  const middle = median(values);
  if (middle === undefined) return undefined;
  const count = values.length;
  const leftOut = ranksToLeaveOut(count);
  if (leftOut === undefined) return { median: middle, ...fewValuesInterval(values), count };
  const sorted = values.toSorted((a, b) => a - b);
  return { median: middle, low: sorted[leftOut], high: sorted[count - 1 - leftOut], count };
}

/**
 * Every field's mean by itself. A field that some of the records lack is left out.
 *
 * @template {object} Fields
 * @param {readonly Fields[]} records
 * @returns {Fields}
 */
export function means(records) {
  const fields = Object.keys(records[0] ?? {}).map((name) => {
    const values = records.map((record) => Number(/** @type {any} */ (record)[name]));
    return [name, values.reduce((sum, value) => sum + value, 0) / values.length];
  });
  return Object.fromEntries(fields);
}
