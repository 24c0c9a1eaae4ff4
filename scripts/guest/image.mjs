// What a guest boots: Debian's cloud kernel and an initramfs of busybox, the virtio modules and the
// files in root/. Made once and kept by its content.
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filesBelow, fingerprint, requireTool, runOrThrow } from "../toolchain.mjs";
import { cached, debianKernel } from "./debian-kernel.mjs";
import { copyModules, packInitramfs, requireBusybox, requireInitramfsTools } from "./initramfs.mjs";

/** Throws an Obstacle unless this machine can make guests and run them. */
export function requireGuests() {
  requireTool("qemu-system-x86_64", "qemu-system-x86");
  requireInitramfsTools();
  requireTool("gzip", "gzip");
  requireTool("apt-get", "apt");
  requireTool("dpkg-deb", "dpkg");
}

/** The same, with a DHCP server for guests and a witness of their frames. */
export function requireGuestNetwork() {
  requireGuests();
  requireTool("dnsmasq", "dnsmasq-base");
  requireTool("tcpdump", "tcpdump");
}

/**
 * Fills a folder with the files of the initramfs.
 *
 * @param {string} folder
 * @param {string} busybox
 * @param {{ modules: string, version: string }} kernel
 */
async function layOut(folder, busybox, kernel) {
  cpSync(join(import.meta.dirname, "root"), folder, { recursive: true });
  for (const name of ["proc", "sys", "dev", "run", "tmp", "etc"])
    mkdirSync(join(folder, name), { recursive: true });
  cpSync(busybox, join(folder, "bin/busybox"), { dereference: true });
  chmodSync(join(folder, "bin/busybox"), 0o755);
  const files = await copyModules(kernel, ["virtio_pci", "virtio_net"], join(folder, "modules"));
  writeFileSync(join(folder, "modules/order"), files.map((name) => `${name}\n`).join(""));
}

/**
 * The kernel and the initramfs, made if they are not there yet.
 *
 * @returns {Promise<{ kernel: string, initrd: string }>} Their paths.
 */
export async function guestImage() {
  requireGuests();
  const kernel = await debianKernel();
  const busybox = requireBusybox();
  const scripts = ["image", "initramfs"].map((name) => `scripts/guest/${name}.mjs`);
  const own = [...scripts, ...filesBelow("scripts/guest/root", /./)];
  const print = fingerprint(own, [kernel.version, readFileSync(busybox).toString("base64")]);
  const folder = await cached(`initramfs-${print.slice(0, 16)}`, async (into) => {
    const files = join(into, "files");
    await layOut(files, busybox, kernel);
    await packInitramfs(files, join(into, "initrd"));
    await runOrThrow("gzip", ["-1", join(into, "initrd")]);
    rmSync(files, { recursive: true });
  });
  return { kernel: kernel.vmlinuz, initrd: join(folder, "initrd.gz") };
}
