// Runs the quickstart and puts what it prints into README.md, between the marks.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./toolchain.mjs";

const [begin, end] = [/<!-- quickstart: [^>]*-->\n/, "<!-- /quickstart -->"];

const { status, stdout, stderr } = spawnSync(
  process.execPath,
  ["examples/quickstart/quickstart.mjs"],
  { cwd: root, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
);
if (status !== 0) throw new Error(`The quickstart failed:\n${stdout}${stderr}`);

const page = join(root, "README.md");
const text = readFileSync(page, "utf8");
const mark = begin.exec(text);
const last = text.indexOf(end);
if (mark === null || last < 0) throw new Error("README.md has no quickstart marks");
const output = stdout.trim().replace(/ +$/gm, "");
const block = `\n\`\`\`text\n${output}\n\`\`\`\n\n`;
writeFileSync(page, text.slice(0, mark.index + mark[0].length) + block + text.slice(last));
