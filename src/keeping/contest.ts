/**
 * Whether somebody else writes what is repaired, and how long to leave it to them. Pure: the time is
 * given, in milliseconds of one clock.
 */

/** Milliseconds until a second repair in a row, and at most between two. */
const [firstPause, longestPause] = [250, 60_000];

/** Milliseconds that a repair has to last for the next one not to be in a row with it. */
const leastCalm = 5_000;

/** So many repairs in a row that did not last are no accident. */
const disputedFrom = 3;

/** Milliseconds to wait when something has failed so many times in a row. */
export function pauseAfter(times: number): number {
  return times === 0 ? 0 : Math.min(firstPause * 2 ** (times - 1), longestPause);
}

function calmAfter(times: number): number {
  return Math.max(leastCalm, 4 * pauseAfter(times));
}

interface Round {
  /** How often in a row a repair has not lasted. */
  times: number;
  /** When it was last written, by others or by a repair. */
  at: number;
}

/** What has been written and repaired of one device, by fields. */
export class Contest {
  readonly #rounds = new Map<string, Round>();

  /** Others have written these fields. */
  written(fields: readonly string[], now: number): void {
    for (const field of fields) {
      const { times, at } = this.#rounds.get(field) ?? { times: -1, at: now };
      const isInARow = now - at < calmAfter(Math.max(0, times));
      this.#rounds.set(field, { times: isInARow ? times + 1 : 0, at: now });
    }
  }

  /** These fields have been repaired. */
  repaired(fields: readonly string[], now: number): void {
    for (const field of fields) this.#rounds.set(field, { times: this.#timesOf(field), at: now });
  }

  /** Milliseconds to wait before these are repaired. */
  pause(fields: readonly string[]): number {
    return pauseAfter(Math.max(0, ...fields.map((field) => this.#timesOf(field))));
  }

  /** Those of the fields that somebody else writes again and again. */
  disputed(fields: readonly string[]): string[] {
    return fields.filter((field) => this.#timesOf(field) >= disputedFrom);
  }

  /** When the disputed fields will have lasted for long enough; Infinity where none is. */
  get over(): number {
    const ends = this.#disputes().map(([, { times, at }]) => at + calmAfter(times));
    return ends.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...ends);
  }

  /** The disputed fields, once they have all lasted; then they are so no more. */
  won(now: number): string[] {
    if (now < this.over) return [];
    const fields = this.#disputes().map(([field]) => field);
    for (const field of fields) this.#rounds.delete(field);
    return fields;
  }

  #timesOf(field: string): number {
    return this.#rounds.get(field)?.times ?? 0;
  }

  #disputes(): [string, Round][] {
    return [...this.#rounds].filter(([, { times }]) => times >= disputedFrom);
  }
}
