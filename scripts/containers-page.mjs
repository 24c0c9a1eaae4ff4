// Measures what works in which container and for which user, and puts the table into
// docs/containers.md, between the marks. Rows keep their places; new ones come last.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main, npmTool, root, runOrThrow } from "./toolchain.mjs";

const [begin, end] = [/<!-- measured: [^>]*-->\n/, "<!-- /measured -->"];
const page = join(root, "docs/containers.md");
const tests = ["test/container/containers.test.ts", "test/kernel/restricted-users.test.ts"];

/** The tests' rows: { situation, row: { column: cell } }. */
async function measure() {
  const folder = mkdtempSync(join(tmpdir(), "flintap-surveys-"));
  try {
    const projects = ["--project", "container", "--project", "kernel"];
    await runOrThrow(npmTool("vitest"), ["run", ...projects, ...tests], {
      env: { FLINTAP_SURVEYS: folder },
    });
    return readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const line = (cells) => `| ${cells.join(" | ")} |`;

function table(surveys, before) {
  const place = ({ situation }) => {
    const found = before.indexOf(`| ${situation} |`);
    return found < 0 ? before.length : found;
  };
  const [first, ...rest] = surveys.toSorted((a, b) => place(a) - place(b));
  const columns = Object.keys(first.row);
  return [
    line(["as", ...columns]),
    line(["as", ...columns].map(() => "---")),
    ...[first, ...rest].map(({ situation, row }) => line([situation, ...Object.values(row)])),
  ].join("\n");
}

await main(async () => {
  const text = readFileSync(page, "utf8");
  const mark = begin.exec(text);
  const last = text.indexOf(end);
  if (mark === null || last < 0) throw new Error("docs/containers.md has no marks");
  const from = mark.index + mark[0].length;
  const block = `\n${table(await measure(), text.slice(from, last))}\n\n`;
  writeFileSync(page, text.slice(0, from) + block + text.slice(last));
});
