/** The devices that are kept, and which of them an event is about. */
import { isDeepStrictEqual } from "node:util";
import { argumentError, type Place } from "../check.js";
import { asideName, type DesiredDevice, keyName } from "../desired/device.js";
import { checkGuestMacs } from "../desired/guest-macs.js";
import type { Link } from "../link.js";
import type { LinkEvent } from "../link-state.js";
import { purposeOf, type TagParts, tagMatches } from "../tag.js";
import { placeNames } from "./findings.js";
import { KeptDevice } from "./kept-device.js";

/** Some that are left alone. */
interface Busy {
  has(kept: KeptDevice): boolean;
}

/** All of them. */
export class KeptDevices {
  readonly #owner: string;
  /** By whichever microVM and interface they are for, which is what the other maps give. */
  readonly #kept = new Map<string, KeptDevice>();
  /** By the names that they are to have. */
  readonly #names = new Map<string, string>();
  /** By the alt name by which a device is known, or set aside. */
  readonly #purposes = new Map<string, string>();
  readonly #asides = new Set<string>();
  /** By the indexes of links that are theirs, or were. */
  readonly #links = new Map<number, string>();
  /** By the name of what they hang on. */
  readonly #places = new Map<string, Set<string>>();

  constructor(owner: string) {
    this.#owner = owner;
  }

  /**
   * Keeps these too; one that is for what a kept one is for takes its place, unless the same is wanted
   * of it.
   */
  add(devices: readonly DesiredDevice[]): void {
    for (const device of devices) {
      const kept = new KeptDevice(device);
      const { purpose } = kept;
      const before = this.#kept.get(purpose);
      if (before !== undefined && isDeepStrictEqual(before.given, device)) continue;
      kept.link = before?.link;
      this.#drop(purpose);
      this.#kept.set(purpose, kept);
      this.#names.set(device.name, purpose);
      this.#purposes.set(keyName(this.#owner, device), purpose);
      this.#asides.add(asideName(this.#owner, device));
      for (const place of placeNames(device)) {
        const hanging = this.#places.get(place) ?? new Set();
        this.#places.set(place, hanging.add(purpose));
      }
    }
  }

  /** Refuses devices that could not be kept beside those that are. */
  check(devices: readonly DesiredDevice[], place: Place): void {
    const purposes = new Set(devices.map(({ tag }) => purposeOf(tag)));
    for (const [at, device] of devices.entries()) {
      const holder = this.#names.get(device.name);
      if (holder === undefined || purposes.has(holder)) continue;
      const expected = "another name than a kept device has";
      throw argumentError("ERR_INVALID_ARG_VALUE", expected, { ...place, option: `${at}` }, device);
    }
    const others = this.all().filter(({ purpose }) => !purposes.has(purpose));
    checkGuestMacs([...others.map(({ device }) => device), ...devices]);
  }

  /** Keeps those no longer that are for this; gives them. */
  remove(parts: TagParts): KeptDevice[] {
    const leaving = this.all().filter(({ device }) => tagMatches(device.tag, parts));
    for (const { purpose } of leaving) this.#drop(purpose);
    return leaving;
  }

  /** The one that a link is. */
  at({ index }: Link): KeptDevice | undefined {
    const purpose = this.#links.get(index);
    return purpose === undefined ? undefined : this.#kept.get(purpose);
  }

  /** All of them. */
  all(): KeptDevice[] {
    return [...this.#kept.values()];
  }

  /** Whether it is kept still. */
  has(kept: KeptDevice): boolean {
    return this.#kept.get(kept.purpose) === kept;
  }

  /** Those that are to be looked at by now, so many at most, but for some that are `busy`. */
  due(now: number, most: number, busy: Busy): KeptDevice[] {
    const due: KeptDevice[] = [];
    for (const kept of this.#kept.values()) {
      if (due.length === most) break;
      if (kept.due <= now && !busy.has(kept)) due.push(kept);
    }
    return due;
  }

  /** When the next one is due that is not `busy`; Infinity where none is. */
  nextDue(busy: Busy): number {
    let next = Number.POSITIVE_INFINITY;
    for (const kept of this.#kept.values()) if (kept.due < next && !busy.has(kept)) next = kept.due;
    return next;
  }

  /** Notes how a link is now; gives the device that it is. */
  note({ type, link }: LinkEvent): KeptDevice | undefined {
    const purpose = this.#links.get(link.index) ?? this.#purposeBy(link);
    const kept = purpose === undefined ? undefined : this.#kept.get(purpose);
    if (type === "removed") {
      this.#links.delete(link.index);
      if (kept?.link?.index === link.index) kept.link = undefined;
    } else if (kept !== undefined) this.saw(kept, link);
    return kept;
  }

  /** Notes that a device is this link. One that was so before is its guest's until it is gone. */
  saw(kept: KeptDevice, link: Link): void {
    kept.link = link;
    this.#links.set(link.index, kept.purpose);
  }

  /** Those that are to hang on a link which has come, gone or another name; or, of a parent, another MTU. */
  hangingOn(event: LinkEvent): KeptDevice[] {
    const isOther = event.type !== "changed" || isRenamed(event);
    if (!isOther && !event.changes.includes("mtu")) return [];
    const purposes = namesIn(event).flatMap((name) => [...(this.#places.get(name) ?? [])]);
    const hanging = purposes.flatMap((purpose) => this.#kept.get(purpose) ?? []);
    return hanging.filter(({ device }) => isOther || device.kind === "macvtap");
  }

  /**
   * Whether a device of the owner is for nothing that is kept; or `"perhaps"`, where it is for what
   * another one is there for: it may be the one that is being replaced, or its successor.
   */
  isForNothing({ index, tag, altNames }: Link): boolean | "perhaps" {
    if (tag?.owner !== this.#owner) return false;
    const kept = this.#kept.get(purposeOf(tag));
    if (kept === undefined && !altNames.some((name) => this.#asides.has(name))) return true;
    return kept?.link !== undefined && kept.link.index !== index ? "perhaps" : false;
  }

  #purposeBy({ altNames }: Link): string | undefined {
    const known = altNames.find((name) => this.#purposes.has(name));
    return known === undefined ? undefined : this.#purposes.get(known);
  }

  #drop(purpose: string): void {
    const kept = this.#kept.get(purpose);
    if (kept === undefined) return;
    this.#kept.delete(purpose);
    this.#purposes.delete(keyName(this.#owner, kept.device));
    this.#asides.delete(asideName(this.#owner, kept.device));
    if (this.#names.get(kept.given.name) === purpose) this.#names.delete(kept.given.name);
    for (const place of placeNames(kept.given)) this.#drops(place, purpose);
  }

  #drops(place: string, purpose: string): void {
    const hanging = this.#places.get(place);
    hanging?.delete(purpose);
    if (hanging?.size === 0) this.#places.delete(place);
  }
}

function isRenamed({ changes }: Extract<LinkEvent, { type: "changed" }>): boolean {
  return changes.includes("name") || changes.includes("altNames");
}

function namesIn(event: LinkEvent): string[] {
  const links = event.type === "changed" ? [event.link, event.previous] : [event.link];
  return links.flatMap(({ name, altNames }) => [name, ...altNames]);
}
