// A command in a guest that has the kernel of a Debian release, and this checkout under the same path.
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { requireInitramfsTools } from "../guest/initramfs.mjs";
import { root } from "../toolchain.mjs";
import { checkoutImage, requireImageTools, systemImage } from "./images.mjs";
import { makeInitramfs } from "./initramfs.mjs";
import { requireMachineTools, runMachine } from "./machine.mjs";

/** Throws MissingTool where no guest can be had. */
export function requireGuestTools() {
  requireMachineTools();
  requireImageTools();
  requireInitramfsTools();
}

// The first are the disks'; the last lets strace see what a socket speaks.
const modules = [
  ...["virtio_pci", "virtio_blk"],
  ...["af_packet", "bridge", "macvlan", "macvtap", "tun", "veth", "ifb", "vxlan"],
  ...["sch_ingress", "cls_u32", "netlink_diag"],
];

const quoted = (word) => `'${word.replaceAll("'", "'\\''")}'`;

/** In the initramfs: the disks become the root. */
const mountScript = `
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount /dev/vda /root
mkdir -p /root${quoted(root)}
mount /dev/vdb /root${quoted(root)}
mount --bind /root/node_modules /root${quoted(join(root, "node_modules"))}
for folder in dev proc sys; do mount --move /$folder /root/$folder; done
exec switch_root /root /bin/sh ${quoted(join(root, "guest.sh"))}`;

const exported = ([name, value]) => `export ${name}=${quoted(value)}`;

/** In the root, as the first process: runs the command, hands the result out, and ends the machine. */
const guestScript = (command, env, result) => `
export PATH=${quoted(dirname(process.execPath))}:/usr/sbin:/usr/bin:/run/busybox HOME=/root NO_COLOR=1
mount -t tmpfs tmpfs /run
busybox mkdir -p /run/busybox /dev/shm /dev/pts
busybox --install -s /run/busybox
mount -t tmpfs tmpfs /dev/shm
mount -t devpts devpts /dev/pts
ln -s /proc/self/fd /dev/fd
ip link set lo up
ulimit -n 16384
cd ${quoted(root)}
${Object.entries(env).map(exported).join("\n")}
{ ${command.map(quoted).join(" ")}; echo $? >/run/code; } </dev/null 2>&1 | cat
cat /run/code ${quoted(result)} >/dev/vdc
sync
poweroff -f
`;

/** An empty disk that a guest can write a result to. */
function makeResultDisk(path) {
  const disk = openSync(path, "w");
  ftruncateSync(disk, 64 << 20);
  closeSync(disk);
}

/** What a guest has written: the exit code of its command, and the result. */
function readResultDisk(path) {
  const text = readFileSync(path, "latin1");
  const content = Buffer.from(text.slice(0, text.indexOf("\0")), "latin1").toString("utf8");
  const end = content.indexOf("\n");
  return { code: end < 0 ? 1 : Number(content.slice(0, end)), result: content.slice(end + 1) };
}

/**
 * Runs a command in a guest.
 *
 * @param {object} task
 * @param {{ version: string, vmlinuz: string, modules: string }} task.kernel
 * @param {string[]} task.command
 * @param {Record<string, string>} task.env For the command, beside PATH and HOME.
 * @param {string} task.result The file, in the guest, that is handed out.
 * @param {string} task.log Where the console's output goes.
 * @param {number} task.deadline In milliseconds, for all of the guest's life.
 * @returns {Promise<{ code: number, result: string, output: string }>} The output is the console's.
 */
export async function runInGuest({ kernel, command, env, result, log, deadline }) {
  const folder = mkdtempSync(join(tmpdir(), "flintap-guest-"));
  try {
    const disk = join(folder, "result");
    makeResultDisk(disk);
    const drives = [
      { file: await systemImage() },
      { file: await checkoutImage(join(folder, "checkout"), guestScript(command, env, result)) },
      { file: disk, keep: true },
    ];
    const initramfs = await makeInitramfs(kernel, modules, mountScript, folder);
    const trouble = await runMachine({ ...kernel, initramfs, drives, log, deadline });
    const output = [readFileSync(log, "utf8"), trouble && `The guest was ${trouble}`];
    return { ...readResultDisk(disk), output: output.filter(Boolean).join("\n") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
