/** Hardware addresses: reading, writing, choosing. */
import { hash } from "node:crypto";
import { argumentError, type Check, string } from "./check.js";
import { randomDigits } from "./random.js";

/**
 * Whom an address is for: a guest (a macvtap's device has its guest's), or the host's end of a
 * guest's tap.
 */
export type MacRole = "guest" | "tap";

const spelling = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}$/i;

/** The six bytes of `02:00:00:00:00:01` or `02-00-00-00-00-01`, in either case. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!spelling.test(text)) return undefined;
  return Uint8Array.from(text.split(/[:-]/), (byte) => Number.parseInt(byte, 16));
}

/** The one spelling of a MAC, by which two can be compared; other text is left as it is. */
export function canonicalMac(mac: string): string {
  return spelling.test(mac) ? mac.toLowerCase().replaceAll("-", ":") : mac;
}

/** The first of the six bytes. */
function firstByte(digits: string): number {
  return Number.parseInt(digits.slice(0, 2), 16);
}

/** An address that a device may have, normalised: unicast, and not zero. */
export const unicastMac: Check<string> = (value, place) => {
  const given = string(value, place);
  if (!spelling.test(given)) {
    const expected = "a hardware address such as '02:00:00:00:00:01'";
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, value);
  }
  const mac = canonicalMac(given);
  if ((firstByte(mac) & 1) === 1 || mac === "00:00:00:00:00:00") {
    const expected = "a unicast hardware address that is not zero";
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, value);
  }
  return mac;
};

/**
 * Makes the digits of six bytes a locally administered unicast address.
 *
 * A bridge whose own address was not set takes the lowest of its ports'. A tap's begins with
 * `fe`, the highest first byte there is, so that it does not change such a bridge's address.
 */
function localMac(digits: string, role: MacRole): string {
  const first = role === "tap" ? 0xfe : (firstByte(digits) & 0xfc) | 0x02;
  let mac = first.toString(16).padStart(2, "0");
  for (let at = 2; at < 12; at += 2) mac += `:${digits.slice(at, at + 2)}`;
  return mac;
}

/** A random, locally administered address. */
export function randomMac(role: MacRole = "guest"): string {
  return localMac(randomDigits(12), role);
}

/**
 * The address that a machine gives a device every time: from SHA-256 over the machine's id, a key
 * such as a microVM's interface, and the role.
 */
export function stableMac(machineId: string, key: string, role: MacRole): string {
  return localMac(hash("sha256", JSON.stringify(["mac", machineId, key, role])), role);
}

/**
 * The address of a tap's guest for which nobody has chosen one: the tap's own, with the first byte
 * of a guest's address (`02`) for that of a tap's (`fe`). As stable as the tap's.
 */
export function guestMacBeside(tapMac: string): string {
  return tapMac.replace(/^fe/, "02");
}

/**
 * The address of the host's end of a tap whose guest has the one that the tap would have: no guest may
 * share it, since a bridge would keep the guest's frames for the host.
 */
export function tapMacBeside(guestMac: string): string {
  return guestMac.replace(/^fe/, "fa");
}
