// Runs clang-tidy over the native sources, two at a time. A source that passed is not looked at
// again until it, a header or the rules change (build/clang-tidy/ remembers).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { filesBelow, fingerprint, root, run } from "./toolchain.mjs";

function sourcesIn(compileCommands) {
  return JSON.parse(readFileSync(compileCommands, "utf8"))
    .map((entry) => entry.file.slice(root.length + 1))
    .filter((file) => /^native\//.test(file))
    .sort();
}

/** An outcome for test-steps.mjs: one check passed, or failed with clang-tidy's words. */
export async function tidy(compileCommands) {
  const headers = filesBelow("native", /\.h$/);
  const passed = (file) =>
    join(root, "build/clang-tidy", fingerprint([".clang-tidy", file, ...headers]));
  const waiting = sourcesIn(compileCommands).filter((file) => !existsSync(passed(file)));
  const complaints = [];
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const args = ["-p", dirname(compileCommands), "--quiet", file];
      const { code, output } = await run("clang-tidy-16", args);
      if (code === 0) {
        mkdirSync(dirname(passed(file)), { recursive: true });
        writeFileSync(passed(file), "");
      } else complaints.push(output);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return complaints.length === 0 ? {} : { passed: 0, failed: 1, output: complaints.join("\n") };
}
