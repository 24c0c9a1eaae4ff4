/** Turns the ways in which a caller names a link into the one that the native side takes. */
import type { NativeReference } from "./addon.js";
import { argumentError, type Check, integer } from "./check.js";
import { existingLinkName } from "./name.js";

/** An interface index; the kernel's is an `int`. */
export const linkIndex: Check<number> = integer(1, 2 ** 31 - 1);

const expected = "a link's name, its index, or a link that an earlier call gave";

/**
 * A name, an index, or a held link: by its identity if flintap made it (the name is for errors
 * only), else by index and name.
 */
export const linkReference: Check<NativeReference> = (value, place) => {
  if (typeof value === "string") return { name: existingLinkName(value, place) };
  if (typeof value === "number") return { index: linkIndex(value, place) };
  if (typeof value !== "object" || value === null)
    throw argumentError("ERR_INVALID_ARG_TYPE", expected, place, value);
  // Own ones only, as with options.
  const own: Partial<Record<string, unknown>> = Object.assign(Object.create(null), value);
  const { identity, index, name, namespace } = own;
  const where = typeof namespace === "number" ? { namespace } : {};
  if (typeof identity === "string" && typeof name === "string")
    return {
      identity: existingLinkName(identity, place),
      name: existingLinkName(name, place),
      ...where,
    };
  if (typeof index !== "number" || typeof name !== "string")
    throw argumentError("ERR_INVALID_ARG_TYPE", expected, place, value);
  return { index: linkIndex(index, place), name: existingLinkName(name, place), ...where };
};
