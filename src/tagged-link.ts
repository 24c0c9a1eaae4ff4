/** Links as the native side gives them, with their tags read. */
import type { LinkBase } from "./link.js";
import { parseTag } from "./tag.js";

/** The same object, as a link of its kind. */
export function tagged<Kind extends LinkBase>(link: LinkBase | undefined): Kind {
  if (link === undefined) throw new Error("The addon gave fewer links than the operation has.");
  const tag = parseTag(link.alias);
  if (tag !== undefined) link.tag = tag;
  return link as Kind;
}
