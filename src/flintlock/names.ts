/**
 * What is derived from a microVM's name, so that a restarted daemon comes to the same again: its
 * devices' names and tags. Pure.
 */
import { createHash } from "node:crypto";
import { filledName, namePrefixes } from "../name.js";
import type { TagParts } from "../tag.js";
import type { Microvm, MicrovmInterface } from "./microvm.js";

/** A microVM's name in one word: `namespace/id`, or `namespace/id/uid`. */
export function microvmName({ namespace, id, uid }: Omit<Microvm, "interfaces">): string {
  return uid === undefined ? `${namespace}/${id}` : `${namespace}/${id}/${uid}`;
}

/**
 * The name of an interface's device on the host: `flvtap` or `fltap`, filled up to 15 bytes with
 * hexadecimal digits of the SHA-256 of the microVM's namespace, id, uid and the device id.
 */
export function hostDeviceName(
  { namespace, id, uid = "" }: Omit<Microvm, "interfaces">,
  { deviceId, type }: MicrovmInterface,
): string {
  const key = JSON.stringify([namespace, id, uid, deviceId]);
  return filledName(namePrefixes[type], createHash("sha256").update(key).digest("hex"));
}

/** What the tag of an interface's device says. */
export function tagOf(microvm: Omit<Microvm, "interfaces">, entry: MicrovmInterface): TagParts {
  return { microvm: microvmName(microvm), interface: entry.deviceId };
}

/**
 * The MAC of a tap's guest for which the spec has none: the tap's own, with the first byte of a
 * guest's address (`02`) for that of a tap's (`fe`). As stable as the tap's, and found again from
 * the tap alone.
 */
export function guestMacOfTap(deviceMac: string): string {
  return deviceMac.replace(/^fe/, "02");
}

/**
 * The address of the host's end of a tap whose guest has this one, where it must be said: what is
 * derived begins with `fe`, and could be that of a guest whose own does.
 */
export function tapMacBeside(guestMac: string): string | undefined {
  return /^fe/i.test(guestMac) ? guestMac.replace(/^fe/i, "fa") : undefined;
}
