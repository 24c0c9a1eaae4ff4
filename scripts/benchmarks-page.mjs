// Writes what `npm run bench` measured into docs/benchmarks.md and README.md, between their marks, and
// the plots into docs/benchmarks/. Measures nothing.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchmarksPage, readmeSection } from "../bench/page.mjs";
import { plotsOf } from "../bench/plots.mjs";
import { readResults } from "../bench/results.mjs";
import { root } from "./toolchain.mjs";

/** @param {string} page @param {string} name @param {string} block */
function putBetweenMarks(page, name, block) {
  const path = join(root, page);
  const text = readFileSync(path, "utf8");
  const mark = new RegExp(`<!-- ${name}: [^>]*-->\n`).exec(text);
  const last = text.indexOf(`<!-- /${name} -->`);
  if (mark === null || last < 0) throw new Error(`${page} has no marks of "${name}"`);
  const head = text.slice(0, mark.index + mark[0].length);
  writeFileSync(path, `${head}\n${block}\n\n${text.slice(last)}`);
}

const results = readResults(process.argv[2]);
const folder = join(root, "docs/benchmarks");
mkdirSync(folder, { recursive: true });
for (const [name, plot] of Object.entries(plotsOf(results)))
  writeFileSync(join(folder, name), plot);
putBetweenMarks("docs/benchmarks.md", "measured", benchmarksPage(results));
putBetweenMarks("README.md", "benchmark", readmeSection(results));
