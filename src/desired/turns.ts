/**
 * One call at a time for a microVM of an owner, in the order in which they were made: a release that is
 * called behind a provision must not overtake it, nor one that is given up delete what another has
 * adopted. Over all handles of this thread, since two can be on the same namespace; and, where that is
 * needed, over all processes, by a name in the network namespace that the kernel gives to one socket at
 * a time, and frees when its process ends.
 */
import { createHash } from "node:crypto";
import { pauseFor } from "../cancellation.js";
import { FlintapError } from "../error.js";
import { operationsOf } from "../network-namespace.js";
import type { Looking } from "./looking.js";

/** Whose turn it is to be. */
export interface Turn extends Looking {
  microvm: string;
  /** Wait for other processes, too. */
  ofAllProcesses: boolean;
}

const turns = new Map<string, Promise<void>>();

const keyOf = (owner: string, microvm: string): string => JSON.stringify([owner, microvm]);

/** The name that is a process's while it is its turn. */
export function turnName(owner: string, microvm: string): string {
  const digest = createHash("sha256").update(keyOf(owner, microvm)).digest("hex");
  return `flintap-${digest.slice(0, 32)}`;
}

/** Runs `work` when the calls for the same microVM have settled. */
export async function inTurn<Result>(turn: Turn, work: () => Promise<Result>): Promise<Result> {
  const key = keyOf(turn.namespace.owner, turn.microvm);
  const before = turns.get(key);
  let end = (): void => {};
  const own = new Promise<void>((resolve) => {
    end = resolve;
  });
  turns.set(key, own);
  await before;
  try {
    return turn.ofAllProcesses ? await behindOthers(turn, work) : await work();
  } finally {
    end();
    if (turns.get(key) === own) turns.delete(key);
  }
}

/** Milliseconds that others may take. */
const patience = 30_000;

async function behindOthers<Result>(
  { namespace, signal, microvm }: Turn,
  work: () => Promise<Result>,
): Promise<Result> {
  const operations = operationsOf(namespace);
  const name = turnName(namespace.owner, microvm);
  const since = performance.now();
  const claim = async (): Promise<number> => {
    for (let pause = 1; ; pause = Math.min(2 * pause, 64)) {
      try {
        const { fds } = await operations.run("claimName", { name }, signal);
        return fds[0] as number;
      } catch (error) {
        const isBusy = error instanceof FlintapError && error.reason === "microvm-busy";
        if (!isBusy || performance.now() - since > patience) throw error;
      }
      await pauseFor(pause, signal);
    }
  };
  const claimed = await claim();
  try {
    return await work();
  } finally {
    await operations.closeFd(claimed, name);
  }
}
