// Brings a checkout to where it can be used: dependencies, the addon, dist/. Does only what is
// missing or older than its sources, and prints a line for each. Plain Node: it runs first.
import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildAddon } from "./build-addon.mjs";
import {
  filesBelow,
  fingerprint,
  isFresh,
  main,
  npmTool,
  remember,
  requireTool,
  root,
  runOrThrow,
  since,
} from "./toolchain.mjs";

async function installDependencies() {
  // npm writes this file last; package-lock.json younger than it means an install is due.
  const installed = join(root, "node_modules/.package-lock.json");
  const lock = join(root, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs)
    return "dependencies: up to date";
  const start = performance.now();
  requireTool("npm", "npm");
  await runOrThrow("npm", ["ci", "--no-audit", "--no-fund"]);
  return `dependencies: installed in ${since(start)}`;
}

async function buildDist() {
  const start = performance.now();
  const print = fingerprint([
    "tsconfig.json",
    "tsconfig.build.json",
    "package-lock.json",
    ...filesBelow("src", /\.ts$/),
  ]);
  const entry = join(root, "dist/index.js");
  if (isFresh("dist", print) && existsSync(entry)) return "dist: up to date";
  // A module that is gone from src/ must not live on in dist/.
  rmSync(join(root, "dist"), { recursive: true, force: true });
  await runOrThrow(npmTool("tsc"), ["--project", "tsconfig.build.json"]);
  remember("dist", print);
  return `dist: built in ${since(start)}`;
}

/** Dependencies, the shipped addon and dist/, each unless it is up to date. */
export async function setUp() {
  console.log(await installDependencies());
  console.log(await buildAddon("release"));
  console.log(await buildDist());
}

if (process.argv[1] === import.meta.filename) await main(setUp);
