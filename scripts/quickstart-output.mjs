// Runs the quickstart, also with real guests, and puts what each prints into README.md, between its
// marks.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./toolchain.mjs";

const page = join(root, "README.md");

for (const [name, args] of [
  ["quickstart", []],
  ["guests", ["--guests"]],
]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["examples/quickstart/quickstart.mjs", ...args],
    { cwd: root, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
  );
  if (status !== 0) throw new Error(`The quickstart failed:\n${stdout}${stderr}`);
  const text = readFileSync(page, "utf8");
  const mark = new RegExp(`<!-- ${name}: [^>]*-->\n`).exec(text);
  const last = text.indexOf(`<!-- /${name} -->`);
  if (mark === null || last < 0) throw new Error(`README.md has no marks of "${name}"`);
  const output = stdout.trim().replace(/ +$/gm, "");
  const block = `\n\`\`\`text\n${output}\n\`\`\`\n\n`;
  writeFileSync(page, text.slice(0, mark.index + mark[0].length) + block + text.slice(last));
}
