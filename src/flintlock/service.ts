/**
 * Makes the devices of a microVM's interfaces, all or none, and deletes them again. What the
 * kernel is asked is the facade's; decided here is which device goes where and how it is called.
 */
import { FlintapError, type FlintapErrorFacts } from "../error.js";
import type { Link } from "../link.js";
import type { NetworkNamespace } from "../network-namespace.js";
import { tagMatches } from "../tag.js";
import type { HostConfig } from "./config.js";
import { InvalidDocumentError } from "./invalid-document.js";
import type { Microvm, MicrovmInterface } from "./microvm.js";
import { guestMacOfTap, hostDeviceName, microvmName, tagOf, tapMacBeside } from "./names.js";
import { type NetworkStatus, type ProvisionedInterface, statusOf } from "./status.js";

/** For {@link provision}. */
export interface ProvisionOptions {
  /** The host's parent interface and bridge. */
  config: HostConfig;
  /** Where the devices are made, and whose they are. */
  namespace: NetworkNamespace;
}

/** What {@link provision} made. */
export interface Provisioned {
  /** The interfaces, in the spec's order. */
  interfaces: ProvisionedInterface[];
  /** The same in flintlock's words, by device id. */
  status: NetworkStatus;
}

/**
 * Makes the devices of all interfaces of a microVM, or none. What was made before one failed is
 * deleted again; if that fails too, the error's `leftBehind` names it.
 *
 * @throws {InvalidDocumentError} The config lacks a key that an interface needs. Nothing was sent.
 * @throws {FlintapError} The first failure, in the spec's order; with the reason
 *   `"already-provisioned"` where this microVM has a device already.
 */
export async function provision(
  microvm: Microvm,
  { config, namespace }: ProvisionOptions,
): Promise<Provisioned> {
  checkConfig(microvm, config);
  const results = await Promise.allSettled(
    microvm.interfaces.map((entry) => create(microvm, entry, config, namespace)),
  );
  const interfaces = results.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  if (interfaces.length === results.length) return { interfaces, status: statusOf(interfaces) };
  const undone = await Promise.allSettled(interfaces.map(({ link }) => remove(link, namespace)));
  const left = interfaces.filter((_, at) => undone[at]?.status === "rejected");
  throw firstOf(
    results,
    left.map(({ link }) => link.name),
  );
}

/** What became of an interface's device. */
export interface ReleasedInterface {
  /** The interface's name in the guest. */
  deviceId: string;
  /** The name that its device has or had. */
  hostDeviceName: string;
  /** False: there was none any more. */
  deleted: boolean;
}

/**
 * Deletes the devices of a microVM's interfaces. One that is gone already is a success; a device of
 * somebody else, and any error but "no such link", is a failure. The other devices are deleted all
 * the same.
 *
 * @throws {FlintapError} The first failure, in the spec's order; `leftBehind` names every device
 *   that could not be deleted.
 */
export async function release(
  microvm: Microvm,
  { namespace }: Pick<ProvisionOptions, "namespace">,
): Promise<ReleasedInterface[]> {
  const results = await Promise.allSettled(
    microvm.interfaces.map(async (entry): Promise<ReleasedInterface> => {
      const name = hostDeviceName(microvm, entry);
      const deleted = await removeOwn(microvm, entry, namespace);
      return { deviceId: entry.deviceId, hostDeviceName: name, deleted };
    }),
  );
  const released = results.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  if (released.length === results.length) return released;
  const left = microvm.interfaces.filter((_, at) => results[at]?.status === "rejected");
  throw firstOf(
    results,
    left.map((entry) => hostDeviceName(microvm, entry)),
  );
}

/** Which key of the config an interface needs: its device's place on the host. */
function placeOf({ type, bridgeName }: MicrovmInterface, config: HostConfig): string | undefined {
  return type === "tap" ? (bridgeName ?? config.bridgeName) : config.parentIface;
}

