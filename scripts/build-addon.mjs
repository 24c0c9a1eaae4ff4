// Builds the addon: `node scripts/build-addon.mjs release|testing|asan|tsan|prebuild`.
//
// release   what is shipped, by node-gyp, or by CMake where there is no Python:
//           build/Release/flintap.node
// testing   by cmake-js, faults can be injected, with the native tests: build/testing/
// asan      like testing, under AddressSanitizer and UndefinedBehaviorSanitizer: build/asan/
// tsan      like testing, under ThreadSanitizer: build/tsan/
// prebuild  release, stripped and named for the tarball: prebuilds/ (empties build/ first)
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { abiFloor } from "./abi-floor.mjs";
import {
  CommandFailed,
  filesBelow,
  findTool,
  fingerprint,
  headersPrefix,
  isFresh,
  MissingTool,
  main,
  npmTool,
  remember,
  requireTool,
  root,
  run,
  runOrThrow,
  since,
} from "./toolchain.mjs";

const sanitizers = { testing: "", asan: "address", tsan: "thread" };

/** Whether this is the repository, and not the package as npm installs it. */
const isCheckout = existsSync(join(root, "native/CMakeLists.txt"));

/** The addon that a variant gives. */
export function addonPath(variant) {
  return join(root, "build", variant === "release" ? "Release" : variant, "flintap.node");
}

/** Tells each builder where Node's headers are; without them, it downloads some. */
function nodedir() {
  const prefix = headersPrefix();
  return prefix ? { npm_config_nodedir: prefix } : {};
}

function nodeGyp() {
  // In a package installed by npm, node-gyp is the one that npm brings along for its scripts.
  const bundled = process.env.npm_config_node_gyp;
  const own = join(root, "node_modules/node-gyp/bin/node-gyp.js");
  if (existsSync(own)) return own;
  if (bundled) return bundled;
  throw new MissingTool(
    "node-gyp",
    "npm: run this by `npm explore flintap -- npm run build:addon`",
  );
}

/** An installed package has no binding.gyp: npm would compile it at every `npm ci`. */
async function withBindingGyp(build) {
  const path = join(root, "binding.gyp");
  if (existsSync(path)) return await build();
  writeFileSync(path, '{ "includes": ["addon.gypi"] }\n');
  try {
    return await build();
  } finally {
    rmSync(path);
  }
}

async function buildWithGyp() {
  requireTool("make", "make");
  requireTool("python3", "python3");
  // Warnings are errors where they can be mended, not on the machine of somebody installing.
  const env = {
    ...nodedir(),
    CXXFLAGS: `${process.env.CXXFLAGS ?? ""} ${isCheckout ? "-Werror" : ""}`,
  };
  // Not `rebuild`: that begins by removing build/, where the other variants are, too.
  const args = [nodeGyp(), "configure", "build", "--jobs", "max", "--loglevel=warn"];
  const result = await withBindingGyp(() => run(process.execPath, args, { env }));
  if (result.code === 0) return;
  if (!headersPrefix() && /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|fetch failed/.test(result.output))
    throw new MissingTool("node_api.h (Node's headers)", "Debian's libnode-dev");
  throw new CommandFailed("node-gyp", result);
}

async function buildWithCMake(variant) {
  requireTool("cmake", "cmake");
  requireTool("make", "make");
  const folder = variant === "release" ? "build/cmake" : `build/${variant}`;
  // cmake-js configures only where there is no cache, and doctest may have come since.
  rmSync(join(root, folder, "CMakeCache.txt"), { force: true });
  await runOrThrow(
    npmTool("cmake-js"),
    [
      "build",
      "--log-level=warn",
      "--directory=native",
      `--out=${folder}`,
      "--config=RelWithDebInfo",
      `--parallel=${availableParallelism()}`,
      `--CDFLINTAP_SEAM=${variant === "release" ? "OFF" : "ON"}`,
      `--CDSANITIZE=${sanitizers[variant] ?? ""}`,
    ],
    { env: nodedir() },
  );
  if (variant === "release") {
    mkdirSync(dirname(addonPath(variant)), { recursive: true });
    copyFileSync(join(root, folder, "flintap.node"), addonPath(variant));
  }
}

async function prebuild() {
  await runOrThrow(npmTool("prebuildify"), ["--napi", "--strip", "--tag-libc"], { env: nodedir() });
}

/** Builds a variant unless it is still that of its sources. Gives the line to print. */
export async function buildAddon(variant) {
  const start = performance.now();
  if (variant === "prebuild") {
    await prebuild();
    return `addon (prebuild): built in ${since(start)}`;
  }
  const print = fingerprint(
    ["addon.gypi", "package-lock.json", ...filesBelow("native", /\.(cc|h|json|txt)$/)],
    [variant, process.version, process.arch, existsSync("/usr/include/doctest/doctest.h")],
  );
  if (isFresh(`addon-${variant}`, print) && existsSync(addonPath(variant)))
    return `addon (${variant}): up to date`;
  if (!process.env.CXX) requireTool("g++", "g++");
  const canGyp = findTool("python3") !== undefined || !isCheckout;
  const byGyp = variant === "release" && canGyp;
  await (byGyp ? buildWithGyp() : buildWithCMake(variant));
  remember(`addon-${variant}`, print);
  const floor = await abiFloor(addonPath(variant));
  return `addon (${variant}): built in ${since(start)}${floor && `, needs ${floor}`}`;
}

if (process.argv[1] === import.meta.filename) {
  const variant = process.argv[2] ?? "release";
  if (!["release", "prebuild", ...Object.keys(sanitizers)].includes(variant)) {
    console.error(
      `Unknown variant "${variant}"; expected release, testing, asan, tsan or prebuild`,
    );
    process.exit(2);
  }
  await main(async () => console.log(await buildAddon(variant)));
}
