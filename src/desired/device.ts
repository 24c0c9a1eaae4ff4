/**
 * What is wanted: guests' devices, described as they are to be. Which device of the kernel is the one
 * that is meant does not depend on its name, which can be changed or be taken: it is known by an alt
 * name that follows from whose it is and what for. The kernel lets no two links of a namespace have
 * it, so that two processes which want the same device cannot both make it.
 */
import { createHash } from "node:crypto";
import { argumentError, arrayOf, oneOf, type Place, string } from "../check.js";
import { createMacvtapRequest, createTapRequest } from "../create-requests.js";
import type { LinkBase } from "../link.js";
import { canonicalMac } from "../mac.js";
import { newLinkName } from "../name.js";
import type {
  CreateMacvtapOptions,
  CreateTapOptions,
  PortOptions,
  TapOptions,
} from "../options.js";
import type { TagParts } from "../tag.js";

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

/** A persistent tap that is wanted, with the options of `createTap`; its bridge by name. */
export type DesiredTap = DesiredDeviceBase &
  Omit<TapOptions, ChosenHere | "persist" | "queues"> &
  PortOptions<string> & {
    /** Tells the devices apart. */
    kind: "tap";
  };

/** A device that is wanted. What is not named is chosen when it is made, and not compared later. */
export type DesiredDevice = DesiredMacvtap | DesiredTap;

/** The name of the link below: a macvtap's parent, a tap's bridge. */
export function placeOf(device: DesiredDevice): string | undefined {
  return device.kind === "macvtap" ? device.parent : device.bridge;
}

function digest(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** How the alt name begins by which a device is known. */
export const keyPrefix = "flvm-";

/** How the alt names begin that are given here. */
const derivedNamePrefixes = [keyPrefix, "flold-", "flmac-"];

/** Those alt names of a link that were given here; others are not looked at. */
export function derivedOf({ altNames }: LinkBase): string[] {
  return altNames.filter((name) => derivedNamePrefixes.some((prefix) => name.startsWith(prefix)));
}

/** The alt name by which a device is known. */
export function keyName(owner: string, { tag }: DesiredDevice): string {
  return `${keyPrefix}${digest([owner, tag.microvm ?? null, tag.interface])}`;
}

/** The alt name of a device that was set aside, to be replaced by the one that is wanted. */
export function asideName(owner: string, device: DesiredDevice): string {
  return `flold-${keyName(owner, device).slice(keyPrefix.length)}`;
}

/**
 * The alt name by which no two guests on a bridge have the same MAC: a tap does not have it, so that
 * the kernel would not notice.
 */
export function macName(device: DesiredDevice): string | undefined {
  const { bridge, tag } = device.kind === "tap" ? device : { bridge: undefined, tag: {} };
  if (bridge === undefined || tag.guestMac === undefined) return undefined;
  return `flmac-${bridge}-${tag.guestMac.replaceAll(":", "")}`;
}

/** The alt names that a device is to have. */
export function derivedNames(owner: string, device: DesiredDevice): string[] {
  const mac = macName(device);
  return [keyName(owner, device), ...(mac === undefined ? [] : [mac])];
}

/** What `createMacvtap` takes of a device that is wanted. */
export function macvtapOptions(device: DesiredMacvtap): CreateMacvtapOptions {
  const { kind: _, otherNames: __, ...options } = device;
  return options;
}

/** What `createTap` takes of a device that is wanted. */
export function tapOptions(device: DesiredTap): CreateTapOptions & { persist?: true } {
  const { kind: _, otherNames: __, ...options } = device;
  return options;
}

/**
 * Checks devices that are wanted together, each by itself and that no two are the same, and gives
 * copies of them with their addresses in one spelling.
 */
export function checkedDevices(given: readonly DesiredDevice[]): DesiredDevice[] {
  const place = { call: "plan", argument: "devices" };
  if (!Array.isArray(given)) throw argumentError("ERR_INVALID_ARG_TYPE", "an array", place, given);
  const devices = given.map((device, at) => checked(device, { ...place, option: `${at}` }));
  const unique = (what: string, keyOf: (device: DesiredDevice) => string) => {
    const seen = new Map<string, number>();
    for (const [at, device] of devices.entries()) {
      const first = seen.get(keyOf(device));
      const expected = `another ${what} than device ${first} has`;
      const here = { ...place, option: `${at}` };
      if (first !== undefined) throw argumentError("ERR_INVALID_ARG_VALUE", expected, here, device);
      seen.set(keyOf(device), at);
    }
  };
  unique("name", ({ name }) => name);
  unique("tag", (device) => keyName("", device));
  return devices;
}

function checked(device: DesiredDevice, place: Place): DesiredDevice {
  if (typeof device !== "object" || device === null)
    throw argumentError("ERR_INVALID_ARG_TYPE", "a device that is wanted", place, device);
  const { kind, name, tag, otherNames = [] } = device;
  const inside = (option: string): Place => ({ ...place, option: `${place.option}.${option}` });
  string(name, inside("name"));
  string(tag?.interface, inside("tag.interface"));
  arrayOf(newLinkName)(otherNames, inside("otherNames"));
  oneOf("macvtap", "tap")(kind, inside("kind"));
  // They check the rest; what they would ask for is made again when it is known what there is.
  if (device.kind === "macvtap") createMacvtapRequest(macvtapOptions(device));
  else createTapRequest(tapOptions(device));
  return withOneMac({ ...device, tag: { ...tag } }, inside("tag.guestMac"));
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
