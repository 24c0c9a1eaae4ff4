// A guest without a network: QEMU, by TCG. KVM is not asked for, even where there is a /dev/kvm: not
// every one runs a kernel as Debian ships it.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { requireTool } from "../toolchain.mjs";

const qemu = "qemu-system-x86_64";

/** Throws MissingTool where no guest can be run. */
export function requireMachineTools() {
  requireTool(qemu, "qemu-system-x86");
  requireTool("setpriv", "util-linux");
}

const drive = ({ file, keep = false }) => [
  "-drive",
  `file=${file},format=raw,if=virtio,cache=unsafe,snapshot=${keep ? "off" : "on"}`,
];

/**
 * The kernel's command line. A panic ends the guest; a timer that ticks late, on a machine that is busy
 * otherwise, is none. Without random addresses and without what keeps the processor from being spied on,
 * TCG finds code again that it has translated for another process.
 */
const commandLine =
  "console=ttyS0 quiet panic=-1 oops=panic norandmaps mitigations=off no_timer_check";

/**
 * Runs a guest to its end; its console is written to `log`. After `deadline` milliseconds it is
 * killed, and it goes with this process, however that ends.
 *
 * @param {object} machine
 * @param {string} machine.vmlinuz
 * @param {string} machine.initramfs
 * @param {{ file: string, keep?: boolean }[]} machine.drives /dev/vda, /dev/vdb …, raw; what the
 *   guest writes is thrown away, unless it is to be kept.
 * @returns {Promise<string | undefined>} What kept it from ending by itself.
 */
export function runMachine({ vmlinuz, initramfs, drives, log, deadline }) {
  const args = [
    ...["--pdeathsig=KILL", "--", qemu],
    ...["-M", "pc", "-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "max"],
    ...["-smp", "2", "-m", "3072", "-nodefaults", "-no-user-config", "-no-reboot"],
    ...["-display", "none", "-serial", "stdio"],
    ...["-kernel", vmlinuz, "-initrd", initramfs, "-append", commandLine],
    ...drives.flatMap(drive),
  ];
  const output = openSync(log, "w");
  const child = spawn("setpriv", args, { stdio: ["ignore", output, output] });
  closeSync(output);
  return new Promise((resolve, reject) => {
    let obstacle;
    const timer = setTimeout(() => {
      obstacle = `killed: it had not ended after ${deadline / 1000} s`;
      child.kill("SIGKILL");
    }, deadline);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve(obstacle ?? (code === 0 ? undefined : `${qemu} ended with ${signal ?? code}`));
    });
  });
}
