// The steps of `npm test`, in the order in which they run. Each gives
// { passed, failed, skips: [{ what, reason }], output }; a step that gives nothing has passed
// once. What the machine lacks is thrown as an Obstacle and becomes a skip.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { addonPath, buildAddon } from "./build-addon.mjs";
import { tidy } from "./clang-tidy.mjs";
import { inContainer, requireContainers } from "./container.mjs";
import { guestImage, requireGuestNetwork } from "./guest/image.mjs";
import { requireGuestTools, runInGuest } from "./kernels/guest.mjs";
import { kernelOf } from "./kernels/release.mjs";
import { sanitizerEnvironment, sanitizerFindings } from "./sanitizers.mjs";
import {
  filesBelow,
  MissingTool,
  npmTool,
  requireTool,
  root,
  run,
  runOrThrow,
} from "./toolchain.mjs";

const nativeSources = () => filesBelow("native", /\.(cc|h)$/);
const benchSources = () => filesBelow("bench/peers", /\.[ch]$/);

async function checkFormat() {
  await runOrThrow(npmTool("biome"), ["check", "--error-on-warnings", "."]);
}

async function checkTypes() {
  await runOrThrow(npmTool("tsc"), ["--project", "tsconfig.json"]);
  // The same of the examples' and the benchmark's JavaScript, and of the scripts that they import.
  await runOrThrow(npmTool("tsc"), ["--project", "examples/tsconfig.json"]);
  await runOrThrow(npmTool("tsc"), ["--project", "bench/tsconfig.json"]);
}

async function checkDocumentation() {
  await runOrThrow(npmTool("typedoc"), ["--emit", "none"]);
}

/** docs/errors.md tells every code and reason, in the words of the source. */
async function checkErrorsPage() {
  await runOrThrow(process.execPath, ["scripts/errors-page.mjs", "--check"]);
}

/** The tarball as npm would publish it: its entries resolve, its types agree with them. */
async function checkPackage() {
  const folder = join(root, "build/package");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await runOrThrow("npm", ["pack", "--pack-destination", folder]);
  const tarball = join(folder, readdirSync(folder)[0]);
  await runOrThrow(npmTool("publint"), [tarball, "--strict"]);
  await runOrThrow(npmTool("attw"), [tarball, "--profile", "esm-only"]);
}

async function checkNativeFormat() {
  requireTool("clang-format-16", "Debian's clang-format-16");
  await runOrThrow("clang-format-16", [
    "--dry-run",
    "--Werror",
    ...nativeSources(),
    ...benchSources(),
  ]);
}

/** A source that no build system knows of is a test that never runs. */
async function checkSourceList() {
  const lists = JSON.parse(readFileSync(join(root, "native/sources.json"), "utf8"));
  const listed = Object.values(lists)
    .flat()
    .map((path) => `native/${path}`);
  const found = filesBelow("native", /\.cc$/).filter((path) => !basename(path).startsWith("fuzz_"));
  const unlisted = found.filter((path) => !listed.includes(path));
  const absent = listed.filter((path) => !found.includes(path));
  if (unlisted.length + absent.length === 0) return {};
  const output = [
    ...unlisted.map((path) => `${path} is not in native/sources.json`),
    ...absent.map((path) => `${path} is in native/sources.json, but not there`),
  ].join("\n");
  return { passed: 0, failed: 1, output };
}

async function checkNativeTidiness() {
  requireTool("clang-tidy-16", "Debian's clang-tidy-16");
  await buildAddon("testing");
  return tidy(join(root, "build/testing/compile_commands.json"));
}

/** The tests that ctest's JUnit report has as skipped, each with the reason that it printed. */
function skipsIn(report) {
  const cases = readFileSync(report, "utf8").matchAll(
    /<testcase name="([^"]*)"[^>]*status="notrun".*?<\/testcase>/gs,
  );
  return [...cases].map(([text, name]) => ({
    what: `native › ${name}`,
    reason: /^skipped: (.*)$/m.exec(text)?.[1] ?? "no reason given",
  }));
}