function checkConfig({ interfaces }: Microvm, config: HostConfig): void {
  const without = (type: string) =>
    interfaces
      .filter((entry) => entry.type === type && placeOf(entry, config) === undefined)
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

async function create(
  microvm: Microvm,
  entry: MicrovmInterface,
  config: HostConfig,
  namespace: NetworkNamespace,
): Promise<ProvisionedInterface> {
  const { type, guestMac } = entry;
  const name = hostDeviceName(microvm, entry);
  const tag = tagOf(microvm, entry);
  const place = placeOf(entry, config) ?? "";
  try {
    if (type === "macvtap") {
      const link = await namespace.createMacvtap({ name, parent: place, mac: guestMac, tag });
      return { ...entry, link, guestMac: link.mac ?? "" };
    }
    const mac = guestMac === undefined ? undefined : tapMacBeside(guestMac);
    const on = { bridge: place, tag: { ...tag, bridge: place } };
    const link = await namespace.createTap({ name, mac, ...on });
    return { ...entry, link, guestMac: guestMac ?? guestMacOfTap(link.mac ?? "") };
  } catch (error) {
    throw await explain(error, microvm, entry, namespace);
  }
}

/** Tells a device of this very microVM apart from somebody else's of the same name. */
async function explain(
  error: unknown,
  microvm: Microvm,
  entry: MicrovmInterface,
  namespace: NetworkNamespace,
): Promise<unknown> {
  if (!(error instanceof FlintapError) || error.reason !== "name-taken") return error;
  const holder = await namespace.getLink(hostDeviceName(microvm, entry)).catch(() => undefined);
  if (holder === undefined || !isOwn(holder, microvm, entry, namespace)) return error;
  const facts = { ...factsOf(error), reason: "already-provisioned" as const };
  return new FlintapError(facts, { cause: error });
}

/** Deletes an interface's device; false if there is none. */
async function removeOwn(
  microvm: Microvm,
  entry: MicrovmInterface,
  namespace: NetworkNamespace,
): Promise<boolean> {
  const device = hostDeviceName(microvm, entry);
  try {
    const link = await namespace.getLink(device);
    if (!isOwn(link, microvm, entry, namespace)) {
      const step = `compare its tag with ${namespace.owner}'s of ${microvmName(microvm)}`;
      throw new FlintapError({ errno: 0, reason: "not-ours", operation: "release", step, device });
    }
    await namespace.deleteLink(link);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Deletes a device that was just made. */
async function remove(link: Link, namespace: NetworkNamespace): Promise<void> {
  await namespace.deleteLink(link).catch((error) => {
    if (!isGone(error)) throw error;
  });
}

function isGone(error: unknown): boolean {
  return error instanceof FlintapError && error.reason === "no-such-link";
}

function isOwn(
  { tag }: Link,
  microvm: Microvm,
  entry: MicrovmInterface,
  { owner }: NetworkNamespace,
): boolean {
  return tag?.owner === owner && tagMatches(tag, tagOf(microvm, entry));
}

/** The first failure, which also says what is left behind by it and by the others. */
function firstOf(results: readonly PromiseSettledResult<unknown>[], left: string[]): unknown {
  const errors = results.flatMap((one): unknown[] =>
    one.status === "rejected" ? [one.reason] : [],
  );
  const [first] = errors;
  const known = errors.flatMap((error) =>
    error instanceof FlintapError ? (error.leftBehind ?? []) : [],
  );
  const leftBehind = [...new Set([...known, ...left])];
  if (leftBehind.length === 0) return first;
  if (first instanceof FlintapError) {
    return new FlintapError({ ...factsOf(first), leftBehind }, { cause: first });
  }
  return new Error(`${first}; left behind: ${leftBehind.join(", ")}`, { cause: first });
}

function factsOf(error: FlintapError): FlintapErrorFacts {
  const { errno, reason, operation, step, device, kernelMessage } = error;
  const { attribute, expected, actual, on, existing, existingMore, holder, leftBehind } = error;
  return {
    errno,
    reason,
    operation,
    step,
    device,
    kernelMessage,
    attribute,
    expected,
    actual,
    on,
    existing,
    existingMore,
    holder,
    leftBehind,
  };
}
