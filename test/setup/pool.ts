/**
 * The vitest pool of the kernel and fault tests: every test file runs in a process of its own, in
 * namespaces of its own (see namespace.ts).
 *
 * Vitest's forks pool can't start its worker through another program, hence this one. It stands
 * on two things vitest does not promise: that `workers/forks.js` in its dist folder is the entry
 * of a forked worker, and that such a worker speaks over Node's IPC with advanced serialization.
 * That is why package.json pins vitest to one exact version. When raising it, compare `start`
 * and `stop` with vitest's ForksPoolWorker.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import type { PoolOptions, PoolWorker, WorkerRequest } from "vitest/node";
import { unshare, unshareArguments } from "./namespace.js";

class NamespaceWorker implements PoolWorker {
  readonly name = "network-namespace";
  readonly cacheFs = true;
  readonly #options: PoolOptions;
  #child: ChildProcess | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get #process(): ChildProcess {
    if (this.#child === undefined) throw new Error("The worker has not been started");
    return this.#child;
  }

  async start(): Promise<void> {
    const { distPath, env, execArgv } = this.#options;
    // unshare and sh end in exec, so the child is the Node process itself, with the IPC channel.
    this.#child = fork(join(distPath, "workers/forks.js"), [], {
      execPath: unshare,
      execArgv: [...unshareArguments, process.execPath, ...execArgv],
      // By it, worker.ts knows that it is elsewhere.
      env: { ...env, FLINTAP_HOST_NAMESPACE: readlinkSync("/proc/self/ns/net") },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
    });
  }

  /** The worker exits by itself on SIGTERM (see worker.ts), so that leaks are looked for. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    const last = setTimeout(() => child.kill("SIGKILL"), 20_000);
    child.kill("SIGTERM");
    await exit;
    clearTimeout(last);
  }

  on(event: string, callback: (argument: unknown) => void): void {
    this.#process.on(event, callback);
  }

  off(event: string, callback: (argument: unknown) => void): void {
    this.#process.off(event, callback);
  }

  send(message: WorkerRequest): void {
    this.#process.send(message);
  }

  deserialize(data: unknown): unknown {
    return data;
  }
}

/** For `pool` of a vitest project. */
export const networkNamespacePool = {
  name: "network-namespace",
  createPoolWorker: (options: PoolOptions): PoolWorker => new NamespaceWorker(options),
};