/** The native unit tests of a variant of the build. */
async function runNativeTests(variant, env = {}) {
  await buildAddon(variant);
  const folder = join(root, "build", variant);
  if (!existsSync(join(folder, "native_tests")))
    throw new MissingTool("doctest", "Debian's doctest-dev");
  const report = join(folder, "native_tests.xml");
  const { output } = await run(
    "ctest",
    ["--test-dir", folder, "--output-on-failure", "--no-tests=error", "--parallel", "2"].concat(
      "--output-junit",
      report,
    ),
    { env },
  );
  const [, failed, total] = /(\d+) tests failed out of (\d+)/.exec(output) ?? [];
  if (total === undefined) return { passed: 0, failed: 1, output };
  const skips = skipsIn(report);
  const passed = Number(total) - Number(failed) - skips.length;
  return { passed, failed: Number(failed), skips, output };
}

/** What vitest's JSON reporter wrote, as an outcome. A file that broke counts as one failure. */
function readReport(path, where, { code, output }) {
  if (!existsSync(path)) return { passed: 0, failed: 1, output };
  const files = JSON.parse(readFileSync(path, "utf8")).testResults;
  const tests = files.flatMap((file) => file.assertionResults);
  const count = (status) => tests.filter((test) => test.status === status).length;
  const broken = files.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((t) => t.status === "failed"),
  ).length;
  const skips = tests
    .filter((test) => test.status !== "passed" && test.status !== "failed")
    .map((test) => ({
      what: `${where} › ${test.fullName}`,
      reason: test.meta?.skipReason ?? "no reason given",
    }));
  const failed = count("failed") + broken;
  // Vitest also fails for what no test is to blame for, such as an unhandled rejection.
  return { passed: count("passed"), failed: failed || (code === 0 ? 0 : 1), skips, output };
}

const reports = join(root, "build/test");

const reportOf = (where) => join(reports, `${where.replaceAll(" ", "-")}.json`);

const vitest = (project, report, args) => [
  ...[npmTool("vitest"), "run", "--project", project],
  ...["--reporter=default", "--reporter=json", `--outputFile=${report}`],
  ...args,
];

/** `within` turns a command into the one that runs it elsewhere; `where` then names that place. */
async function runVitest(
  project,
  args,
  { env = {}, where = project, within = (command) => command } = {},
) {
  const report = reportOf(where);
  rmSync(report, { force: true });
  const [program, ...rest] = within(vitest(project, report, args));
  return readReport(report, where, await run(program, rest, { env }));
}

async function runFaultTests(args) {
  await buildAddon("testing");
  return runVitest("faults", args, { env: { FLINTAP_ADDON: addonPath("testing") } });
}

/** Files that are not run in a container: they take long, and tell nothing of it. */
const notInContainers = [
  "keep-in-state-storm",
  "daemon-killed",
  "restart",
  "restart-changed-specs",
  "two-owners",
].map((name) => `test/kernel/${name}.test.ts`);

/** The kernel tests in a privileged container: one with a /dev and a /sys of its own. */
async function runKernelTestsInContainer(args) {
  await requireContainers();
  mkdirSync(reports, { recursive: true });
  const flags = ["--privileged", "--env=NO_COLOR=1", `--volume=${reports}:${reports}`];
  return runVitest("kernel", [...notInContainers.map((file) => `--exclude=${file}`), ...args], {
    where: "kernel in a container",
    within: (command) => inContainer(flags, command),
  });
}

/**
 * What a guest, ten times slower than its host, is asked for: less of what is only repeated. A second try:
 * before 6.2 the kernel tells of a carrier late, so that a link can change between two looks that a test
 * takes, one of them iproute2's. On an emulated processor those are far apart.
 */
const slowMachine = {
  ...{ FLINTAP_PATIENCE: "300000", FLINTAP_RETRIES: "1" },
  ...{ FLINTAP_REPETITIONS: "0.1", FLINTAP_STORMS: "1" },
};

/** Files that are not run in a guest: they take long, and tell nothing of its kernel. */
const notInGuests = [
  "test/kernel/bench.test.ts", // what the benchmark prints
];

