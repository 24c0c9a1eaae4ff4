/** A device that is kept: what is wanted, what was last seen of it, and when to look at it. */
import type { DesiredDevice, Difference } from "../desired/index.js";
import type { Link } from "../link.js";
import { purposeOf } from "../tag.js";
import { tapShape } from "../vmm.js";
import { Contest, pauseAfter } from "./contest.js";

/** What others are told of a device that is not as wanted: nothing of one that is gone. */
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

/** One device. */
export class KeptDevice {
  /** What is wanted; once it has been seen, with what was not named as it was found. */
  device: DesiredDevice;
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
  /** What is in its way was to be looked at together with it. */
  isTogether = false;
  #notBefore = 0;
  #failures = 0;
  #failure: string | undefined;
  #isPinned = false;

  constructor(device: DesiredDevice) {
    this.device = device;
    this.purpose = purposeOf(device.tag);
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

  /** What was found, or made. What is not named is to stay as it is from now on. */
  pin(device: DesiredDevice, link: Link): void {
    if (this.#isPinned) return;
    this.#isPinned = true;
    this.device = pinned(device, link);
  }

  /** A failure, which puts it off; whether it is another one than the last. */
  failed(failure: string, now: number): boolean {
    const isNew = failure !== this.#failure;
    this.#failure = failure;
    this.#failures += 1;
    this.putOff(pauseAfter(this.#failures), now);
    return isNew;
  }

  /** It could be looked at, and repaired where that was asked for. */
  succeeded(): void {
    this.#failure = undefined;
    this.#failures = 0;
    this.isTogether = false;
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
