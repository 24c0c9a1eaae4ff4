/**
 * Which of an owner's devices are garbage: what nobody names, has been there for long enough and says
 * itself whose it is. Pure: what is known of the time comes with the question.
 */
import type { Link } from "../link.js";
import { type Tag, type TagSet, tagMark } from "../tag.js";

/** Why a device was left alone that may be the owner's. */
export interface UnclearLink {
  /** The device. */
  link: Link;
  /**
   * - `"no-tag"`: it has flintap's mark among its alt names, and no alias: anybody's of those who make
   *   devices with flintap.
   * - `"broken-tag"`: the same with an alias that is no tag, or one without the mark that was to be one.
   * - `"no-identity"`: it has the owner's tag and lost the alt name by which a delete addresses it, so
   *   that it might be another that is deleted.
   */
  why: "no-tag" | "broken-tag" | "no-identity";
}

/** When it is looked how old devices are. */
export interface Moment {
  /** By the clock that tags are written by. */
  now: Date;
  /** Milliseconds since the machine was started, whatever became of the clock. */
  sinceBoot: number;
  /** Of which boot, where that is known. */
  bootId?: string;
}

/** What decides. */
export interface Sorting {
  /** Whose devices it is about. */
  owner: string;
  /** What is to stay. */
  keep: TagSet;
  /** Milliseconds that a device has to be old. */
  minAge: number;
  /** Now. */
  moment: Moment;
}

/** The devices it is about, by what is to become of them. */
export interface Sorted {
  garbage: Link[];
  young: Link[];
  kept: Link[];
  unclear: UnclearLink[];
}

/** Sorts links; what is neither the owner's nor unclear, or for nobody, is in no list. */
export function sortOut(links: readonly Link[], sorting: Sorting): Sorted {
  const sorted: Sorted = { garbage: [], young: [], kept: [], unclear: [] };
  for (const link of links) {
    const { tag } = link;
    if (tag === undefined) {
      const why = link.alias === undefined ? "no-tag" : "broken-tag";
      if (isMarked(link)) sorted.unclear.push({ link, why });
    } else if (tag.owner === sorting.owner && isForSomebody(tag))
      sortOwned(link, tag, sorting, sorted);
  }
  return sorted;
}

/** Whether flintap has made a link, as far as that can be seen. */
export function isMarked({ identity, alias }: Link): boolean {
  return identity !== undefined || alias?.startsWith(tagMark) === true;
}

function isForSomebody({ microvm, interface: name }: Tag): boolean {
  return microvm !== undefined || name !== undefined;
}

function sortOwned(link: Link, tag: Tag, { keep, minAge, moment }: Sorting, sorted: Sorted): void {
  if (keep.matches(tag)) sorted.kept.push(link);
  else if (isYoung(tag, moment, minAge)) sorted.young.push(link);
  else if (link.identity === undefined) sorted.unclear.push({ link, why: "no-identity" });
  else sorted.garbage.push(link);
}

/**
 * Whether a device may be younger than so many milliseconds. What was made during another boot is not:
 * whoever made it is gone. Else it is no older than the boot, however far the clock was set forward; and
 * one from the future is young.
 */
export function isYoung({ createdAt, bootId }: Tag, moment: Moment, minAge: number): boolean {
  if (minAge === 0 || isOfAnotherBoot(bootId, moment)) return false;
  // The tag has whole seconds: it may have been made at the end of that one.
  const age = moment.now.getTime() - (createdAt.getTime() + 1_000);
  return Math.min(age, moment.sinceBoot) < minAge;
}

/** A boot id that was cut off is none. */
function isOfAnotherBoot(bootId: string | undefined, moment: Moment): boolean {
  if (bootId === undefined || moment.bootId === undefined) return false;
  return !moment.bootId.startsWith(bootId);
}
