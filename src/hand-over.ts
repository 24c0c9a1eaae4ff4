/** Descriptors for a child process, by their place in its `stdio`. */
import { argumentError, arrayOf } from "./check.js";
import { type Descriptor, descriptor, Loan } from "./descriptor.js";

const descriptorsToHandOver = arrayOf(descriptor);

/**
 * Hands descriptors to a child process, and closes them here: `start` is called with their numbers,
 * for the `stdio` of `spawn`, and gives whatever it likes, such as the child.
 *
 * ```ts
 * const vmm = await handOver(tap.queues, ([fd]) =>
 *   spawn("cloud-hypervisor", ["--net", "fd=3,mac=…"], { stdio: ["ignore", "inherit", "inherit", fd] }),
 * );
 * ```
 *
 * When `spawn` returns, the child has copies or never will (libuv waits for its exec), so the ones
 * here are closed as soon as `start` has returned, or what it gave has settled, and also when it
 * threw or `spawn` could not start the program. A tap that is not persistent is gone then, unless
 * the child has its queues. Only the numbers that stand in `stdio` reach the child; until they are
 * closed, other children don't get them either, since all are close-on-exec.
 *
 * `spawn` tells of a program that is not there by an `error` event in the next tick, before the
 * promise here settles: listen inside of `start`.
 *
 * @throws {TypeError} Rejects, before `start` is called, where a descriptor is closed already, is
 *   being sent or handed over, or is named twice; then all are as they were.
 */
export async function handOver<Result>(
  descriptors: readonly Descriptor[],
  start: (fds: number[]) => Result | Promise<Result>,
): Promise<Result> {
  const call = "handOver";
  const place = { call, argument: "descriptors" };
  const given = descriptorsToHandOver(descriptors, place);
  if (typeof start !== "function")
    throw argumentError("ERR_INVALID_ARG_TYPE", "a function", { call, argument: "start" }, start);
  const loan = new Loan(given, place);
  try {
    return await start(loan.fds);
  } finally {
    await loan.close();
  }
}
