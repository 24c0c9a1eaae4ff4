/** Text in columns, for people. The one place that pads. */

/**
 * Lays rows out in columns as wide as their longest cell, two spaces apart.
 *
 * @param header The columns' titles.
 * @param rows As many cells each.
 * @returns Lines without a trailing line break.
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [header, ...rows];
  const widths = header.map((_, at) => Math.max(...lines.map((cells) => cells[at]?.length ?? 0)));
  const pad = (cells: readonly string[]) => cells.map((cell, at) => cell.padEnd(widths[at] ?? 0));
  return lines.map((cells) => pad(cells).join("  ").trimEnd()).join("\n");
}
