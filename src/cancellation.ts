/** What becomes of an operation whose caller's AbortSignal fires, and waiting for that. */
import { setTimeout } from "node:timers/promises";
import { errorOf, FlintapError } from "./error.js";

interface Waiting {
  callbacks: Set<() => void>;
  fire: () => void;
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

function listenTo(signal: AbortSignal): Waiting {
  const callbacks = new Set<() => void>();
  const fire = (): void => {
    for (const callback of callbacks) callback();
  };
  signal.addEventListener("abort", fire, { once: true });
  return { callbacks, fire };
}

/**
 * Calls back when a signal fires; gives what ends that. A signal has one listener, however many
 * wait for it: Node.js takes more than ten for a leak, and warns.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const waiting = waitingFor.get(signal) ?? listenTo(signal);
  waitingFor.set(signal, waiting);
  const { callbacks, fire } = waiting;
  callbacks.add(callback);
  return () => {
    if (!callbacks.delete(callback) || callbacks.size > 0) return;
    signal.removeEventListener("abort", fire);
    waitingFor.delete(signal);
  };
}

/**
 * Waits for an operation, or for its end before it began. `cancel` gives it up, and says whether it
 * had not begun.
 */
export async function untilAborted<Result>(
  signal: AbortSignal,
  settled: Promise<Result>,
  cancel: () => boolean,
): Promise<Result> {
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = onAbort(signal, () => {
      if (cancel()) reject(signal.reason);
    });
  });
  try {
    return await Promise.race([settled, aborted]);
  } finally {
    stop();
  }
}

/**
 * What to throw for a failure of the native side: for an operation that was given up and left
 * nothing behind, the signal's reason.
 */
export function failureOf(thrown: unknown, operation: string, signal?: AbortSignal): unknown {
  if (signal?.aborted && thrown === signal.reason) return thrown;
  const cause = signal?.aborted ? { cause: signal.reason } : undefined;
  const error = errorOf(thrown, operation, cause);
  if (!(error instanceof FlintapError) || error.reason !== "aborted") return error;
  return error.leftBehind === undefined && signal?.aborted ? signal.reason : error;
}

/** Waits so many milliseconds; rejects with the signal's reason when it fires. */
export async function pauseFor(
  milliseconds: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
