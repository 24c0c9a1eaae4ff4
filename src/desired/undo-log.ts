/**
 * What has been done so far, and how to take it back: all of a plan is applied, or as good as nothing.
 */
import { FlintapError } from "../error.js";
import type { LinkBase } from "../link.js";

interface Entry {
  /** The link as it is since then, for the case that it can't be taken back. */
  link: LinkBase;
  undo: () => Promise<void>;
}

/** A log of what was done. */
export class UndoLog {
  readonly #entries: Entry[] = [];

  /** Notes what was done, when it has been done; `link` as it is then. */
  add(link: LinkBase, undo: () => Promise<void>): void {
    this.#entries.push({ link, undo });
  }

  /** Takes everything back, the last first. Gives the links for which that failed. */
  async undo(): Promise<string[]> {
    const left: string[] = [];
    for (const { link, undo } of this.#entries.splice(0).reverse()) {
      try {
        await undo();
      } catch {
        left.push(labelOf(link));
      }
    }
    return left;
  }
}

/** A link, as `leftBehind` names it. */
export function labelOf({ name, index }: LinkBase): string {
  return `link ${name} (index ${index})`;
}

/** Waits for all; throws the first failure, in their order. What the others left goes into it. */
export async function allOrFirst<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  const failures = results.flatMap((one): unknown[] =>
    one.status === "rejected" ? [one.reason] : [],
  );
  if (failures.length > 0) throw withLeft(failures, []);
  return results.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}

/**
 * The first of several failures, which says what is left behind by it and by the others; with the
 * stack of who calls this.
 */
export function withLeft(failures: readonly unknown[], left: readonly string[]): unknown {
  const [first] = failures;
  const known = failures.flatMap((failure) =>
    failure instanceof FlintapError ? (failure.leftBehind ?? []) : [],
  );
  const all = [...new Set([...known, ...left])];
  const leftBehind = all.length === 0 ? {} : { leftBehind: all };
  if (first instanceof FlintapError) return FlintapError.again(first, leftBehind);
  if (all.length === 0) return first;
  const aborted = { errno: 0, reason: "aborted", operation: "apply", step: "finish" } as const;
  return new FlintapError({ ...aborted, ...leftBehind }, { cause: first });
}
