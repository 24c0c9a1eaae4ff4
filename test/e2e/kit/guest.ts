/** A real guest: Debian's kernel in QEMU, on devices that flintap has made. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  type CommandResult,
  GuestConsole,
  type GuestInterface,
} from "../../../scripts/guest/console.mjs";
import { guestImage } from "../../../scripts/guest/image.mjs";
import { qemuArguments } from "../../../scripts/guest/qemu.mjs";
import {
  networkConfig,
  networkConfigParameter,
  type ProvisionedInterface,
} from "../../../src/flintlock/index.js";
import { within } from "./deadline.js";
import { startOnDevices } from "./on-devices.js";
import { host, pings, stop } from "./place.js";

/** How many seconds a boot may take; on an idle machine it takes three. */
const patience = 120;

/** A guest, from its boot until it is disposed of. */
export class Guest implements AsyncDisposable {
  readonly name: string;
  readonly #qemu: ChildProcess;
  readonly #console: GuestConsole;

  private constructor(name: string, qemu: ChildProcess) {
    const { stdin, stdout, stderr } = qemu;
    if (stdin === null || stdout === null || stderr === null) throw new Error("QEMU has no pipes");
    this.name = name;
    this.#qemu = qemu;
    this.#console = new GuestConsole(stdin, stdout);
    stderr.setEncoding("utf8").on("data", (text: string) => this.#console.note(text));
  }

  /**
   * Boots one, and waits until it has its addresses.
   *
   * @param devices What it has.
   * @param told Those of them that its network config names. Default: all.
   */
  static async boot(
    name: string,
    devices: readonly ProvisionedInterface[],
    told: readonly ProvisionedInterface[] = devices,
  ): Promise<Guest> {
    const image = await guestImage();
    const parameters = [networkConfigParameter(networkConfig(told))];
    const qemu = await startOnDevices(devices, (network, descriptors) => {
      const command = ["qemu-system-x86_64", ...qemuArguments(image, { network, parameters })];
      return host.start(command, ["pipe", "pipe", "pipe", ...descriptors]);
    });
    const guest = new Guest(name, qemu);
    try {
      await guest.#within(patience, "its boot", guest.#console.ready);
    } catch (error) {
      await guest.kill();
      throw error;
    }
    return guest;
  }

  /** Whether its VMM runs. */
  get isRunning(): boolean {
    return this.#qemu.exitCode === null && this.#qemu.signalCode === null;
  }

  /** Runs a command in it. */
  async try(command: string, seconds = 60): Promise<CommandResult> {
    return await this.#within(seconds, `'${command}'`, this.#console.run(command));
  }

  /** Runs a command in it that has to succeed; gives what it prints. */
  async run(command: string, seconds?: number): Promise<string> {
    const { code, output } = await this.try(command, seconds);
    if (code !== 0) throw new Error(`${this.name}: '${command}' exited with ${code}:\n${output}`);
    return output;
  }

  /** What it has of an interface now. */
  async interface(deviceId: string): Promise<GuestInterface> {
    return JSON.parse(await this.run(`interface ${deviceId}`));
  }

  /** The address it has on an interface, without its prefix length. */
  async address(deviceId: string): Promise<string> {
    return (await this.interface(deviceId)).address.replace(/\/.*/, "");
  }

  /** Whether an address answers, asked up to so many times. */
  async reaches(address: string, tries = 5): Promise<boolean> {
    return (await this.try(pings(address, tries))).code === 0;
  }

  /** Shuts it down from within; its VMM ends by itself. */
  async powerOff(): Promise<void> {
    const exit = once(this.#qemu, "exit");
    this.#console.run("reboot -f").catch(() => {}); // nobody is left to answer
    await this.#within(30, "its end", exit);
  }

  /** Kills its VMM. */
  async kill(): Promise<void> {
    await stop(this.#qemu, "SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #within<Value>(seconds: number, what: string, promise: Promise<Value>): Promise<Value> {
    return within(seconds, `${this.name}: ${what}`, promise, () => this.#console.log);
  }
}
