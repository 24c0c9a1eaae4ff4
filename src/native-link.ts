/** Links as they come from the native side, made what the caller gets. */
import type { LinkBase, LinkStatistics } from "./link.js";
import { parseTag, type Tag } from "./tag.js";

/** Counters are 64 bits wide, which JSON's numbers are not: they come as texts. */
function takeCounters(statistics: LinkStatistics): void {
  const counters = statistics as unknown as Record<string, bigint | string>;
  for (const [name, counter] of Object.entries(counters)) counters[name] = BigInt(counter);
}

/** What links mostly have in common. */
type Common = Partial<Record<"broadcastMac" | "owner" | "bootId", string>>;

/** As the last link had it. */
const common: Common = {};

function share(holder: Common, key: keyof Common): void {
  const text = holder[key];
  if (text === undefined) return;
  const known = common[key];
  if (text === known) holder[key] = known;
  else common[key] = text;
}

/**
 * Makes equal texts one: a list of thousands of links has a fifth less to keep then, and V8's collector,
 * which the event loop waits for, as much less to copy.
 */
function shareTexts(link: LinkBase, tag: Tag | undefined): void {
  const { altNames, identity, mac } = link;
  if (identity !== undefined && altNames?.[0] === identity) link.identity = altNames[0];
  share(link, "broadcastMac");
  if (tag === undefined) return;
  if (mac !== undefined && tag.guestMac === mac) tag.guestMac = mac;
  share(tag, "owner");
  share(tag, "bootId");
}

/** Fills in what JSON does not say, in place: counters and the tag. */
export function completeLink(link: LinkBase): void {
  if (link.statistics !== undefined) takeCounters(link.statistics);
  const tag = parseTag(link.alias);
  if (tag !== undefined) link.tag = tag;
  shareTexts(link, tag);
}

/** The same link, as one of its kind. */
export function linkOf<Kind extends LinkBase>(link: LinkBase | undefined): Kind {
  if (link === undefined) throw new Error("The addon gave fewer links than the operation has.");
  return link as Kind;
}
