// A microVM of the daemon: its devices and its QEMU.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { formatReport, handOver } from "flintap";
import * as flintlock from "flintap/flintlock";

/** Arguments for setpriv: what comes after them ends with this process, were it gone already, too. */
const tied = ["--pdeathsig", "KILL", "sh", "-c", '[ $PPID = "$0" ] && exec "$@"', `${process.pid}`];

/**
 * What all guests have in common: `append` is the kernel's command line, `machine` more for QEMU.
 *
 * @typedef {{ kernel: string, initrd: string, append: string, machine: string[], logs?: string }} Machine
 * @typedef {{ config: flintlock.HostConfig, namespace: import("flintap").NetworkNamespace }} Network
 * @typedef {{ keeper: import("flintap").StateKeeper }} Keeping
 * @typedef {{ tell(told: { event: string, error?: any, [more: string]: unknown }): void }} Teller
 * @typedef {Machine & Network & Keeping & Teller} Host
 */

export class Guest {
  #microvm;
  #host;
  #isProvisioned = false;
  #devices = new Set(); // the identities of those that it has been given
  #hasLost = false; // one of them has gone
  #look = () => {}; // ends QEMU where it has to end

  /** @param {flintlock.Microvm} microvm @param {Host} host */
  constructor(microvm, host) {
    this.#microvm = microvm;
    this.#host = host;
    this.name = flintlock.microvmName(microvm);
  }

  /** Starts it, and waits until it has ended. @param {AbortSignal} signal Ends it. */
  async run(signal) {
    const { config, namespace, keeper, tell } = this.#host;
    const options = { config, namespace, signal };
    const { interfaces } = await flintlock.provision(this.#microvm, { ...options, for: "qemu" });
    this.#isProvisioned = true;
    this.#devices = new Set(interfaces.map(({ link }) => link.identity));
    this.#hasLost = false;
    try {
      keeper.keep(flintlock.desiredDevices(this.#microvm, config, { for: "qemu" }));
      const devices = interfaces.map(({ deviceId, link, guestMac, action }) => {
        return { interface: deviceId, device: link.name, guestMac, action };
      });
      tell({ event: "devices", microvm: this.name, devices });
      const { child, exited } = await this.#start(interfaces);
      tell({ event: "started", microvm: this.name, pid: child.pid });
      this.#look = () => {
        if (child.killed || !(this.#hasLost || signal.aborted)) return;
        child.kill("SIGTERM");
        setTimeout(() => child.kill("SIGKILL"), 5_000).unref();
      };
      signal.addEventListener("abort", this.#look);
      this.#look(); // for what has happened until now
      const [code, killedBy] = await exited;
      tell({ event: "ended", microvm: this.name, code, killedBy });
    } finally {
      signal.removeEventListener("abort", this.#look);
      await keeper.forget({ microvm: this.name }); // its taps go with it, and that is no loss
      // Whatever went wrong on the way: an open queue would be in the way of the next try.
      await Promise.all(interfaces.flatMap(({ queues = [] }) => queues.map((one) => one.close())));
    }
  }

  /** Hears what becomes of its devices. @param {import("flintap").KeeperReport} told */
  hear(told) {
    const { tell } = this.#host;
    const { type: event, device, link } = told;
    const error = told.type === "failed" ? told.error : undefined;
    tell({ event, microvm: this.name, text: formatReport(told), error });
    // A descriptor says nothing when its device is gone: the guest is given a new one by starting it
    // again. One that was gone before it was looked at has no link to know it by.
    const isLost = event === "guest-lost" && this.#devices.has(link?.identity);
    if (!isLost && !(event === "drift" && link === undefined)) return;
    const { name, tag } = device ?? {};
    tell({ event: "device gone", microvm: this.name, interface: tag?.interface, device: name });
    this.#hasLost = true;
    this.#look();
  }

  /** Takes its devices back; were it never given any, they would be those of somebody else's guest. */
  async release() {
    const { namespace, tell } = this.#host;
    if (!this.#isProvisioned) return;
    const devices = await flintlock.release(this.#microvm, { namespace });
    tell({ event: "released", microvm: this.name, devices });
  }

  /** @param {flintlock.ProvisionedInterface[]} interfaces */
  async #start(interfaces) {
    const { kernel, initrd, append, machine, logs, tell } = this.#host;
    const { args, queues } = flintlock.qemuNetwork(interfaces);
    const config = flintlock.networkConfigParameter(flintlock.networkConfig(interfaces));
    // A guest does not outlive the daemon: the next one could not tell that it is still there.
    const command = [
      ...[...tied, "qemu-system-x86_64", "-kernel", kernel, "-initrd", initrd],
      ...["-append", `${append} ${config}`, "-serial", "stdio", "-no-reboot", "-display", "none"],
      ...["-nodefaults", "-no-user-config", ...args, ...machine],
    ];
    // QEMU writes it, and goes on where the disk is full; it runs without where there can be none.
    const path = logs ? join(logs, `${this.name.replaceAll("/", ".")}.log`) : "/dev/null";
    const log = await open(path, "a").catch((error) => void tell({ event: "no log", path, error }));
    const output = log?.fd ?? "ignore";
    const started = handOver(queues, async (fds) => {
      const child = spawn("setpriv", command, { stdio: ["ignore", output, "inherit", ...fds] });
      await once(child, "spawn"); // rejects where it cannot be started
      return { child, exited: once(child, "exit") };
    });
    return await started.finally(() => log?.close());
  }
}
