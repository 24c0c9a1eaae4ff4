/**
 * What of a link is not as it is wanted, and which of that can be changed while a guest uses it. Pure.
 *
 * Can be: where it is attached and how, its sizes, up, its names and tag, the host's IPv6; and a MAC
 * that somebody has rewritten. Cannot be: what would cut the guest off, or what the kernel fixes when
 * it makes the device.
 */
import { tapOwner } from "../create-requests.js";
import type { HostIPv6, Link } from "../link.js";
import { portSettings } from "../shared-options.js";
import { type TagParts, tagMatches } from "../tag.js";
import { type DesiredDevice, type DesiredTap, derivedNames, derivedOf, placeOf } from "./device.js";

/** A value that is compared. */
export type Value = string | number | boolean | undefined;

/** One thing that is not as it is wanted. */
export interface Difference {
  /** The option's name in a {@link DesiredDevice}; `altNames`, and parts of the tag, besides. */
  field: string;
  /** What it is; absent: nothing. */
  from?: Value;
  /** What it is to be; absent: nothing. */
  to?: Value;
  /** It can be changed while a guest uses the device. */
  repairable: boolean;
}

/** Who the links are that a device hangs on. */
export interface Places {
  /** The name of the link with an index; the name that was asked for, where it is that one. */
  nameOf(index: number | undefined): string | undefined;
}

/** All that is not as it is wanted. */
export function differences(
  device: DesiredDevice,
  link: Link,
  owner: string,
  places: Places,
): Difference[] {
  const found = link.kind === "tun" ? link.details.type : link.kind;
  if (found !== device.kind) return [fixed("kind", found, device.kind)].flat();
  return [
    ...placement(device, link, places),
    ...hardware(device, link),
    ...naming(device, link, owner),
    ...tagging(device, link, owner),
    ...state(device, link),
  ];
}

function compare(field: string, from: Value, to: Value, repairable: boolean): Difference[] {
  return from === to ? [] : [{ field, from, to, repairable }];
}

const fixed = (field: string, from: Value, to: Value) => compare(field, from, to, false);
const live = (field: string, from: Value, to: Value) => compare(field, from, to, true);

/** As {@link live}, of what is named only. */
const liveIf = (field: string, from: Value, to: Value) =>
  to === undefined ? [] : live(field, from, to);

function placement(device: DesiredDevice, link: Link, places: Places): Difference[] {
  if (device.kind === "macvtap") return fixed("parent", parentOf(link, places), device.parent);
  const { bridge } = device;
  return [
    ...live("bridge", places.nameOf(link.master), bridge),
    ...(bridge === undefined ? [] : portOf(device, link)),
  ];
}

/** Where the parent is elsewhere, its index is one of over there. */
function parentOf({ parent, parentNamespace }: Link, places: Places): string | undefined {
  return parentNamespace === undefined
    ? places.nameOf(parent)
    : `${parent} in namespace ${parentNamespace}`;
}

function portOf(device: DesiredTap, { port }: Link): Difference[] {
  return portSettings.flatMap((setting) => liveIf(setting, port?.[setting], device[setting]));
}

/** What a device has from its beginning. */
function hardware(device: DesiredDevice, link: Link): Difference[] {
  if (device.kind === "macvtap" && link.kind === "macvtap") {
    const to = device.mac ?? link.tag?.guestMac;
    // The guest uses the one that the tag has: another on the device is somebody's rewriting.
    const rewritten = link.tag?.guestMac === to;
    const mac = to === undefined ? [] : compare("mac", link.mac, to, rewritten);
    return [...fixed("mode", link.details.mode, device.mode ?? "bridge"), ...mac];
  }
  if (device.kind !== "tap" || link.kind !== "tun") return [];
  const { persistent, multiQueue, uid, gid } = link.details;
  const opener = tapOwner(device);
  return [
    ...fixed("persist", persistent ?? false, true),
    ...fixed("multiQueue", multiQueue ?? false, device.multiQueue ?? false),
    ...fixed("uid", uid, opener.uid),
    ...fixed("gid", gid, opener.gid),
    ...liveIf("mac", link.mac, device.mac),
  ];
}

function naming(device: DesiredDevice, link: Link, owner: string): Difference[] {
  const names = [device.name, ...(device.otherNames ?? [])];
  return [
    ...(names.includes(link.name) ? [] : live("name", link.name, device.name)),
    ...live("altNames", wordsOf(derivedOf(link)), wordsOf(derivedNames(owner, device))),
  ];
}

/** Names in one order and one text: none of them has white space. */
function wordsOf(names: readonly string[]): string {
  return [...names].sort().join(" ");
}

function tagging(device: DesiredDevice, link: Link, owner: string): Difference[] {
  const { tag } = link;
  if (tag?.owner !== owner) return live("tag.owner", tag?.owner, owner);
  const wanted = Object.entries(device.tag) as [keyof TagParts, string | undefined][];
  return wanted.flatMap(([part, to]) =>
    tagMatches(tag, { [part]: to }) ? [] : live(`tag.${part}`, tag[part], to),
  );
}

function state(device: DesiredDevice, link: Link): Difference[] {
  return [
    ...liveIf("mtu", link.mtu, device.mtu),
    ...liveIf("txQueueLength", link.txQueueLength, device.txQueueLength),
    ...live("up", link.up, device.up ?? true),
    ...hostIPv6(link, device.hostIPv6 ?? "closed"),
  ];
}

/** A link without IPv6 is closed; one that is more closed than wanted is left so. */
function hostIPv6({ ipv6 }: Link, to: HostIPv6): Difference[] {
  const from = ipv6?.state ?? "closed";
  return to === "open" || from === "closed" ? [] : live("hostIPv6", from, to);
}

/** What a device hangs on, in a few words. */
export function describeDevice(device: DesiredDevice): string {
  const place = placeOf(device);
  return place === undefined ? device.kind : `${device.kind} on ${place}`;
}
