/** Text in columns, for people. The one place that pads. */
import { shown } from "../shown.js";

/**
 * Lays rows out in columns as wide as their longest cell, two spaces apart. What is in the cells may
 * come from anybody.
 *
 * @param header The columns' titles.
 * @param rows As many cells each.
 * @returns Lines without a trailing line break.
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [header, ...rows.map((cells) => cells.map(shown))];
  const widths = header.map((_, at) =>
    lines.reduce((widest, cells) => Math.max(widest, cells[at]?.length ?? 0), 0),
  );
  const pad = (cells: readonly string[]) => cells.map((cell, at) => cell.padEnd(widths[at] ?? 0));
  return lines.map((cells) => pad(cells).join("  ").trimEnd()).join("\n");
}
