/**
 * One call at a time for a microVM of an owner, in the order in which they were made: a release that is
 * called behind a provision must not overtake it, nor one that is given up delete what another has
 * adopted. Over all handles of this thread, since two can be on the same namespace.
 */
import type { NetworkNamespace } from "../network-namespace.js";

const turns = new Map<string, Promise<void>>();

/** Runs `work` when the calls for the same microVM have settled. */
export async function inTurn<Result>(
  { owner }: NetworkNamespace,
  microvm: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const key = JSON.stringify([owner, microvm]);
  const before = turns.get(key);
  let end = (): void => {};
  const turn = new Promise<void>((resolve) => {
    end = resolve;
  });
  turns.set(key, turn);
  await before;
  try {
    return await work();
  } finally {
    end();
    if (turns.get(key) === turn) turns.delete(key);
  }
}
