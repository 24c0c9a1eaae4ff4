/**
 * Writes docs/errors.md from the tables of src/reasons.ts, src/codes.ts and src/cli/. With `--check` it
 * writes nothing, and fails if the page is not up to date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import typescript from "typescript";

const root = new URL("..", import.meta.url);
const page = fileURLToPath(new URL("docs/errors.md", root));

/** Loads a module of `src/` that imports nothing but types, without building the package. */
async function importSource(path) {
  const source = readFileSync(new URL(path, root), "utf8");
  const { outputText } = typescript.transpileModule(source, {
    compilerOptions: { module: "esnext", target: "es2022", verbatimModuleSyntax: true },
  });
  return await import(`data:text/javascript,${encodeURIComponent(outputText)}`);
}

const codes = await importSource("src/codes.ts");
const tables = await importSource("src/reasons.ts");
const { commandHints } = await importSource("src/cli/hints.ts");
const { commandCodes, exitCodeTable } = await importSource("src/cli/exit-codes.ts");

function codesOf({ code, errnos = [] }) {
  return code === undefined ? errnos : [code];
}

function codeList(codes) {
  return codes.map((code) => `\`${code}\``).join(", ");
}

function meanings(codes) {
  return Object.entries(codes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
}

function sentence(clause) {
  return `${clause[0].toUpperCase()}${clause.slice(1)}.`;
}

/** Every errno that a reason names, with the reasons that name it. */
function errnoRows(entries) {
  const kernels = entries.filter(([, { code }]) => code === undefined);
  const errnos = [...new Set(kernels.flatMap(([, entry]) => codesOf(entry)))].sort();
  return errnos.map((errno) => {
    const named = kernels.filter(([, entry]) => codesOf(entry).includes(errno));
    const links = named.map(([reason]) => `[${reason}](#${reason})`);
    return `| \`${errno}\` | ${links.join(", ")} |`;
  });
}

/** What to do in general, then for each operation to which something else applies. */
function hintsOf(hint, where = "") {
  if (hint === undefined) return [];
  if (where !== "")
    return hintsOf(hint).map((words) => `${where}${/^`/.test(words) ? ", " : ": "}${words}`);
  if (typeof hint === "string") return [hint];
  const general = hint({});
  const own = new Map();
  for (const operation of tables.hintedOperations) {
    const words = hint({ operation });
    if (words !== general) own.set(words, [...(own.get(words) ?? []), `\`${operation}\``]);
  }
  return [general, ...[...own].map(([words, named]) => `${named.join(", ")}: ${words}`)];
}

function reasonSection([reason, entry]) {
  const codes = codesOf(entry);
  return [
    `### ${reason}`,
    "",
    `${sentence(entry.summary)} Code: ${codes.length === 0 ? "any errno's name" : codeList(codes)}.`,
    "",
    ...hintsOf(entry.hint).flatMap((hint) => [hint, ""]),
    ...hintsOf(commandHints[reason], "At a prompt").flatMap((hint) => [hint, ""]),
  ];
}

function errorsPage() {
  const entries = Object.entries({ ...tables.reasons, ...tables.facadeReasons });
  return [
    "# Errors",
    "",
    "<!-- Written by scripts/errors-page.mjs from src/reasons.ts, src/codes.ts and src/cli/. Change these, and run the script. -->",
    "",
    "Wrong arguments are a `TypeError` or `RangeError`, thrown before anything is sent. What the",
    "kernel refuses, or the library in its stead, is a `FlintapError`: match on its `code` or, finer,",
    "on its `reason`; both are stable. It also has the `operation` and the `step` of it that failed,",
    "`errno`, `device`, the kernel's own text as `kernelMessage`, a `hint` that says what to do, and",
    "in `leftBehind` whatever could not be undone. Calls reject with these errors.",
    "",
    "## Codes of wrong arguments and documents",
    "",
    "| code | meaning |",
    "| --- | --- |",
    ...meanings(codes.argumentCodes),
    "",
    "A file that the system cannot read is an `UnreadableDocumentError` of flintap/flintlock: its `code`",
    "is the system's name for why (`ENOENT`, `EACCES`, `EISDIR`, `ENOTDIR` …), its `path` the file, and its",
    "`hint` says what to do.",
    "",
    "## Codes of the library",
    "",
    "| code | meaning |",
    "| --- | --- |",
    ...meanings(codes.libraryCodes),
    "",
    "## Codes of the kernel",
    "",
    "Every other code is the name of the kernel's errno. These have finer reasons; any errno can come",
    "with the reason [kernel](#kernel). Where the library itself refuses for a reason that usually is",
    "the kernel's, `errno` is 0 and the code `ERR_FLINTAP_REFUSED`.",
    "",
    "| code | reasons |",
    "| --- | --- |",
    ...errnoRows(entries),
    "",
    "## Codes of warnings",
    "",
    "| code | meaning |",
    "| --- | --- |",
    ...meanings(codes.warningCodes),
    "",
    "## The command",
    "",
    'With `--json`, a failure of `flintap` is `{"error": {"code", "message", "hint" …}}` on standard error,',
    "with the codes above and these. Standard output that cannot be written has the code of the system",
    "(`ENOSPC`).",
    "",
    "| code | meaning |",
    "| --- | --- |",
    ...meanings(commandCodes),
    "",
    "| exit code | meaning |",
    "| --- | --- |",
    ...exitCodeTable.map(([code, meaning]) => `| ${code} | ${meaning} |`),
    "",
    "## Reasons",
    "",
    "Where people at a prompt can do something else than programs, the command has a hint of its own.",
    "",
    ...entries.flatMap(reasonSection),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}

if (!process.argv.includes("--check")) {
  writeFileSync(page, errorsPage());
} else if (readFileSync(page, "utf8") !== errorsPage()) {
  process.stderr.write("docs/errors.md is not up to date: run node scripts/errors-page.mjs\n");
  process.exitCode = 1;
}
