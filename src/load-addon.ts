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

/** The C library that this Node.js was linked with: the one whose loader its ELF header names. */
function libc(): "glibc" | "musl" {
  const header = Buffer.alloc(4096);
  const file = openSync(process.execPath, "r");
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  return header.includes("/ld-musl-") ? "musl" : "glibc";
}

/**
 * Where the addon may be, best first: who built one here did so since what was shipped did not
 * serve. `FLINTAP_ADDON` names the one to take, for test builds.
 */
function places(): string[] {
  const chosen = process.env.FLINTAP_ADDON;
  if (chosen) return [resolve(chosen)];
  return [
    resolve(packageRoot, "build/Release/flintap.node"),
    resolve(packageRoot, `prebuilds/linux-${process.arch}/flintap.${libc()}.node`),
  ];
}

function loadFailure(
  reason: "platform" | "addon",
  step: string,
  options?: ErrorOptions,
): FlintapError {
  return new FlintapError({ errno: 0, reason, operation: "load", step }, options);
}

/** Loads the addon; throws a FlintapError where that cannot be. */
export function loadAddon(): NativeAddon {
  if (process.platform !== "linux") throw loadFailure("platform", `platform ${process.platform}`);
  const candidates = places();
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined) throw loadFailure("addon", `look for ${candidates.join(" and ")}`);
  try {
    return createRequire(import.meta.url)(path) as NativeAddon;
  } catch (cause) {
    throw loadFailure("addon", `load ${path}`, { cause });
  }
}
