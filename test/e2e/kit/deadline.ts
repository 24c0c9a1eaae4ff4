/** Waiting that ends: what did not come in time says what it was, and how far things had got. */

/**
 * Gives what `promise` gives, or rejects after so many seconds.
 *
 * @param evidence What there is to read for somebody who wants to know why.
 */
export async function within<Value>(
  seconds: number,
  awaited: string,
  promise: Promise<Value>,
  evidence: () => string,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Waited ${seconds} s for ${awaited}. Until then:\n${evidence()}`));
    }, seconds * 1000);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
