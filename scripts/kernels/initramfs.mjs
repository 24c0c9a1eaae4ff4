// The first root of a guest with a kernel to be tested: it loads the modules, mounts the real root, and
// goes there. Made anew for every run.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyModules, packInitramfs, requireBusybox } from "../guest/initramfs.mjs";

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
  for (const name of ["bin", "dev", "proc", "sys", "root"])
    mkdirSync(join(content, name), { recursive: true });
  copyFileSync(requireBusybox(), join(content, "bin/busybox"));
  const files = await copyModules(kernel, names, join(content, "modules"));
  const load = files.map((file) => `insmod /modules/${file}`);
  const init = ["#!/bin/busybox sh", "/bin/busybox --install -s /bin", ...load, script].join("\n");
  writeFileSync(join(content, "init"), `${init}\n`, { mode: 0o755 });
  const target = join(folder, "initramfs.cpio");
  await packInitramfs(content, target);
  return target;
}
