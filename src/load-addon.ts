/**
 * Finds and loads the native addon.
 *
 * Runs on the JavaScript thread, so it reads neither /proc nor `process.report`, which asks the
 * kernel for all network interfaces.
 */
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { NativeAddon } from "./addon.js";
import { FlintapError } from "./error.js";

/** The package's folder, seen from `dist/` as well as from `src/`. */
const packageRoot = fileURLToPath(new URL("..", import.meta.url));

type Libc = "glibc" | "musl";

/** The C library that this Node.js was linked with: the one whose loader its ELF header names. */
function libcOf(executable: string): Libc {
  const header = Buffer.alloc(4096);
  const file = openSync(executable, "r");
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  return header.includes("/ld-musl-") ? "musl" : "glibc";
}

/** Both where Node.js is no longer where it was started from, as after an upgrade. */
function libcs(): readonly Libc[] {
  try {
    return [libcOf(process.execPath)];
  } catch {
    return ["glibc", "musl"];
  }
}

/**
 * Where the addon may be, best first, with the alternatives for each place: who built one here did so
 * since what was shipped did not serve. `FLINTAP_ADDON` names the one to take, for test builds.
 */
function* places(): Generator<readonly string[]> {
  const chosen = process.env.FLINTAP_ADDON;
  if (chosen) return yield [resolve(chosen)];
  yield [resolve(packageRoot, "build/Release/flintap.node")];
  const prebuilds = resolve(packageRoot, `prebuilds/linux-${process.arch}`);
  yield libcs().map((libc) => resolve(prebuilds, `flintap.${libc}.node`));
}

function loadFailure(
  reason: "platform" | "addon",
  step: string,
  options?: ErrorOptions,
): FlintapError {
  return new FlintapError({ errno: 0, reason, operation: "load", step }, options);
}

/** Loads the first of some files that can be. */
function loadOneOf(paths: readonly string[]): NativeAddon {
  let failure: FlintapError | undefined;
  for (const path of paths) {
    try {
      return createRequire(import.meta.url)(path) as NativeAddon;
    } catch (cause) {
      failure ??= loadFailure("addon", `load ${path}`, { cause });
    }
  }
  throw failure;
}

/** Loads the addon; throws a FlintapError where that cannot be. */
export function loadAddon(): NativeAddon {
  if (process.platform !== "linux") throw loadFailure("platform", `platform ${process.platform}`);
  const candidates: string[] = [];
  for (const alternatives of places()) {
    candidates.push(...alternatives);
    const there = alternatives.filter((path) => existsSync(path));
    if (there.length > 0) return loadOneOf(there);
  }
  throw loadFailure("addon", `look for ${candidates.join(" and ")}`);
}
