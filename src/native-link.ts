/** Links as they come from the native side, made what the caller gets. */
import type { LinkBase, LinkStatistics } from "./link.js";
import { parseTag } from "./tag.js";

/** Counters are 64 bits wide, which JSON's numbers are not: they come as texts. */
function takeCounters(statistics: LinkStatistics): void {
  const counters = statistics as unknown as Record<string, bigint | string>;
  for (const [name, counter] of Object.entries(counters)) counters[name] = BigInt(counter);
}

/** Fills in what JSON does not say, in place: counters and the tag. */
export function completeLink(link: LinkBase): void {
  if (link.statistics !== undefined) takeCounters(link.statistics);
  const tag = parseTag(link.alias);
  if (tag !== undefined) link.tag = tag;
}

/** The same link, as one of its kind. */
export function linkOf<Kind extends LinkBase>(link: LinkBase | undefined): Kind {
  if (link === undefined) throw new Error("The addon gave fewer links than the operation has.");
  return link as Kind;
}
