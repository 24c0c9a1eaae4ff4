/** The status that flintlock keeps of a microVM's interfaces, in its own field names. */
import type { MacvtapLink, TapLink } from "../link.js";
import type { DeviceQueue } from "../queue.js";
import type { MicrovmInterface } from "./microvm.js";

/** An interface, and the device that it has on the host. */
export interface ProvisionedInterface extends MicrovmInterface {
  /** The device on the host. */
  link: MacvtapLink | TapLink;
  /**
   * The MAC that the guest has to use, lower case: the spec's, or else a stable one. For a macvtap
   * it is the device's own, for a tap it never is.
   */
  guestMac: string;
  /**
   * For a VMM that takes descriptors: the queues that are its to be given; none where the guest runs,
   * and has them.
   */
  queues?: DeviceQueue[];
}

/** An interface's status. */
export interface InterfaceStatus {
  /** The name of the device on the host. */
  host_device_name: string;
  /** The index of the device on the host. */
  index: number;
  /** The guest's MAC, in upper case. A tap's own is another. */
  mac_address: string;
}

/** The status of a microVM's interfaces, by device id. */
export type NetworkStatus = Record<string, InterfaceStatus>;

/** Puts what was provisioned into flintlock's words. */
export function statusOf(interfaces: readonly ProvisionedInterface[]): NetworkStatus {
  const entries = interfaces.map(({ deviceId, link, guestMac }): [string, InterfaceStatus] => [
    deviceId,
    { host_device_name: link.name, index: link.index, mac_address: guestMac.toUpperCase() },
  ]);
  return Object.fromEntries(entries);
}
