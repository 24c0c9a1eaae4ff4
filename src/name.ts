/** Link names: which the kernel takes, and the ones the library makes up. */
import { argumentError, type Check, string } from "./check.js";
import { randomDigits } from "./random.js";

/** The bytes a name has room for (`IFNAMSIZ` without its end). */
export const nameBytes = 15;

/** The bytes an alt name has room for (`ALTIFNAMSIZ` without its end). */
const altNameBytes = 127;

/** How the names that the library makes up begin. */
export const namePrefixes = {
  macvtap: "flvtap",
  tap: "fltap",
  bridge: "flbr",
  veth: "flveth",
} as const;

/** A kind of link that the library makes. */
export type MadeKind = keyof typeof namePrefixes;

/**
 * White space as the kernel's `dev_valid_name` sees it: byte by byte, by a Latin-1 table, in
 * which 0xa0 counts although it is an ordinary part of a UTF-8 sequence.
 */
const latin1NoBreakSpace = 0xa0;

/** Names as most are, in which nothing is wrong but perhaps their length. */
const plainName = /^\w[\w.@-]*$/;

/** What is wrong with a name, in words; undefined for a good one. */
function fault(name: string, most: number): string | undefined {
  if (name.length <= most && plainName.test(name)) return undefined;
  const bytes = Buffer.from(name);
  if (bytes.length === 0 || bytes.length > most)
    return `a name of 1 to ${most} bytes, and not of ${bytes.length},`;
  if (name === "." || name === "..") return "another name than '.' or '..'";
  if (/[/:]/.test(name)) return "a name without '/' and ':'";
  if (/[\s\p{Cc}\p{Cs}]/u.test(name) || bytes.includes(latin1NoBreakSpace))
    return "a name without white space, control characters and broken UTF-16";
  return undefined;
}

function checked(value: unknown, place: Parameters<Check<string>>[1], most: number): string {
  const name = string(value, place);
  const expected = fault(name, most);
  if (expected !== undefined) throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, value);
  return name;
}

/** What /proc/sys/net calls folders that are no link's: the kernel refuses these names. */
const reservedNames = ["all", "default"];

/** A name for a new link. */
export const newLinkName: Check<string> = (value, place) => {
  const name = checked(value, place, nameBytes);
  if (reservedNames.includes(name)) {
    const expected = `another name than ${reservedNames.join(" or ")}`;
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, value);
  }
  if (name.includes("%")) {
    const expected = "a name without '%', which the kernel would replace by a number";
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, value);
  }
  return name;
};

/** A name or alt name that a link may have already. */
export const existingLinkName: Check<string> = (value, place) =>
  checked(value, place, altNameBytes);

/** A prefix filled up with hexadecimal digits to the bytes a name has room for. */
export function filledName(prefix: string, digits: string): string {
  return (prefix + digits).slice(0, nameBytes);
}

/** A random name for a new link. */
export function randomName(kind: MadeKind): string {
  const prefix = namePrefixes[kind];
  return filledName(prefix, randomDigits(nameBytes - prefix.length));
}

/** An alt name that is not one of flintap's own marks. */
export const altName: Check<string> = (value, place) => {
  const name = existingLinkName(value, place);
  if (!name.startsWith("flintap-")) return name;
  const expected = "another alt name than flintap's own mark ('flintap-…')";
  throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, value);
};
