/** What becomes of an operation whose caller's AbortSignal fires. */
import { errorOf, FlintapError } from "./error.js";

/**
 * Waits for an operation, or for its end before it began. `cancel` gives it up, and says whether it
 * had not begun.
 */
export async function untilAborted<Result>(
  signal: AbortSignal,
  settled: Promise<Result>,
  cancel: () => boolean,
): Promise<Result> {
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      if (cancel()) reject(signal.reason);
    };
  });
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([settled, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * What to throw for a failure of the native side: for an operation that was given up and left
 * nothing behind, the signal's reason.
 */
export function failureOf(thrown: unknown, operation: string, signal?: AbortSignal): unknown {
  const cause = signal?.aborted ? { cause: signal.reason } : undefined;
  const error = errorOf(thrown, operation, cause);
  if (!(error instanceof FlintapError) || error.reason !== "aborted") return error;
  return error.leftBehind === undefined && signal?.aborted ? signal.reason : error;
}
