/**
 * What of a link is not as it is wanted, and which of that can be changed while a guest uses it. Pure.
 *
 * Can be: where it is attached and how, its sizes, up, its names and tag, the host's IPv6; and a MAC
 * that somebody has rewritten. Cannot be: what would cut the guest off, or what the kernel fixes when
 * it makes the device.
 */
import { tapOwner } from "../create-requests.js";
import type { HostIPv6, Link } from "../link.js";
import { pick, portSettings } from "../shared-options.js";
import { type TagParts, tagMatches } from "../tag.js";
import { tapShape } from "../vmm.js";
import {
  type DesiredDevice,
  type DesiredMacvtap,
  type DesiredTap,
  derivedNames,
  derivedOf,
  placeOf,
} from "./device.js";

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

/** What a link is compared with. */
export interface Wanted {
  device: DesiredDevice;
  owner: string;
  /** The index of the link that the device is to be on; absent: none. */
  place: number | undefined;
  /** The name that it is to have, if it has none of its own. */
  name: string;
  /** The name of the link with an index. */
  nameOf(index: number): string | undefined;
}

/** All that is not as it is wanted. */
export function differences(wanted: Wanted, link: Link): Difference[] {
  const { device } = wanted;
  const found = link.kind === "tun" ? link.details.type : link.kind;
  if (found !== device.kind) return fixed("kind", found, device.kind);
  return [
    ...placement(wanted, link),
    ...(device.kind === "macvtap" ? macvtapHardware(device, link) : tapHardware(device, link)),
    ...naming(wanted, link),
    ...tagging(wanted, link),
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

function placement({ device, place, nameOf }: Wanted, link: Link): Difference[] {
  const { master, parent, parentNamespace } = link;
  const named = (index: number | undefined) => index && (nameOf(index) ?? `index ${index}`);
  if (device.kind === "macvtap") {
    if (parentNamespace === undefined && parent === place) return [];
    const where = parentNamespace === undefined ? "" : ` in namespace ${parentNamespace}`;
    const from = parent === undefined ? undefined : `${named(parent)}${where}`;
    return [{ field: "parent", from, to: device.parent, repairable: false }];
  }
  const on = master === place ? [] : [bridgeOf(named(master), device)];
  return [...on, ...(place === undefined ? [] : portOf(device, link))];
}

function bridgeOf(from: Value, { bridge: to }: DesiredTap): Difference {
  return { field: "bridge", from, to, repairable: true };
}

function portOf(device: DesiredTap, { port }: Link): Difference[] {
  return portSettings.flatMap((setting) => liveIf(setting, port?.[setting], device[setting]));
}

/** What a macvtap has from its beginning. */
function macvtapHardware(device: DesiredMacvtap, link: Link): Difference[] {
  if (link.kind !== "macvtap") return [];
  const { mode, sourceMacs } = link.details;
  const sources = device.sourceMacs && wordsOf(device.sourceMacs.map((mac) => mac.toLowerCase()));
  // The guest uses the one that the tag has: another on the device is somebody's rewriting.
  const rewritten = link.tag?.guestMac === device.mac;
  return [
    ...fixed("mode", mode, device.mode ?? "bridge"),
    ...(sources === undefined ? [] : fixed("sourceMacs", wordsOf(sourceMacs ?? []), sources)),
    ...(device.mac === undefined ? [] : compare("mac", link.mac, device.mac, rewritten)),
  ];
}

/**
 * What a tap has from its beginning. That its frames have a virtio-net header is not part of it: who
 * opens it by name says so; who is handed its queues cannot.
 */
function tapHardware(device: DesiredTap, link: Link): Difference[] {
  if (link.kind !== "tun") return [];
  const { persistent, multiQueue, vnetHeader, uid, gid } = link.details;
  const shape = tapShape(device);
  const named = Object.values(pick(device, ["uid", "gid", "anyUser"])).length > 0;
  const opener = tapOwner(device);
  return [
    ...fixed("persist", persistent ?? false, shape.persist),
    ...fixed("multiQueue", multiQueue ?? false, shape.multiQueue),
    ...(shape.persist ? [] : fixed("vnetHeader", vnetHeader ?? false, shape.vnetHeader)),
    ...(named ? fixed("uid", uid, opener.uid) : []),
    ...(named ? fixed("gid", gid, opener.gid) : []),
    ...liveIf("mac", link.mac, device.mac),
  ];
}

function naming({ device, owner, place, name }: Wanted, link: Link): Difference[] {
  const names = [device.name, ...(device.otherNames ?? [])];
  return [
    ...(names.includes(link.name) ? [] : live("name", link.name, name)),
    ...live("altNames", wordsOf(derivedOf(link)), wordsOf(derivedNames(owner, device, place))),
  ];
}

/** Words in one order and one text. */
function wordsOf(words: readonly string[]): string {
  return [...words].sort().join(" ");
}

function tagging({ device, owner }: Wanted, { tag }: Link): Difference[] {
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
    ...hostIPv6(device, link),
  ];
}

/** Below this MTU a link has no IPv6. */
const leastMtuOfIPv6 = 1_280;

/** A link without IPv6 is closed; one that is more closed than wanted is left so. */
function hostIPv6({ hostIPv6: to = "closed", mtu }: DesiredDevice, { ipv6 }: Link): Difference[] {
  const from: HostIPv6 = ipv6?.state ?? "closed";
  const goes = mtu !== undefined && mtu < leastMtuOfIPv6;
  return to === "open" || from === "closed" || goes ? [] : live("hostIPv6", from, to);
}

/** What a device hangs on, in a few words. */
export function describeDevice(device: DesiredDevice): string {
  const place = placeOf(device);
  return place === undefined ? device.kind : `${device.kind} on ${place}`;
}
