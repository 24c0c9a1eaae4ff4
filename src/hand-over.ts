/** Giving a device's queues to a child process. */
import { argumentError, arrayOf, type Check } from "./check.js";
import { DeviceQueue } from "./queue.js";

const openQueue: Check<DeviceQueue> = (value, place) => {
  if (!(value instanceof DeviceQueue))
    throw argumentError("ERR_INVALID_ARG_TYPE", "a DeviceQueue", place, value);
  if (value.fd < 0)
    throw argumentError("ERR_INVALID_ARG_VALUE", "a queue that is open", place, value);
  return value;
};

/**
 * Gives queues to a child process: calls `start` with their descriptors, which go behind the standard
 * streams in `spawn`'s `stdio`, and closes this process's copies when it has returned: by then, `spawn` has given the child its own.
 * What `start` gives comes when they are closed; a promise of it is waited for after that.
 *
 * ```ts
 * const child = await handOver(queues, (fds) =>
 *   spawn(vmm, args, { stdio: ["ignore", "inherit", "inherit", ...fds] }),
 * );
 * ```
 *
 * They are closed as well where `start` throws, or where the program could not be started, which the
 * child's `error` event tells later: a tap that goes with its queues is gone then.
 *
 * @throws {TypeError} One is no queue, or is closed already; then nothing was called.
 */
export async function handOver<Child>(
  queues: readonly DeviceQueue[],
  start: (fds: number[]) => Child,
): Promise<Awaited<Child>> {
  const given = arrayOf(openQueue)(queues, { call: "handOver", argument: "queues" });
  let child: Promise<Child>;
  try {
    child = Promise.resolve(start(given.map(({ fd }) => fd)));
    // It may reject before anybody waits for it.
    child.catch(() => {});
  } finally {
    await Promise.all(given.map((queue) => queue.close()));
  }
  return await child;
}
