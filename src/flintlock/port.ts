/**
 * The port through which flintlock asks for devices, one by one and by name: for a daemon that keeps
 * flintlock's own structure. The same plans as everywhere stand behind it.
 */
import { keyName } from "../desired/device.js";
import { apply, type DesiredDevice, plan } from "../desired/index.js";
import { findByPurpose } from "../desired/look.js";
import type { Looking } from "../desired/looking.js";
import { isGone, notOurs } from "../error.js";
import type { Link } from "../link.js";
import type { NetworkNamespace } from "../network-namespace.js";
import type { OperationOptions } from "../options.js";
import { bridgesOf, inOrderFor, onBridges } from "./bridges.js";
import type { HostConfig } from "./config.js";
import { InvalidDocumentError } from "./invalid-document.js";
import type { InterfaceType } from "./microvm.js";

/** What the port's `create` takes. */
export interface InterfaceInput {
  /** The name of the device on the host. */
  deviceName: string;
  /** What it is made of. */
  type: InterfaceType;
  /** The guest's MAC. Default: a stable one that follows from the device's name. */
  mac?: string;
  /** Attach a tap to a bridge. Default: true. */
  attach?: boolean;
  /** A tap's bridge, instead of the config's. */
  bridgeName?: string;
}

/** What there is of a device. */
export interface InterfaceDetails {
  /** The name of the device on the host. */
  deviceName: string;
  /** What it is made of. */
  type: InterfaceType;
  /** The guest's MAC, in upper case. */
  mac: string;
  /** The index of the device on the host. */
  index: number;
}

/** Flintlock's port for network devices. */
export interface NetworkPort {
  /**
   * Makes a device; one that is there already with this name is given, repaired if need be.
   *
   * @throws {InvalidDocumentError} The config lacks the key that the device needs.
   * @throws {FlintapError} As `provision`; nothing is left behind, but for what `leftBehind` names.
   */
  create(input: InterfaceInput, options?: OperationOptions): Promise<InterfaceDetails>;
  /**
   * Deletes a device; that it is gone already is a success.
   *
   * @throws {FlintapError} With reason `"not-ours"` for a link that somebody else has made.
   */
  delete(deviceName: string, options?: OperationOptions): Promise<void>;
  /**
   * Whether there is a device of this name.
   *
   * @throws {FlintapError} It cannot be told: a failure is never "no". With reason `"not-ours"` for a
   *   link that somebody else has made.
   */
  exists(deviceName: string, options?: OperationOptions): Promise<boolean>;
  /**
   * What there is of a device.
   *
   * @throws {FlintapError} With reason `"no-such-link"` where there is none, and as `exists`.
   */
  details(deviceName: string, options?: OperationOptions): Promise<InterfaceDetails>;
}

/** The port on a namespace. */
export function networkPort(config: HostConfig, namespace: NetworkNamespace): NetworkPort {
  return {
    async create(input, { signal } = {}) {
      const devices = [desiredDevice(input, config)];
      const planned = await plan({ devices }, { namespace, signal });
      const applied = await apply(planned, { namespace, signal });
      return detailsOf(applied.devices[0]?.link as Link);
    },
    async delete(deviceName, { signal } = {}) {
      const link = await find(deviceName, "delete", { namespace, signal });
      if (link === undefined) return;
      try {
        await namespace.deleteLink(link, { signal });
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },
    async exists(deviceName, { signal } = {}) {
      return (await find(deviceName, "exists", { namespace, signal })) !== undefined;
    },
    async details(deviceName, { signal } = {}) {
      const link = await find(deviceName, "details", { namespace, signal });
      // It says that there is none in its own words.
      return detailsOf(link ?? (await namespace.getLink(deviceName, { signal })));
    },
  };
}

/** The device, also where somebody has renamed it. A link that is not one of the port's is refused. */
async function find(
  deviceName: string,
  operation: string,
  looking: Looking,
): Promise<Link | undefined> {
  const { owner } = looking.namespace;
  const tag = { interface: deviceName };
  const links = await findByPurpose([{ tag, name: deviceName }], looking);
  const link = links.find((one) => one.altNames.includes(keyName(owner, { tag }))) ?? links[0];
  const isDevice = link?.kind === "macvtap" || link?.kind === "tun";
  if (link !== undefined && !(isDevice && link.tag?.owner === owner))
    throw notOurs(link, operation);
  return link;
}

function desiredDevice(input: InterfaceInput, config: HostConfig): DesiredDevice {
  const { deviceName: name, type, mac: guestMac, attach = true, bridgeName } = input;
  const tag = { interface: name, guestMac };
  if (type === "macvtap") {
    const parent = required(config.parentIface, "parent-iface", `the interface under ${name}`);
    return { kind: "macvtap", name, parent, mac: guestMac, tag };
  }
  if (!attach) return { kind: "tap", name, tag };
  const bridges = bridgeName === undefined ? inOrderFor([name], bridgesOf(config)) : [bridgeName];
  const bridge = required(bridges[0], "bridge-name", `the bridge of ${name}`);
  return { kind: "tap", name, ...onBridges(bridges), tag: { ...tag, bridge } };
}

function required(value: string | undefined, path: string, expected: string): string {
  if (value !== undefined) return value;
  throw new InvalidDocumentError("the host's config", [{ path, expected, received: "nothing" }]);
}

function detailsOf({ name, kind, index, mac = "", tag }: Link): InterfaceDetails {
  const guestMac = tag?.guestMac ?? mac;
  const type = kind === "macvtap" ? "macvtap" : "tap";
  return { deviceName: name, type, mac: guestMac.toUpperCase(), index };
}
