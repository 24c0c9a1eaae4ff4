/**
 * What is wanted: guests' devices, described as they are to be. Which device of the kernel is the one
 * that is meant does not depend on its name, which can be changed or be taken: it is known by an alt
 * name that follows from whose it is and what for. The kernel lets no two links of a namespace have
 * it, so that two processes which want the same device cannot both make it.
 */
import { hash } from "node:crypto";
import { argumentError, arrayOf, oneOf, type Place, string } from "../check.js";
import { createMacvtapRequest, createTapRequest } from "../create-requests.js";
import type { LinkBase } from "../link.js";
import { canonicalMac } from "../mac.js";
import { existingLinkName, newLinkName } from "../name.js";
import type {
  CreateMacvtapOptions,
  CreateTapOptions,
  PortOptions,
  TapOptions,
} from "../options.js";
import { purposeOf, type TagParts } from "../tag.js";

/** What every device that is wanted has. */
export interface DesiredDeviceBase {
  /** Its name. Other than in a create, there is no default. */
  name: string;
  /** Names to take instead where a link that is not meant has `name`, the first that is free. */
  otherNames?: string[];
  /** What the device is for: with the owner, that tells which device is meant. */
  tag: TagParts & {
    /** The guest's interface, unique in its microVM; or unique for the owner, without a microVM. */
    interface: string;
  };
}

/** The options of a create that are not those of a device that is wanted, or stand there by themselves. */
export type ChosenHere = "name" | "otherNames" | "tag" | "altNames" | "index" | "signal";

/** A macvtap that is wanted, with the options of `createMacvtap`. */
export interface DesiredMacvtap extends DesiredDeviceBase, Omit<CreateMacvtapOptions, ChosenHere> {
  /** Tells the devices apart. */
  kind: "macvtap";
  /** The name of the link that it stands on. */
  parent: string;
}

/** What a tap that is wanted may take instead of its bridge; without a bridge there is nothing. */
export type BridgeChoice =
  | {
      /** The bridge by name. */
      bridge: string;
      /**
       * Bridges to take instead where `bridge` is full, in order. The one that was taken stands in the
       * tag, and the device stays on it as long as it is one of these: whatever is added, and in
       * whichever order they are. Default: none, and the tag says of the bridge what `tag` says.
       */
      otherBridges?: string[];
    }
  | {
      /** No bridge. */
      bridge?: undefined;
      /** No bridge. */
      otherBridges?: undefined;
    };

/**
 * A tap that is wanted, with the options of `createTap`; its bridge by name. One that is not persistent
 * is there as long as somebody has a queue of it; the queues of one that is made come with it.
 */
export type DesiredTap = DesiredDeviceBase &
  Omit<TapOptions, ChosenHere> &
  PortOptions<string> &
  BridgeChoice & {
    /** Tells the devices apart. */
    kind: "tap";
  };

/** A device that is wanted. What is not named is chosen when it is made, and not compared later. */
export type DesiredDevice = DesiredMacvtap | DesiredTap;

/** The name of the link below: a macvtap's parent, a tap's bridge. */
export function placeOf(device: DesiredDevice): string | undefined {
  return device.kind === "macvtap" ? device.parent : device.bridge;
}

/** How the alt name begins by which a device is known. */
const keyPrefix = "flvm-";

/** How the alt names begin that are given here. */
const derivedNamePrefixes = [keyPrefix, "flold-", "flmac-"];

/** Those alt names of a link that were given here; others are not looked at. */
export function derivedOf({ altNames }: LinkBase): string[] {
  return altNames.filter((name) => derivedNamePrefixes.some((prefix) => name.startsWith(prefix)));
}

/** Whether a link has the alt name by which a device is known. */
export function isKnown({ altNames }: LinkBase): boolean {
  return altNames.some((name) => name.startsWith(keyPrefix));
}

/** By the tag: who plans thousands of devices asks for each of them again and again. */
const keyNames = new WeakMap<object, { key: string; name: string }>();

/** The alt name by which a device is known. */
export function keyName(owner: string, { tag }: Pick<DesiredDevice, "tag">): string {
  const key = JSON.stringify([owner, tag.microvm ?? null, tag.interface]);
  const known = keyNames.get(tag);
  if (known?.key === key) return known.name;
  const name = keyPrefix + hash("sha256", key, "hex").slice(0, 32);
  keyNames.set(tag, { key, name });
  return name;
}

/** The alt name of a device that was set aside, to be replaced by the one that is wanted. */
export function asideName(owner: string, device: Pick<DesiredDevice, "tag">): string {
  return `flold-${keyName(owner, device).slice(keyPrefix.length)}`;
}

/**
 * The alt name by which no two guests on a bridge, or on a parent, have the same MAC: a tap does not
 * have its guest's, so that the kernel would not notice. The place goes by its index, which stays when
 * it is renamed.
 */
export function macName({ tag }: DesiredDevice, place: number | undefined): string | undefined {
  if (place === undefined || tag.guestMac === undefined) return undefined;
  return `flmac-${place}-${tag.guestMac.replaceAll(":", "")}`;
}

