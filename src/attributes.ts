/**
 * Reads netlink attributes that flintap itself has no name for. A link keeps them as the kernel sent
 * them.
 */
import { endianness } from "node:os";

/** An attribute without a name here. */
export interface UnknownAttribute {
  /** The attribute's number in its enumeration, such as `IFLA_*`. */
  type: number;
  /** Its payload, in the machine's byte order. Nested attributes can be read by `readAttributes`. */
  data: Uint8Array;
}

const headerLength = 4;
/** `NLA_TYPE_MASK`: without the flags for "nested" and "in network byte order". */
const typeMask = 0x3fff;
const isLittleEndian = endianness() === "LE";

/**
 * Splits a sequence of netlink attributes: a link's `unknown`, or the payload of a nested one. What
 * follows the last whole attribute is left out.
 */
export function readAttributes(attributesOrBase64: Uint8Array | string): UnknownAttribute[] {
  const bytes =
    typeof attributesOrBase64 === "string"
      ? new Uint8Array(Buffer.from(attributesOrBase64, "base64"))
      : attributesOrBase64;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes: UnknownAttribute[] = [];
  let at = 0;
  while (at + headerLength <= bytes.length) {
    const length = view.getUint16(at, isLittleEndian);
    if (length < headerLength || at + length > bytes.length) break;
    const type = view.getUint16(at + 2, isLittleEndian) & typeMask;
    attributes.push({ type, data: bytes.subarray(at + headerLength, at + length) });
    at += Math.ceil(length / 4) * 4;
  }
  return attributes;
}
