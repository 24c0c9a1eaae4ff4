/** DHCP servers: dnsmasq, one an interface. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { within } from "./deadline.js";
import { type Place, stop } from "./place.js";

/** What a server gave, as its lease file has it. */
export interface Lease {
  mac: string;
  address: string;
}

/** A server, from its start until it is disposed of. */
export class DhcpServer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  #log = "";

  private constructor(place: Place, device: string, network: string) {
    this.#folder = mkdtempSync(join(tmpdir(), "flintap-dhcp-"));
    const command = [
      // A process that became another user would not end with its parent.
      ...[
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--user=root",
        "--group=root",
        "--port=0",
      ],
      ...["--pid-file=", "--log-facility=-", `--dhcp-leasefile=${this.#leaseFile}`],
      ...[`--interface=${device}`, "--bind-dynamic", "--except-interface=lo"],
      ...[`--dhcp-range=${network}.10,${network}.99,255.255.255.0`],
      ...["--dhcp-authoritative", "--no-ping", "--no-hosts", "--no-resolv"],
    ];
    this.#child = place.start(command, ["ignore", "ignore", "pipe"]);
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log += text;
    });
  }

  /** Starts one on a device, with addresses of a network such as `10.1.0`; it listens. */
  static async start(place: Place, device: string, network: string): Promise<DhcpServer> {
    const server = new DhcpServer(place, device, network);
    await server.says(/DHCP, IP range/);
    return server;
  }

  get #leaseFile(): string {
    return join(this.#folder, "leases");
  }

  /** What it has logged. */
  get log(): string {
    return this.#log;
  }

  /** Waits until its log has a line, for so many seconds. */
  async says(line: RegExp, seconds = 20): Promise<void> {
    const said = new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (line.test(this.#log)) resolve();
      };
      this.#child.stderr?.on("data", look);
      this.#child.once("error", reject);
      this.#child.once("exit", () => reject(new Error(`dnsmasq has ended:\n${this.#log}`)));
      look();
    });
    await within(seconds, `${line} in dnsmasq's log`, said, () => this.#log);
  }

  /** Waits until it has given a MAC an address, so many times in all; gives the address. */
  async gives(mac: string, times = 1): Promise<string> {
    const acknowledged = `DHCPACK\\(\\S+\\) (\\S+) ${mac}`;
    await this.says(new RegExp(Array(times).fill(acknowledged).join("[^]*")), 120);
    // The log is ahead of the file.
    return [...this.#log.matchAll(new RegExp(acknowledged, "g"))].at(-1)?.[1] ?? "";
  }

  /** The leases that there are. */
  get leases(): Lease[] {
    const lines = readFileSync(this.#leaseFile, "utf8").trim().split("\n");
    return lines.flatMap((line) => {
      const [, mac, address] = line.split(" ");
      return mac === undefined || address === undefined ? [] : [{ mac, address }];
    });
  }

  /** The address that a MAC has. */
  addressOf(mac: string): string | undefined {
    return this.leases.find((lease) => lease.mac === mac)?.address;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#child);
    rmSync(this.#folder, { recursive: true });
  }
}
