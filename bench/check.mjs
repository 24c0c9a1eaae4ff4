// `npm run bench:check`: holds the last results against the goals. Fails where one is not met; one that
// is undecided (its interval lies across the limit) is no failure.
import process from "node:process";
import { goals, judge } from "./goals.mjs";
import { latest, readResults } from "./results.mjs";
import { showFigure, showNumber } from "./words.mjs";

/** @param {string} path */
function resultsOrEnd(path) {
  try {
    return readResults(path);
  } catch (error) {
    console.error(`bench:check: ${/** @type {Error} */ (error).message}`);
    process.exit(2);
  }
}

const results = resultsOrEnd(process.argv[2] ?? latest);
const { host, quick } = results;
console.log(`${host.date}, Linux ${host.kernel}, HZ ${host.hz ?? "unknown"}, ${host.cpu}`);
if (quick) console.log("A quick run: too few rounds to decide anything.");

const order = ["not met", "undecided", "not measured", "met"];
const judged = goals
  .map((goal) => {
    const figure = goal.figure(results);
    return { ...goal, figure, verdict: judge(goal, figure) };
  })
  .toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));

for (const { what, direction, limit, unit, figure, bareC, verdict } of judged) {
  const shown = showFigure(figure, unit);
  const most = bareC?.(results);
  const beside = most === undefined ? "" : `; bare C: ${showFigure(most, unit)}`;
  console.log(`${verdict.padEnd(12)}  ${what}`);
  console.log(
    `${"".padEnd(12)}  ${shown}; goal: ${direction} ${showNumber(limit)} ${unit}${beside}`,
  );
}
if (judged.some(({ verdict }) => verdict === "not met")) process.exitCode = 1;
