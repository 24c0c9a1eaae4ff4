/** The devices that a microVM's interfaces are to have on a host: flintlock's words in flintap's. */
import type { DesiredDevice } from "../desired/index.js";
import type { HostIPv6 } from "../link.js";
import { pick } from "../shared-options.js";
import { requireMacvtaps, type Vmm } from "../vmm.js";
import { bridgesOf, inOrderFor, onBridges } from "./bridges.js";
import type { HostConfig } from "./config.js";
import { InvalidDocumentError } from "./invalid-document.js";
import type { Microvm, MicrovmInterface } from "./microvm.js";
import { hostDeviceName, microvmName, otherDeviceNames } from "./names.js";

/** What no spec says of the devices. */
export interface DeviceSettings {
  /** The host's own IPv6 on the devices; see `createTap`. Default: `"closed"`. */
  hostIPv6?: HostIPv6;
  /**
   * The VMM that is to run the guest. For one that takes descriptors, taps go with their queues and
   * so cannot outlive it. Released Firecracker has no macvtap: reason `"vmm-kind"`. Default: none;
   * taps stay until they are released, with one queue.
   */
  for?: Vmm;
  /** How many queues each interface has, 1 to 256; with `for` a VMM that takes descriptors. Default: 1. */
  queues?: number;
  /** The user who may open the taps by name without CAP_NET_ADMIN, such as Firecracker's jailer's. */
  uid?: number;
  /** The group that may. */
  gid?: number;
}

/**
 * The devices that a microVM is to have, in the order of its interfaces; for `plan` of flintap.
 *
 * - A macvtap stands on the config's `parent-iface`, in bridge mode, and has its guest's MAC.
 * - A tap is a port of its own bridge or of the config's `bridge-name`; the one by which the guest
 *   reaches its metadata service is a port of none. Of several bridges, which one is first follows from
 *   the microVM's name and the interface's, so that they are spread evenly; the others stand behind it.
 *
 * @throws {InvalidDocumentError} The config lacks a key that an interface needs.
 * @throws {FlintapError} With reason `"vmm-kind"`: the VMM opens no macvtap.
 */
export function desiredDevices(
  microvm: Microvm,
  config: HostConfig,
  settings: DeviceSettings = {},
): DesiredDevice[] {
  requireKeys(microvm, config);
  return microvm.interfaces.map((entry) => desiredDevice(microvm, entry, config, settings));
}

/** What of the config an interface needs: the places on the host where its device may be. */
function placesOf(
  { type, bridgeName, metadata = false }: MicrovmInterface,
  config: HostConfig,
): readonly string[] {
  if (metadata) return [];
  if (type === "macvtap") return config.parentIface === undefined ? [] : [config.parentIface];
  return bridgeName === undefined ? bridgesOf(config) : [bridgeName];
}

function requireKeys({ interfaces }: Microvm, config: HostConfig): void {
  const without = (type: string) =>
    interfaces
      .filter((entry) => entry.type === type && !entry.metadata)
      .filter((entry) => placesOf(entry, config).length === 0)
      .map(({ deviceId }) => deviceId);
  const missing = [
    { path: "parent-iface", type: "macvtap", what: "the interface under" },
    { path: "bridge-name", type: "tap", what: "the bridge of" },
  ].flatMap(({ path, type, what }) => {
    const needing = without(type).join(", ");
    const expected = `${what} the ${type} for ${needing}`;
    return needing === "" ? [] : [{ path, expected, received: "nothing" }];
  });
  if (missing.length > 0) throw new InvalidDocumentError("the host's config", missing);
}

function desiredDevice(
  microvm: Microvm,
  entry: MicrovmInterface,
  config: HostConfig,
  settings: DeviceSettings,
): DesiredDevice {
  const { deviceId, type, guestMac } = entry;
  const { hostIPv6, for: vmm } = settings;
  const tag = { microvm: microvmName(microvm), interface: deviceId, guestMac };
  const names = {
    name: hostDeviceName(microvm, entry),
    otherNames: otherDeviceNames(microvm, entry),
  };
  const places = placesOf(entry, config);
  if (type === "macvtap") {
    const [parent = ""] = places;
    const step = `the device of ${deviceId}`;
    requireMacvtaps(vmm, { operation: "provision", step, device: names.name });
    return { kind: "macvtap", ...names, parent, mac: guestMac, tag, hostIPv6, for: vmm };
  }
  const on = onBridges(inOrderFor([tag.microvm, deviceId], places));
  const opened = pick(settings, ["for", "queues", "uid", "gid"]);
  const recorded = { ...tag, ...pick(on, ["bridge"]) };
  return { kind: "tap", ...names, ...on, tag: recorded, hostIPv6, ...opened };
}
