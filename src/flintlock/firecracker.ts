/**
 * What Firecracker is told of a microVM's interfaces, by its API description of version 1.17. Pure:
 * knows nothing of how it gets there.
 */
import { argumentError, type ChecksFor, object, oneOf } from "../check.js";
import { requireMacvtaps, type VmmByName } from "../vmm.js";
import type { ProvisionedInterface } from "./status.js";

/** For {@link firecrackerNetwork}. */
export interface FirecrackerOptions {
  /** Which Firecracker. Default: `"firecracker"`, which has no macvtap. */
  for?: VmmByName;
}

/** An interface in Firecracker's words: the body of `PUT /network-interfaces/{iface_id}`. */
export interface FirecrackerInterface {
  /** The device id. A PUT takes letters, digits and underscores only. */
  iface_id: string;
  /** A tap's name, by which Firecracker opens it; of a macvtap, `/dev/tap<index>`. */
  host_dev_name: string;
  /** The guest's MAC; of a macvtap, the device's own. */
  guest_mac: string;
}

/** The metadata service in Firecracker's words: the body of `PUT /mmds/config`. */
export interface FirecrackerMmds {
  /** The ids of the interfaces by which a guest reaches the metadata service. */
  network_interfaces: string[];
}

/** The part of Firecracker's config file that is about the network. */
export interface FirecrackerNetwork {
  /** All interfaces, in the spec's order. */
  "network-interfaces": FirecrackerInterface[];
  /**
   * Absent where no interface is the metadata interface: Firecracker refuses an empty list. What it
   * lacks, such as `version`, has defaults of Firecracker's.
   */
  "mmds-config"?: FirecrackerMmds;
}

const checkOptions = object({
  for: oneOf("firecracker", "firecracker-macvtap"),
} satisfies ChecksFor<FirecrackerOptions>);

/**
 * Puts what was provisioned into Firecracker's words. The result can be spread into a config file,
 * or sent to the API, each entry by its own PUT and `mmds-config` after them.
 *
 * ```ts
 * const { interfaces } = await provision(microvm, { config, namespace, for: "firecracker" });
 * const file = JSON.stringify({ ...machine, ...firecrackerNetwork(interfaces) });
 * ```
 *
 * @param interfaces What {@link provision} returned.
 * @param options Which Firecracker it is for.
 * @throws {FlintapError} With the reason `"vmm-kind"`: an interface is a macvtap, and Firecracker as
 *   it is released opens none.
 * @throws {TypeError} A tap goes with its queues: it was made for a VMM that takes descriptors.
 */
export function firecrackerNetwork(
  interfaces: readonly ProvisionedInterface[],
  options: FirecrackerOptions = {},
): FirecrackerNetwork {
  const place = { call: "firecrackerNetwork", argument: "options" };
  const { for: vmm = "firecracker" } = checkOptions(options, place);
  const entries = interfaces.map((entry) => ({
    iface_id: entry.deviceId,
    host_dev_name: hostDevName(entry, vmm),
    guest_mac: entry.guestMac,
  }));
  const metadata = interfaces.filter((entry) => entry.metadata === true);
  if (metadata.length === 0) return { "network-interfaces": entries };
  const ids = metadata.map(({ deviceId }) => deviceId);
  return { "network-interfaces": entries, "mmds-config": { network_interfaces: ids } };
}

function hostDevName({ deviceId, type, link }: ProvisionedInterface, vmm: VmmByName): string {
  if (link.kind === "tun" && link.details.persistent === false) {
    const place = { call: "firecrackerNetwork", argument: `interfaces: ${deviceId}` };
    const expected = 'a tap that stays: Firecracker opens it by its name (for: "firecracker")';
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, link.name);
  }
  if (type === "tap") return link.name;
  const step = `host_dev_name of ${deviceId}`;
  requireMacvtaps(vmm, { operation: "firecrackerNetwork", step, device: link.name });
  return `/dev/tap${link.index}`;
}
