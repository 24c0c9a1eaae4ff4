/**
 * One call at a time for a microVM, in the order in which they were made: a release that is called
 * behind a provision must not overtake it, nor one that is given up delete what another has adopted.
 */
import type { NetworkNamespace } from "../network-namespace.js";

const turns = new WeakMap<NetworkNamespace, Map<string, Promise<void>>>();

/** Runs `work` when the calls for the same microVM on the same handle have settled. */
export async function inTurn<Result>(
  namespace: NetworkNamespace,
  microvm: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const ofHandle = turns.get(namespace) ?? new Map<string, Promise<void>>();
  turns.set(namespace, ofHandle);
  const before = ofHandle.get(microvm);
  let end = (): void => {};
  const turn = new Promise<void>((resolve) => {
    end = resolve;
  });
  ofHandle.set(microvm, turn);
  await before;
  try {
    return await work();
  } finally {
    end();
    if (ofHandle.get(microvm) === turn) ofHandle.delete(microvm);
  }
}
