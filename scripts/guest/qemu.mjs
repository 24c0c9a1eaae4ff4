// How QEMU is started for a guest. By emulation, wherever it runs: that there is a /dev/kvm does not say
// that a stock kernel comes up on it.

/** A guest triple-faults with 64 MB, and needs no more than this. */
const memory = "128";

/**
 * The arguments of `qemu-system-x86_64` for a guest. Its serial console is QEMU's standard input and
 * output, see console.mjs; QEMU ends when the guest reboots.
 *
 * The machine is `pc`: `microvm` comes up a fifth faster, but is told by the host how fast its clock
 * is, and hangs where that is wrong.
 *
 * @param {{ kernel: string, initrd: string }} image What `guestImage` gave.
 * @param {{ network: readonly string[], parameters?: readonly string[] }} options The arguments for its
 *   network devices, and parameters for its kernel, such as `network-config=`.
 * @returns {string[]}
 */
export function qemuArguments({ kernel, initrd }, { network, parameters = [] }) {
  const console = ["console=ttyS0", "quiet", "panic=-1", "reboot=t"];
  // On a machine that is busy, no tick may come for as long as a kernel waits for one, which then panics:
  // "IO-APIC + timer doesn't work!".
  const append = [...console, "no_timer_check", ...parameters];
  return [
    ...["-M", "pc", "-accel", "tcg", "-m", memory, "-smp", "1"],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio"],
    ...["-kernel", kernel, "-initrd", initrd, "-append", append.join(" ")],
    ...network,
  ];
}
