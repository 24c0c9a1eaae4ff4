/**
 * The namespaces of a test, as places where programs are started: the test's own, which is the host of
 * the guests, and others beside it. What is started ends with the test's process, however that ends.
 */
import { type ChildProcess, execFile, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import type { IpAddress } from "../../setup/iproute2.js";
import type { OtherNamespace } from "../../setup/other-namespace.js";
import { within } from "./deadline.js";

const execute = promisify(execFile);

/** What has been started and may run still. */
const running = new Set<ChildProcess>();

/** The command that ends with its parent. */
const tied = ["setpriv", "--pdeathsig", "KILL", "--"];

/** A neighbour as `ip -json neighbour show` prints it. */
interface Neighbour {
  dst: string;
  lladdr?: string;
}

/** The words for a shell that ask an address for an answer, up to so many times, two seconds each. */
export function pings(address: string, tries: number): string {
  return Array(tries).fill(`busybox ping -c 1 -W 2 ${address}`).join(" || ");
}

/** A namespace. */
export class Place {
  readonly #enter: readonly string[];

  /** The test's own namespace, or another one. */
  constructor(namespace?: OtherNamespace) {
    this.#enter = namespace === undefined ? [] : ["nsenter", `--net=/proc/${namespace.pid}/ns/net`];
  }

  /** Starts a program that runs on. */
  start(command: readonly string[], stdio: StdioOptions): ChildProcess {
    const [program, ...rest] = [...this.#enter, ...tied, ...command];
    const child = spawn(program as string, rest, { stdio });
    running.add(child);
    child.once("exit", () => running.delete(child));
    return child;
  }

  /** Runs a program to its end; gives what it prints, or rejects. */
  async run(...command: string[]): Promise<string> {
    const [program, ...rest] = [...this.#enter, ...command];
    const { stdout } = await execute(program as string, rest);
    return stdout;
  }

  /** Runs `ip` with a command that is split at white space. */
  async ip(command: string): Promise<string> {
    return await this.run("ip", ...command.split(" "));
  }

  /** Whether an address answers, asked up to so many times. */
  async reaches(address: string, tries = 5): Promise<boolean> {
    try {
      await this.run("busybox", "sh", "-c", pings(address, tries));
      return true;
    } catch {
      return false;
    }
  }

  /** The MAC that is known of an address, if one is. */
  async neighbour(address: string): Promise<string | undefined> {
    const found: Neighbour[] = JSON.parse(
      (await this.ip(`-json neighbour show ${address}`)) || "[]",
    );
    return found[0]?.lladdr;
  }

  /** The addresses on a device. */
  async addresses(device: string): Promise<string[]> {
    const found: { addr_info?: IpAddress[] }[] = JSON.parse(
      await this.ip(`-json address show dev ${device}`),
    );
    return found.flatMap(({ addr_info = [] }) => addr_info.map(({ local }) => local));
  }
}

/** The test's own. */
export const host = new Place();

/** Ends a program and waits until it has. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill(signal);
  await within(20, `the end of ${child.spawnfile}`, exit, () => `pid ${child.pid}`).catch(
    async (error: unknown) => {
      child.kill("SIGKILL");
      await exit;
      throw error;
    },
  );
}

/** Ends whatever runs still. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((child) => stop(child, "SIGKILL")));
}

/** The programs that run still. */
export function stillRunning(): string[] {
  return [...running].map(({ spawnargs }) => spawnargs.join(" "));
}
