/** A device that is kept: what is wanted, what was last seen of it, and when to look at it. */
import { isDeepStrictEqual } from "node:util";
import type { DesiredDevice, Difference } from "../desired/index.js";
import type { Link } from "../link.js";
import { purposeOf } from "../tag.js";
import { tapShape } from "../vmm.js";
import { Contest, pauseAfter } from "./contest.js";

/** What is told of a device that is not as wanted: no changes of one that is gone. */
export interface Told {
  link?: Link;
  changes: Difference[];
}

/** What is written of a device by whoever deletes it. */
const wholeDevice = "device";

/** The fields that are not as wanted. */
export function fieldsOf({ link, changes }: Told): string[] {
  return link === undefined ? [wholeDevice] : changes.map(({ field }) => field);
}

/** What of `told` has not been told before. */
export function newsIn(told: Told, before: Told | undefined): Told | undefined {
  if (before === undefined || (before.link === undefined) !== (told.link === undefined))
    return told;
  const isKnown = (one: Difference) => before.changes.some((two) => isDeepStrictEqual(one, two));
  const changes = told.changes.filter((change) => !isKnown(change));
  return changes.length === 0 ? undefined : { ...told, changes };
}

/** Milliseconds that a device may take to be made or replaced by somebody else. */
const patience = 5_000;

/** Milliseconds between two looks at one that is. */
const glance = 50;

/** One device. */
export class KeptDevice {
  /** What is wanted; once it has been seen, with what was not named as it was found. */
  device: DesiredDevice;
  /** As it was asked for. */
  readonly given: DesiredDevice;
  /** For whichever microVM and interface it is. */
  readonly purpose: string;
  /** As it was last seen; absent: it is not there, or has not been looked for. */
  link: Link | undefined;
  /** That it is not as wanted, as it was told. */
  told: Told | undefined;
  readonly contest = new Contest();
  /** When to look at it, in milliseconds of `performance`; Infinity: when something happens. */
  due = 0;
  /** A repair was put off until then. */
  isPutOff = false;
  #notBefore = 0;
  /** How often in a row something failed, and what. */
  #failures = 0;
  readonly #failed = new Set<string>();
  #isPinned = false;
  /** The link that was in work, and since when. */
  #inWork: { index: number; since: number } | undefined;

  constructor(device: DesiredDevice) {
    this.given = device;
    this.device = device;
    this.purpose = purposeOf(device.tag);
  }

  /** What is wanted on this parent: the MTU that nobody has named goes down with the parent's. */
  on(parent: Link | undefined): DesiredDevice {
    const { device, given } = this;
    if (device.kind !== "macvtap" || given.mtu !== undefined) return device;
    if (device.mtu === undefined || parent === undefined) return device;
    return { ...device, mtu: Math.min(device.mtu, parent.mtu) };
  }

  /** It may not be as it was: it is looked at soon, but not while something was put off. */
  mark(now: number): void {
    this.due = Math.min(this.due, Math.max(now, this.#notBefore));
  }

  /** It is looked at now, whatever was put off: what was in the way may be gone. */
  markAnyway(now: number): void {
    this.#notBefore = now;
    this.due = now;
  }

  /** It is being looked at. */
  begin(now: number): void {
    const { over } = this.contest;
    this.due = over > now ? over : Number.POSITIVE_INFINITY;
  }

  /** It is left alone for so long. */
  putOff(pause: number, now: number): void {
    this.#notBefore = now + pause;
    this.due = this.#notBefore;
  }

  /** Whether to leave a link alone that somebody else is making or replacing: not for ever. */
  leaves({ index }: Link, now: number): boolean {
    if (this.#inWork?.index !== index) this.#inWork = { index, since: now };
    if (now - this.#inWork.since > patience) return false;
    this.due = Math.min(this.due, now + glance);
    return true;
  }

  /** What was found, or made. What is not named is to stay as it is from now on. */
  pin(device: DesiredDevice, link: Link): void {
    if (this.#isPinned) return;
    this.#isPinned = true;
    this.device = pinned(device, link);
  }

  /** A failure, which puts it off; whether it is another one than before. */
  failed(failure: string, now: number): boolean {
    const isNew = !this.#failed.has(failure);
    this.#failed.add(failure);
    this.#failures += 1;
    this.putOff(pauseAfter(this.#failures), now);
    return isNew;
  }

  /** Something will happen when it is worth a look: nothing is put off. */
  waits(): void {
    this.#notBefore = 0;
    this.due = Number.POSITIVE_INFINITY;
  }

  /** It failed for the first time since it was as wanted, or since another thing was not. */
  get hasNotFailed(): boolean {
    return this.#failures === 0;
  }

  /** Nothing is in the way any more, or something else is. */
  succeeded(): void {
    this.#failed.clear();
    this.#failures = 0;
  }
}

/**
 * The device with what nobody has named as it was found, since others rewrite that as well. A macvtap's
 * MAC is its guest's, or its parent's, and a ring of no length is nothing to go back to.
 */
function pinned(device: DesiredDevice, link: Link): DesiredDevice {
  const mtu = device.mtu ?? link.mtu;
  const txQueueLength = device.txQueueLength ?? (link.txQueueLength || undefined);
  if (device.kind === "macvtap") return { ...device, mtu, txQueueLength };
  const own = link.mac === device.tag.guestMac ? undefined : link.mac;
  return { ...device, mtu, txQueueLength, mac: device.mac ?? own };
}

/** A tap that goes with its queues is made by whoever hands them over, and by nobody else. */
export function comesWithQueues(device: DesiredDevice): boolean {
  return device.kind === "tap" && !tapShape(device).persist;
}
