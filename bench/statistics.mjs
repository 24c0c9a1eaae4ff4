// What is made of repeated measurements. Knows nothing of devices.

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

/**
 * Every field's median by itself. A field that some of the records lack is left out: what is
 * unknown once is not measured.
 *
 * @template {Partial<Record<string, number>>} Fields
 * @param {readonly Fields[]} records
 * @returns {Fields}
 */
export function medians(records) {
  const fields = Object.keys(records[0] ?? {}).map((name) => {
    const values = records.map((record) => record[name]).filter((value) => value !== undefined);
    return [name, values.length === records.length ? median(values) : undefined];
  });
  return Object.fromEntries(fields);
}
