// A microVM of the daemon: its devices and its QEMU.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { handOver } from "flintap";
import {
  microvmName,
  networkConfig,
  networkConfigParameter,
  provision,
  qemuNetwork,
  release,
} from "flintap/flintlock";

/** Milliseconds that QEMU may take to end before it is killed. */
const patience = 5_000;

/**
 * What all guests have in common. `append` is the kernel's command line, `machine` more arguments for
 * QEMU, `logs` a folder for the serial consoles.
 *
 * @typedef {{ kernel: string, initrd: string, append: string, machine: string[], logs?: string }} Machine
 * @typedef {import("flintap/flintlock").HostConfig} Config
 * @typedef {import("flintap").NetworkNamespace} Namespace
 * @typedef {Machine & { config: Config, namespace: Namespace, tell(event: object): void }} Host
 */

export class Guest {
  #microvm;
  #host;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #child;
  /** @type {Set<string | undefined>} The identities of its devices. */
  #devices = new Set();

  /** @param {import("flintap/flintlock").Microvm} microvm @param {Host} host */
  constructor(microvm, host) {
    this.#microvm = microvm;
    this.#host = host;
  }

  get name() {
    return microvmName(this.#microvm);
  }

  /** Starts it, and waits until it has ended. @param {AbortSignal} signal Ends it. */
  async run(signal) {
    const { config, namespace, tell } = this.#host;
    const { interfaces } = await provision(this.#microvm, {
      ...{ config, namespace, signal },
      for: "qemu",
    });
    this.#devices = new Set(interfaces.map(({ link }) => link.identity));
    const status = interfaces.map(({ deviceId, link, guestMac, action }) => {
      return { interface: deviceId, device: link.name, guestMac, action };
    });
    tell({ event: "devices", microvm: this.name, devices: status });
    const { pid, exited } = await this.#start(interfaces);
    tell({ event: "started", microvm: this.name, pid });
    const stop = () => this.#stop();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const [code, killedBy] = await exited;
    signal.removeEventListener("abort", stop);
    tell({ event: "ended", microvm: this.name, code, killedBy });
  }

  /** A device has gone: a guest that has lost its own is ended. @param {import("flintap").Link} link */
  lose({ identity }) {
    if (this.#devices.has(identity)) this.#stop();
  }

  async release() {
    const { namespace, tell } = this.#host;
    const devices = await release(this.#microvm, { namespace });
    tell({ event: "released", microvm: this.name, devices });
  }

  /** @param {import("flintap/flintlock").ProvisionedInterface[]} interfaces */
  async #start(interfaces) {
    const { kernel, initrd, append, machine, logs } = this.#host;
    const { args, queues } = qemuNetwork(interfaces);
    const parameter = networkConfigParameter(networkConfig(interfaces));
    const qemu = [
      ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio"],
      ...["-kernel", kernel, "-initrd", initrd, "-append", `${append} ${parameter}`],
      ...[...args, ...machine],
    ];
    return await handOver(queues, (fds) => {
      // A guest does not outlive the daemon: the next one could not tell that it is still there.
      const command = ["--pdeathsig", "KILL", "qemu-system-x86_64", ...qemu];
      const child = spawn("setpriv", command, { stdio: ["ignore", "pipe", "inherit", ...fds] });
      this.#child = child;
      const log = logs && createWriteStream(join(logs, `${this.name.replace("/", ".")}.log`));
      if (log) child.stdout?.pipe(log);
      else child.stdout?.resume();
      // Listened for before anything is waited for; where QEMU cannot be started, it rejects.
      const exited = once(child, "exit");
      exited.catch(() => {});
      return { pid: child.pid, exited };
    });
  }

  #stop() {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), patience).unref();
  }
}
