// What a guest boots: Debian's cloud kernel and an initramfs of busybox, the virtio modules and the
// files in root/. Made once and kept by its content.
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import {
  filesBelow,
  findTool,
  fingerprint,
  MissingTool,
  requireTool,
  runOrThrow,
} from "../toolchain.mjs";
import { cached, debianKernel } from "./debian-kernel.mjs";

/** In the order in which they load: each needs those before it. */
const modules = [
  "drivers/virtio/virtio_ring",
  "drivers/virtio/virtio",
  "drivers/virtio/virtio_pci_modern_dev",
  "drivers/virtio/virtio_pci_legacy_dev",
  "drivers/virtio/virtio_pci",
  "net/core/failover",
  "drivers/net/net_failover",
  "drivers/net/virtio_net",
];

/** The programs that guests take, and the Debian packages that they come with. */
const tools = {
  "qemu-system-x86_64": "qemu-system-x86",
  cpio: "cpio",
  gzip: "gzip",
  busybox: "busybox-static",
  "apt-get": "apt",
  "dpkg-deb": "dpkg",
};

/** Throws an Obstacle unless this machine can make guests and run them. */
export function requireGuests() {
  for (const [tool, debianPackage] of Object.entries(tools)) requireTool(tool, debianPackage);
  // One that is linked dynamically finds no libraries in a guest.
  if (
    readFileSync(/** @type {string} */ (findTool("busybox")))
      .subarray(0, 4096)
      .includes("/ld-linux")
  )
    throw new MissingTool("a static busybox", "Debian's busybox-static");
}

/**
 * Fills a folder with the files of the initramfs.
 *
 * @param {string} folder
 * @param {string} busybox
 * @param {{ modules: string }} kernel
 */
function layOut(folder, busybox, kernel) {
  cpSync(join(import.meta.dirname, "root"), folder, { recursive: true });
  for (const name of ["proc", "sys", "dev", "run", "tmp", "etc", "modules"])
    mkdirSync(join(folder, name), { recursive: true });
  cpSync(busybox, join(folder, "bin/busybox"), { dereference: true });
  chmodSync(join(folder, "bin/busybox"), 0o755);
  const names = modules.map((path) => basename(path));
  writeFileSync(join(folder, "modules/order"), names.map((name) => `${name}\n`).join(""));
  for (const [at, path] of modules.entries())
    cpSync(join(kernel.modules, "kernel", `${path}.ko`), join(folder, `modules/${names[at]}.ko`));
}

/**
 * The kernel and the initramfs, made if they are not there yet.
 *
 * @param {readonly string[]} [aptOptions]
 * @returns {Promise<{ kernel: string, initrd: string }>} Their paths.
 */
export async function guestImage(aptOptions = []) {
  requireGuests();
  const kernel = await debianKernel(aptOptions);
  const busybox = /** @type {string} */ (findTool("busybox"));
  const own = ["scripts/guest/image.mjs", ...filesBelow("scripts/guest/root", /./)];
  const print = fingerprint(own, [kernel.version, readFileSync(busybox).toString("base64")]);
  const folder = await cached(`initramfs-${print.slice(0, 16)}`, async (into) => {
    const files = join(into, "files");
    layOut(files, busybox, kernel);
    const pack = "find . | cpio --quiet -o -H newc -R 0:0 | gzip -1 >../initrd.gz";
    await runOrThrow("sh", ["-c", pack], { cwd: files });
    rmSync(files, { recursive: true });
  });
  return { kernel: kernel.vmlinuz, initrd: join(folder, "initrd.gz") };
}
