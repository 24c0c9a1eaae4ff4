// What every initramfs here is made with: busybox, linked statically, modules of a Debian kernel, and cpio.
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { MissingTool, requireTool, runOrThrow } from "../toolchain.mjs";

/** The program that is all of a guest's first root. One that is linked dynamically finds no libraries. */
export function requireBusybox() {
  const path = requireTool("busybox", "busybox-static");
  if (readFileSync(path).subarray(0, 4096).includes("/ld-linux"))
    throw new MissingTool("a static busybox", "Debian's busybox-static");
  return path;
}

/** Throws MissingTool where no initramfs can be made. */
export function requireInitramfsTools() {
  requireBusybox();
  requireTool("cpio", "cpio");
}

/**
 * Copies modules into a folder.
 *
 * @param {{ modules: string, version: string }} kernel As debianKernel gives it.
 * @param {readonly string[]} names What they stand on comes along; what the kernel has built in has none.
 * @param {string} into
 * @returns {Promise<string[]>} The names of the files, each after those that it stands on.
 */
export async function copyModules(kernel, names, into) {
  mkdirSync(into, { recursive: true });
  const files = await moduleFiles(kernel, names);
  for (const file of files) copyFileSync(file, join(into, basename(file)));
  return files.map((file) => basename(file));
}

/** @param {{ modules: string, version: string }} kernel @param {readonly string[]} names */
async function moduleFiles({ modules, version }, names) {
  const base = modules.slice(0, -join("/lib/modules", version).length);
  const text = await runOrThrow("busybox", ["depmod", "-n", "-b", base, version]);
  /** @type {Map<string, { path: string, needs: string[] }>} */
  const known = new Map();
  for (const [, path = "", needed = ""] of text.matchAll(/^(\S+\.ko): ?(.*)$/gm))
    known.set(nameOf(path), { path, needs: needed.split(" ").filter(Boolean) });
  /** @type {Set<string>} */
  const chosen = new Set();
  /** @param {string} name */
  const choose = (name) => {
    const module = known.get(name);
    if (module === undefined || chosen.has(module.path)) return;
    for (const path of module.needs) choose(nameOf(path));
    chosen.add(module.path);
  };
  names.forEach(choose);
  return [...chosen].map((path) => join(modules, path));
}

/** @param {string} path */
const nameOf = (path) => basename(path, ".ko").replaceAll("-", "_");

/**
 * Packs a folder as an initramfs, which is root's.
 *
 * @param {string} folder
 * @param {string} target
 */
export async function packInitramfs(folder, target) {
  const script = 'cd "$1" && find . | cpio --quiet -o -H newc -R 0:0 >"$2"';
  await runOrThrow("sh", ["-c", script, "sh", folder, target]);
}
