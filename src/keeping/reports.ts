/** What a keeper tells. Types only. */
import type { AppliedDevice } from "../desired/apply.js";
import type { DesiredDevice } from "../desired/device.js";
import type { Difference } from "../desired/difference.js";
import type { FlintapError } from "../error.js";
import type { Link } from "../link.js";

/** A device is not as it is wanted. Told once, until it is as wanted again or otherwise off. */
export interface Drift {
  /** Tells the reports apart. */
  type: "drift";
  /** What is wanted. */
  device: DesiredDevice;
  /** What is there; absent: it is gone. */
  link?: Link;
  /** All that is not as wanted; none of one that is gone. */
  changes: Difference[];
}

/** A device is as it is wanted, by the keeper's doing. */
export interface Repaired {
  /** Tells the reports apart. */
  type: "repaired";
  /** What is wanted. */
  device: DesiredDevice;
  /** What is there now. */
  link: Link;
  /** What was done. One that was created or replaced is another device, with another identity. */
  action: Exclude<AppliedDevice["action"], "adopt">;
  /** What was not as wanted, as it was last told of. */
  changes: Difference[];
}

/** A device is as it is wanted again, by somebody else's doing. */
export interface Settled {
  /** Tells the reports apart. */
  type: "settled";
  /** What is wanted. */
  device: DesiredDevice;
  /** What is there now. */
  link: Link;
}

/**
 * The device is gone that a guest may have open. Its descriptor fails in nothing: what the guest
 * sends is swallowed. A device that is made anew does not heal it. A tap that goes with its queues is
 * also gone when its VMM has ended.
 */
export interface GuestLost {
  /** Tells the reports apart. */
  type: "guest-lost";
  /** What is wanted; its tag names the microVM and the interface. */
  device: DesiredDevice;
  /** The device that is gone, as it was last seen. */
  link: Link;
  /**
   * `"new-fd"`: its VMM takes descriptors, and has to be given one of the device's successor, or to
   * be restarted; `"restart"`: it has opened the device by name, which it does when it starts.
   */
  needs: "new-fd" | "restart";
}

/** What could not be looked at, repaired or removed, and is tried again. Told once for each failure. */
export interface KeepingFailed {
  /** Tells the reports apart. */
  type: "failed";
  /** What is wanted; absent for a device that is not wanted. */
  device?: DesiredDevice;
  /** The device that is not wanted, and could not be removed. */
  link?: Link;
  /** Why. */
  error: FlintapError;
}

/** Somebody else writes what the keeper repairs, again and again. */
export interface Contested {
  /** Tells the reports apart. */
  type: "contested";
  /** What is wanted. */
  device: DesiredDevice;
  /** What is there; absent: it is gone. */
  link?: Link;
  /** What is being disputed: fields of changes; `"device"` where it is deleted. */
  fields: string[];
  /**
   * `"others"`: what they wrote stands, until the keeper tries again; `"keeper"`: what it repaired
   * has lasted since then.
   */
  wins: "others" | "keeper";
  /** What stands for now: what others wrote, or nothing where they lose. */
  changes: Difference[];
  /** Milliseconds until the keeper tries again; 0 where it has won. */
  pause: number;
}

/** A device of the owner is there that is not wanted, and is for what `prune` names. */
export interface Unwanted {
  /** Tells the reports apart. */
  type: "unwanted";
  /** It is for nothing that is wanted. */
  device?: undefined;
  /** What is there. */
  link: Link;
}

/** A device that was not wanted was deleted. */
export interface Removed {
  /** Tells the reports apart. */
  type: "removed";
  /** It was for nothing that is wanted. */
  device?: undefined;
  /** What was there. */
  link: Link;
}

/** What a keeper tells. */
export type KeeperReport =
  | Drift
  | Repaired
  | Settled
  | GuestLost
  | KeepingFailed
  | Contested
  | Unwanted
  | Removed;
