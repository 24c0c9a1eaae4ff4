// The first root of a guest: it loads the modules, mounts the real root, and goes there. Made anew
// for every run, by cpio; busybox, linked statically, is all that is in it.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { requireTool, runOrThrow } from "../toolchain.mjs";

/** Throws MissingTool where no initramfs can be made. */
export function requireInitramfsTools() {
  requireTool("busybox", "busybox-static");
  requireTool("cpio", "cpio");
}

/** The files of modules, each after those that it stands on; what the kernel has built in has none. */
async function moduleFiles({ modules, version }, names) {
  const base = modules.slice(0, -join("/lib/modules", version).length);
  const text = await runOrThrow("busybox", ["depmod", "-n", "-b", base, version]);
  const known = new Map();
  for (const [, path, needed] of text.matchAll(/^(\S+\.ko): ?(.*)$/gm))
    known.set(basename(path, ".ko").replaceAll("-", "_"), {
      path,
      needs: needed.split(" ").filter(Boolean),
    });
  const chosen = new Set();
  const choose = (name) => {
    const module = known.get(name);
    if (module === undefined || chosen.has(module.path)) return;
    for (const path of module.needs) choose(basename(path, ".ko").replaceAll("-", "_"));
    chosen.add(module.path);
  };
  names.forEach(choose);
  return [...chosen].map((path) => join(modules, path));
}

/** Packs a folder as an initramfs. */
async function pack(folder, target) {
  const script = 'cd "$1" && find . | cpio --quiet --create --format=newc >"$2"';
  await runOrThrow("sh", ["-c", script, "sh", folder, target]);
}

/**
 * Makes an initramfs in `folder` and gives its path.
 *
 * @param {{ modules: string, version: string }} kernel As debianKernel gives it.
 * @param {string[]} names The modules to load; what they stand on comes along.
 * @param {string} script What busybox's shell does when they are loaded: it ends in switch_root.
 */
export async function makeInitramfs(kernel, names, script, folder) {
  const content = join(folder, "initramfs");
  rmSync(content, { recursive: true, force: true });
  for (const name of ["bin", "dev", "proc", "sys", "modules", "root"])
    mkdirSync(join(content, name), { recursive: true });
  copyFileSync(requireTool("busybox", "busybox-static"), join(content, "bin/busybox"));
  const files = await moduleFiles(kernel, names);
  for (const file of files) copyFileSync(file, join(content, "modules", basename(file)));
  const load = files.map((file) => `insmod /modules/${basename(file)}`);
  const init = ["#!/bin/busybox sh", "/bin/busybox --install -s /bin", ...load, script].join("\n");
  writeFileSync(join(content, "init"), `${init}\n`, { mode: 0o755 });
  const target = join(folder, "initramfs.cpio");
  await pack(content, target);
  return target;
}
