/** Turns the ways in which a caller names a link into the one that the native side takes. */
import type { NativeReference } from "./addon.js";
import { argumentError, type Check, integer } from "./check.js";
import type { LinkBase } from "./link.js";
import { existingLinkName } from "./name.js";

/** An interface index; the kernel's is an `int`. */
export const linkIndex: Check<number> = integer(1, 2 ** 31 - 1);

const expected = "a link's name, its index, or a link that an earlier call gave";

/** What a link has under `key`. Own ones only, as with options. */
function ownField(link: object, key: keyof LinkBase): unknown {
  return Object.hasOwn(link, key) ? (link as Partial<LinkBase>)[key] : undefined;
}

/** What stands for bytes of a name that are no UTF-8: such a name is that of no link. */
const replacement = "\ufffd";

/**
 * A name, an index, or a held link: by its identity if flintap made it (the name is for errors
 * only), else by index and name. A held link's name is the kernel's, and whatever that took.
 */
export const linkReference: Check<NativeReference> = (value, place) => {
  if (typeof value === "string") return { name: existingLinkName(value, place) };
  if (typeof value === "number") return { index: linkIndex(value, place) };
  if (typeof value !== "object" || value === null)
    throw argumentError("ERR_INVALID_ARG_TYPE", expected, place, value);
  const identity = ownField(value, "identity");
  const index = ownField(value, "index");
  const name = ownField(value, "name");
  const isOurs = typeof identity === "string";
  if (typeof name !== "string" || (!isOurs && typeof index !== "number"))
    throw argumentError("ERR_INVALID_ARG_TYPE", expected, place, value);
  const reference: NativeReference = isOurs
    ? { identity: existingLinkName(identity, place), name }
    : { index: linkIndex(index, place) };
  if (!name.includes(replacement)) reference.name = name;
  const namespace = ownField(value, "namespace");
  if (typeof namespace === "number") reference.namespace = namespace;
  return reference;
};
