/** The queues of devices, as objects that close them exactly once. */
import { type CloseFd, Descriptor } from "./descriptor.js";
import type { TapLink } from "./link.js";

/**
 * One open queue of a tap or macvtap. Its `fd` is close-on-exec and goes to a child process by its
 * place in `spawn`'s `stdio` ({@link handOver}), or to any process by a socket ({@link FdSocket}).
 *
 * Collected without being closed, it is closed with a process warning
 * (`FLINTAP_QUEUE_NOT_CLOSED`).
 */
export class DeviceQueue extends Descriptor {
  /** @internal */
  constructor(fd: number, device: string, closeFd: CloseFd) {
    super(fd, { what: `A queue of ${device}`, code: "FLINTAP_QUEUE_NOT_CLOSED" }, closeFd);
  }
}

/** Closes them all, and waits for it. */
export async function closeQueues(queues: readonly DeviceQueue[]): Promise<void> {
  await Promise.all(queues.map((queue) => queue.close()));
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
  const close = (): Promise<void> => closeQueues(queues);
  return Object.assign(link, {
    queues,
    close,
    [Symbol.dispose]: () => {
      for (const queue of queues) queue[Symbol.dispose]();
    },
    [Symbol.asyncDispose]: close,
  });
}