/** The kernel tests in a guest that has a Debian release's own kernel. Its console is kept. */
async function runKernelTestsOn(codename, args) {
  requireGuestTools();
  const kernel = await kernelOf(codename);
  const where = `kernel on Linux ${kernel.version}`;
  const report = reportOf(where);
  rmSync(report, { force: true });
  mkdirSync(reports, { recursive: true });
  const inside = "/run/report.json";
  const { result, ...ending } = await runInGuest({
    kernel,
    command: vitest("kernel", inside, [
      "--maxWorkers=2",
      ...notInGuests.map((file) => `--exclude=${file}`),
      ...args,
    ]),
    env: slowMachine,
    result: inside,
    log: report.replace(/json$/, "log"),
    deadline: 1_500_000,
  });
  if (result !== "") writeFileSync(report, result);
  return readReport(report, where, ending);
}

async function runContainerTests(args) {
  await requireContainers();
  return runVitest("container", args);
}

async function runGuestTests(args) {
  requireGuestNetwork();
  // Made here, so that what keeps it from being had is one skip and not one a test.
  await guestImage();
  return runVitest("e2e", args);
}

/** A vitest project under a sanitizer. Each finding is a failure, whatever the tests say. */
async function runSanitized(variant, project, args) {
  await buildAddon(variant);
  // Two files at a time: under a sanitizer it is the processors that a test waits for.
  const outcome = await runVitest(project, ["--maxWorkers=2", ...args], {
    env: await sanitizerEnvironment(variant),
  });
  const findings = await sanitizerFindings(variant);
  return {
    ...outcome,
    failed: outcome.failed + findings.length,
    output: [outcome.output, ...findings].join("\n"),
  };
}

/** The steps of `npm test`. */
export const steps = [
  { name: "format", group: "lint", title: "format and lint (biome)", run: checkFormat },
  { name: "typecheck", group: "lint", title: "types (tsc)", run: checkTypes },
  { name: "docs", group: "lint", title: "documentation (typedoc)", run: checkDocumentation },
  { name: "errors-page", group: "lint", title: "errors page", run: checkErrorsPage },
  { name: "package", group: "lint", title: "package (publint, attw)", run: checkPackage },
  { name: "sources", group: "lint", title: "native source list", run: checkSourceList },
  { name: "clang-format", group: "lint", title: "native format", run: checkNativeFormat },
  {
    name: "clang-tidy",
    group: "lint",
    title: "native lint (clang-tidy)",
    run: checkNativeTidiness,
  },
  { name: "types", title: "type tests", run: (args) => runVitest("types", args) },
  { name: "unit", title: "unit tests", run: (args) => runVitest("unit", args) },
  { name: "native", title: "native unit tests", run: () => runNativeTests("testing") },
  { name: "kernel", title: "kernel tests", run: (args) => runVitest("kernel", args) },
  { name: "faults", title: "fault tests", run: runFaultTests },
  {
    name: "container-kernel",
    group: "container",
    title: "kernel tests in a privileged container",
    run: runKernelTestsInContainer,
  },
  {
    name: "container-restricted",
    group: "container",
    title: "what works in which container",
    run: runContainerTests,
  },
];

/** The steps of `npm run test:e2e`. */
export const guestSteps = [
  { name: "e2e", title: "tests with real guests (two minutes)", run: runGuestTests },
];

/**
 * The steps of `npm run test:kernels`. Debian 11's kernel (`bullseye`, Linux 5.10) is too old: it
 * finds no link by its identity when the link is to be changed.
 */
export const kernelSteps = [
  {
    name: "kernel-bookworm",
    title: "kernel tests on Debian 12's kernel",
    run: (args) => runKernelTestsOn("bookworm", args),
  },
];

/** The steps of `npm run test:sanitizers`. */
export const sanitizerSteps = ["asan", "tsan"].flatMap((variant) => [
  {
    name: `${variant}-native`,
    title: `${variant}: native unit tests`,
    run: () => runNativeTests(variant),
  },
  ...["kernel", "faults"].map((project) => ({
    name: `${variant}-${project}`,
    title: `${variant}: ${project.replace(/s$/, "")} tests`,
    run: (args) => runSanitized(variant, project, args),
  })),
]);
