// Runs clang-tidy over the native sources, many as one: nearly all of its time goes into what they
// include. What passed is not looked at again until it, a header or the rules change
// (build/clang-tidy/ remembers).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { filesBelow, fingerprint, root, run } from "./toolchain.mjs";

const folder = join(root, "build/clang-tidy");
const configuration = join(root, ".clang-tidy");

/** The native sources, each with the arguments of its compiler. */
function sourcesIn(compileCommands) {
  const prefix = join(root, "native/");
  return JSON.parse(readFileSync(compileCommands, "utf8"))
    .filter(({ file }) => file.startsWith(prefix))
    .map(({ file, command }) => ({
      file: file.slice(root.length + 1),
      // Without the compiler, and what comes out of it.
      args: command
        .replace(/ -o \S+ -c \S+$/, "")
        .replaceAll('\\"', '"')
        .split(" ")
        .slice(1),
    }))
    .sort((one, other) => (one.file < other.file ? -1 : 1));
}

/**
 * What a source defines at the top. clang-format leaves what is in namespaces at the margin. Two that
 * define the same, such as a `run` in an unnamed namespace, are no one source.
 */
function namesIn(file) {
  const lines = readFileSync(join(root, file), "utf8").matchAll(
    /^(?:struct|class|enum class|using(?! namespace)) (\w+)|^(?!using)[a-z][^(={;\n]*?([\w:~]+)(?:\(| = |\{|;)/gim,
  );
  const names = [...lines].map(([, type, other]) => type ?? other);
  return names.filter((name) => name !== name.toUpperCase());
}

/** Puts sources with the same arguments, of which no two define the same, together. */
function together(sources) {
  const groups = [];
  const named = sources.map((source) => ({ ...source, names: namesIn(source.file) }));
  // Those that fit the fewest first; each to the fewest.
  for (const { file, args, names } of named.sort((a, b) => b.names.length - a.names.length)) {
    const key = args.join(" ");
    const [group] = groups
      .filter((one) => one.key === key && !names.some((name) => one.names.has(name)))
      .sort((a, b) => a.files.length - b.files.length);
    if (group === undefined) groups.push({ key, args, files: [file], names: new Set(names) });
    else {
      group.files.push(file);
      for (const name of names) group.names.add(name);
    }
  }
  return groups;
}

function halves({ files, args }) {
  const middle = files.length >> 1;
  return [files.slice(0, middle), files.slice(middle)].map((half) => ({ files: half, args }));
}

/** clang-tidy's words on some sources as one, if it has a complaint. */
async function complaintOn({ files, args }, number) {
  const unity = join(folder, `unity-${number}.cc`);
  const include = (file) =>
    `#include "${join(root, file)}"  // NOLINT(bugprone-suspicious-include)\n`;
  writeFileSync(unity, files.map(include).join(""));
  // For the analyzer, what is included is headers. One source's names may be another's locals.
  const compiler = [...args, "-Wno-shadow", "-Xclang", "-analyzer-opt-analyze-headers"];
  const rules = ["--quiet", `--config-file=${configuration}`];
  const { code, output } = await run("clang-tidy-16", [...rules, unity, "--", ...compiler]);
  return code === 0 ? undefined : output;
}

/** An outcome for test-steps.mjs: one check passed, or failed with clang-tidy's words. */
export async function tidy(compileCommands) {
  mkdirSync(folder, { recursive: true });
  const headers = filesBelow("native", /\.h$/);
  const passed = (file) => join(folder, fingerprint([".clang-tidy", file, ...headers]));
  const sources = sourcesIn(compileCommands).filter(({ file }) => !existsSync(passed(file)));
  const waiting = together(sources);
  const complaints = [];
  let number = 0;
  const work = async () => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      const complaint = await complaintOn(group, number++);
      if (complaint === undefined) for (const file of group.files) writeFileSync(passed(file), "");
      // Which of them it is, and whether it is only that they are together.
      else if (group.files.length > 1) waiting.push(...halves(group));
      else complaints.push(complaint);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return complaints.length === 0 ? {} : { passed: 0, failed: 1, output: complaints.join("\n") };
}
