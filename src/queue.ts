/**
 * The file descriptors of devices, as objects that close them exactly once.
 *
 * The last close of a tap waits for the kernel to take the device down, so the descriptor is
 * closed on a native thread, never here.
 */

import type { WarningCode } from "./codes.js";
import type { TapLink } from "./link.js";

/** Closes a descriptor on a native thread. */
export type CloseFd = (fd: number) => Promise<void>;

interface Unclosed {
  fd: number;
  device: string;
  closeFd: CloseFd;
}

function warnOf(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}

const collected = new FinalizationRegistry(({ fd, device, closeFd }: Unclosed) => {
  process.emitWarning(`A queue of ${device} was collected without being closed; closing it now.`, {
    type: "FlintapWarning",
    code: "FLINTAP_QUEUE_NOT_CLOSED" satisfies WarningCode,
    detail:
      "Call close() once the VMM has the descriptor, or declare the queue with 'await using'.",
  });
  closeFd(fd).catch(warnOf);
});

/**
 * One open queue of a tap or macvtap. Its `fd` is close-on-exec and goes to a child process by its
 * place in `spawn`'s `stdio`; after that, close it here.
 *
 * Collected without being closed, it is closed with a process warning
 * (`FLINTAP_QUEUE_NOT_CLOSED`).
 */
export class DeviceQueue implements Disposable, AsyncDisposable {
  #fd: number;
  #closeFd: CloseFd;
  #closing?: Promise<void>;

  /** @internal */
  constructor(fd: number, device: string, closeFd: CloseFd) {
    this.#fd = fd;
    this.#closeFd = closeFd;
    collected.register(this, { fd, device, closeFd }, this);
  }

  /** The file descriptor; -1 once `close` was called. */
  get fd(): number {
    return this.#fd;
  }

  /**
   * Closes the descriptor; again and again is the same as once. When the last queue of a tap that
   * is not persistent was closed, the kernel has removed the tap.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** One that fails leaves the queue as it was, to be closed again. */
  async #close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = -1;
    try {
      await this.#closeFd(fd);
      collected.unregister(this);
    } catch (error) {
      this.#fd = fd;
      this.#closing = undefined;
      throw error;
    }
  }

  /** Starts closing; a failure of it is a process warning. */
  [Symbol.dispose](): void {
    this.close().catch(warnOf);
  }

  /** Closes and waits for it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * A tap that is not persistent: the kernel removes it when the last descriptor of its queues is
 * closed, here and in every process that was given one.
 */
export interface EphemeralTap extends TapLink, Disposable, AsyncDisposable {
  /** The queues, as many as were asked for. */
  queues: DeviceQueue[];
  /** Closes all queues. */
  close(): Promise<void>;
}

/** Joins a tap and its queues. */
export function ephemeralTap(link: TapLink, queues: DeviceQueue[]): EphemeralTap {
  const close = async (): Promise<void> => {
    await Promise.all(queues.map((queue) => queue.close()));
  };
  return Object.assign(link, {
    queues,
    close,
    [Symbol.dispose]: () => {
      for (const queue of queues) queue[Symbol.dispose]();
    },
    [Symbol.asyncDispose]: close,
  });
}