/** The alt names that a device is to have on a place. */
export function derivedNames(
  owner: string,
  device: DesiredDevice,
  place: number | undefined,
): string[] {
  const mac = macName(device, place);
  return [keyName(owner, device), ...(mac === undefined ? [] : [mac])];
}

/** What `createMacvtap` takes of a device that is wanted. */
export function macvtapOptions(device: DesiredMacvtap): CreateMacvtapOptions {
  const { kind: _, otherNames: __, ...options } = device;
  return options;
}

/** What `createTap` takes of a device that is wanted. */
export function tapOptions(device: DesiredTap): CreateTapOptions {
  const { kind: _, otherNames: __, otherBridges: ___, ...options } = device;
  return options;
}

/** The device with the MAC that its guest is to use, where it says none. */
export function withGuestMac(device: DesiredDevice, guestMac: string | undefined): DesiredDevice {
  if (guestMac === undefined || device.tag.guestMac !== undefined) return device;
  const tag = { ...device.tag, guestMac };
  return device.kind === "tap" ? { ...device, tag } : { ...device, tag, mac: guestMac };
}

/**
 * Checks devices that are wanted together, each by itself and that no two are the same, and gives
 * copies of them with their addresses in one spelling.
 */
export function checkedDevices(given: readonly DesiredDevice[], place: Place): DesiredDevice[] {
  if (!Array.isArray(given)) throw argumentError("ERR_INVALID_ARG_TYPE", "an array", place, given);
  const devices = Array.from(given, (device, at) => checked(device, inside(place, `${at}`)));
  const unique = (what: string, keyOf: (device: DesiredDevice) => string) => {
    const seen = new Map<string, number>();
    for (const [at, device] of devices.entries()) {
      const first = seen.get(keyOf(device));
      const expected = `another ${what} than device ${first} has`;
      const here = inside(place, `${at}`);
      if (first !== undefined) throw argumentError("ERR_INVALID_ARG_VALUE", expected, here, device);
      seen.set(keyOf(device), at);
    }
  };
  unique("name", ({ name }) => name);
  unique("tag", ({ tag }) => purposeOf(tag));
  return devices;
}

function inside(place: Place, key: string): Place {
  return { ...place, option: place.option === undefined ? key : `${place.option}.${key}` };
}

/** What a create takes and a device that is wanted has not. */
const notWanted = ["altNames", "index", "signal"] as const;

function checked(device: DesiredDevice, place: Place): DesiredDevice {
  if (typeof device !== "object" || device === null)
    throw argumentError("ERR_INVALID_ARG_TYPE", "a device that is wanted", place, device);
  const { kind, name, tag, otherNames = [] } = device;
  string(name, inside(place, "name"));
  string(tag?.interface, inside(place, "tag.interface"));
  arrayOf(newLinkName)(otherNames, inside(place, "otherNames"));
  oneOf("macvtap", "tap")(kind, inside(place, "kind"));
  for (const option of notWanted) {
    const value: unknown = Reflect.get(device, option);
    if (value === undefined) continue;
    const at = inside(place, option);
    throw argumentError("ERR_INVALID_ARG_VALUE", "no value for a device that is wanted", at, value);
  }
  const on = placeOf(device);
  if (kind === "macvtap" || on !== undefined)
    existingLinkName(on, inside(place, kind === "macvtap" ? "parent" : "bridge"));
  if (device.kind === "tap") checkOtherBridges(device, place);
  // They check the rest; what they would ask for is made again when it is known what there is.
  if (device.kind === "macvtap") createMacvtapRequest(macvtapOptions(device));
  else createTapRequest(tapOptions(device));
  return withOneMac({ ...device, tag: { ...tag } }, inside(place, "tag.guestMac"));
}

/** No bridge is tried twice, and there are no others without a first. */
function checkOtherBridges({ bridge, otherBridges }: DesiredTap, place: Place): void {
  if (otherBridges === undefined) return;
  const option = inside(place, "otherBridges");
  const others = arrayOf(existingLinkName)(otherBridges, option);
  if (bridge === undefined)
    throw argumentError("ERR_INVALID_ARG_VALUE", "no value without `bridge`", option, others);
  for (const [at, other] of others.entries()) {
    if (![bridge, ...others.slice(0, at)].includes(other)) continue;
    const here = inside(option, `${at}`);
    throw argumentError("ERR_INVALID_ARG_VALUE", "each bridge once", here, other);
  }
}

/** In one spelling, and of a macvtap the guest's and its own are the same. */
function withOneMac(device: DesiredDevice, place: Place): DesiredDevice {
  const { tag } = device;
  const canonical = (mac: string | undefined) => (mac === undefined ? mac : canonicalMac(mac));
  const [mac, guestMac] = [canonical(device.mac), canonical(tag.guestMac)];
  if (device.kind === "tap") return { ...device, mac, tag: { ...tag, guestMac } };
  if (mac !== undefined && guestMac !== undefined && mac !== guestMac)
    throw argumentError("ERR_INVALID_ARG_VALUE", `the macvtap's own MAC, ${mac}`, place, guestMac);
  const one = mac ?? guestMac;
  return { ...device, mac: one, tag: { ...tag, guestMac: one } };
}
