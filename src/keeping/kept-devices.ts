/** The devices that are kept, and which of them an event is about. */
import { asideName, type DesiredDevice, keyName, placeOf } from "../desired/device.js";
import type { Link } from "../link.js";
import type { LinkEvent } from "../link-state.js";
import { purposeOf, type TagParts, tagMatches } from "../tag.js";
import { KeptDevice } from "./kept-device.js";

/** All of them. */
export class KeptDevices {
  readonly #owner: string;
  /** By whichever microVM and interface they are for, which is what the other maps give. */
  readonly #kept = new Map<string, KeptDevice>();
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

  /** Keeps these too; one that is for what a kept one is for takes its place. */
  add(devices: readonly DesiredDevice[]): void {
    for (const device of devices) {
      const kept = new KeptDevice(device);
      const { purpose } = kept;
      kept.link = this.#kept.get(purpose)?.link;
      this.#drop(purpose);
      this.#kept.set(purpose, kept);
      this.#purposes.set(keyName(this.#owner, device), purpose);
      this.#asides.add(asideName(this.#owner, device));
      for (const place of placesOf(device)) {
        const hanging = this.#places.get(place) ?? new Set();
        this.#places.set(place, hanging.add(purpose));
      }
    }
  }

  /** Keeps those no longer that are for this. */
  remove(parts: TagParts): void {
    const leaving = this.all().filter(({ device }) => tagMatches(device.tag, parts));
    for (const { purpose } of leaving) this.#drop(purpose);
  }

  /** All of them. */
  all(): KeptDevice[] {
    return [...this.#kept.values()];
  }

  /** Whether it is kept still. */
  has(kept: KeptDevice): boolean {
    return this.#kept.get(kept.purpose) === kept;
  }

  /** Those that are to be looked at by now, so many at most. */
  due(now: number, most: number): KeptDevice[] {
    const due: KeptDevice[] = [];
    for (const kept of this.#kept.values()) {
      if (due.length === most) break;
      if (kept.due <= now) due.push(kept);
    }
    return due;
  }

  /** When the next one is due; Infinity where none is. */
  get nextDue(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { due } of this.#kept.values()) next = Math.min(next, due);
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

  /** Those that are to hang on a link which has come, gone or another name. */
  hangingOn(event: LinkEvent): KeptDevice[] {
    if (event.type === "changed" && !isRenamed(event)) return [];
    const purposes = namesIn(event).flatMap((name) => [...(this.#places.get(name) ?? [])]);
    return purposes.flatMap((purpose) => this.#kept.get(purpose) ?? []);
  }

  /** Whether a device of the owner is for nothing that is kept, nor one that is being replaced. */
  isForNothing({ tag, altNames }: Link): boolean {
    if (tag?.owner !== this.#owner || this.#kept.has(purposeOf(tag))) return false;
    return !altNames.some((name) => this.#asides.has(name));
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
    for (const place of placesOf(kept.device)) this.#places.get(place)?.delete(purpose);
  }
}

/** The names of all that a device may hang on. */
function placesOf(device: DesiredDevice): string[] {
  const others = device.kind === "tap" ? (device.otherBridges ?? []) : [];
  return [placeOf(device) ?? [], others].flat();
}

function isRenamed({ changes }: Extract<LinkEvent, { type: "changed" }>): boolean {
  return changes.includes("name") || changes.includes("altNames");
}

function namesIn(event: LinkEvent): string[] {
  const links = event.type === "changed" ? [event.link, event.previous] : [event.link];
  return links.flatMap(({ name, altNames }) => [name, ...altNames]);
}
