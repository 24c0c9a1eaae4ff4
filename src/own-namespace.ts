/**
 * The calls of a namespace handle as functions: they work in the process's own network namespace,
 * on one handle that is made when it is first needed.
 */

import type {
  BridgeLink,
  Link,
  LinkOfKind,
  LinkReference,
  MacvtapLink,
  TapLink,
  VethLink,
} from "./link.js";
import type { LinkWatch } from "./link-watch.js";
import { NetworkNamespace } from "./network-namespace.js";
import type {
  AttachOptions,
  CreateBridgeOptions,
  CreateMacvtapOptions,
  CreateTapOptions,
  CreateVethOptions,
  DeleteOptions,
  DeleteResult,
  Ephemeral,
  LinkChanges,
  ListKindOptions,
  ListOptions,
  MoveOptions,
  OpenMacvtapOptions,
  OperationOptions,
  Persistent,
  ReadOptions,
  SetOptions,
  WatchOptions,
} from "./options.js";
import type { DeviceQueue, EphemeralTap } from "./queue.js";

let handle: NetworkNamespace | undefined;

function own(): NetworkNamespace {
  handle ??= NetworkNamespace.current();
  return handle;
}

/** {@link NetworkNamespace.createMacvtap} in the process's own namespace. */
export async function createMacvtap(options: CreateMacvtapOptions): Promise<MacvtapLink> {
  return await own().createMacvtap(options);
}

/** {@link NetworkNamespace.createTap} in the process's own namespace, with its queues. */
export function createTap(options: CreateTapOptions & Ephemeral): Promise<EphemeralTap>;
/** {@link NetworkNamespace.createTap} in the process's own namespace. */
export function createTap(options?: CreateTapOptions & Persistent): Promise<TapLink>;
/** {@link NetworkNamespace.createTap} in the process's own namespace. */
export function createTap(options: CreateTapOptions): Promise<TapLink | EphemeralTap>;
export async function createTap(options?: CreateTapOptions): Promise<TapLink | EphemeralTap> {
  return await own().createTap(options ?? {});
}

/** {@link NetworkNamespace.createBridge} in the process's own namespace. */
export async function createBridge(options?: CreateBridgeOptions): Promise<BridgeLink> {
  return await own().createBridge(options);
}

/** {@link NetworkNamespace.createVeth} in the process's own namespace. */
export async function createVeth(options?: CreateVethOptions): Promise<[VethLink, VethLink]> {
  return await own().createVeth(options);
}

/** {@link NetworkNamespace.attachToBridge} in the process's own namespace. */
export async function attachToBridge(
  link: LinkReference,
  bridge: LinkReference,
  options?: AttachOptions,
): Promise<Link> {
  return await own().attachToBridge(link, bridge, options);
}

/** {@link NetworkNamespace.detachFromBridge} in the process's own namespace. */
export async function detachFromBridge(
  link: LinkReference,
  options?: OperationOptions,
): Promise<Link> {
  return await own().detachFromBridge(link, options);
}

/** {@link NetworkNamespace.deleteLink} in the process's own namespace. */
export async function deleteLink(link: LinkReference, options?: DeleteOptions): Promise<void> {
  await own().deleteLink(link, options);
}

/** {@link NetworkNamespace.setLink} in the process's own namespace. */
export async function setLink(
  link: LinkReference,
  changes: LinkChanges,
  options?: SetOptions,
): Promise<Link> {
  return await own().setLink(link, changes, options);
}

/** {@link NetworkNamespace.deleteLinks} in the process's own namespace. */
export async function deleteLinks(
  links: readonly LinkReference[],
  options?: DeleteOptions,
): Promise<DeleteResult[]> {
  return await own().deleteLinks(links, options);
}

/** {@link NetworkNamespace.moveLink} from the process's own namespace. */
export async function moveLink(
  link: LinkReference,
  target: NetworkNamespace,
  options?: MoveOptions,
): Promise<Link> {
  return await own().moveLink(link, target, options);
}

/** {@link NetworkNamespace.getLink} in the process's own namespace. */
export async function getLink(link: LinkReference, options?: ReadOptions): Promise<Link> {
  return await own().getLink(link, options);
}

/** {@link NetworkNamespace.findLinks} in the process's own namespace. */
export async function findLinks(
  names: readonly string[],
  options?: OperationOptions,
): Promise<Link[]> {
  return await own().findLinks(names, options);
}

/** {@link NetworkNamespace.listLinks} in the process's own namespace, of one kind. */
export function listLinks<Kind extends Link["kind"]>(
  options: ListKindOptions<Kind>,
): Promise<LinkOfKind<Kind>[]>;
/** {@link NetworkNamespace.listLinks} in the process's own namespace. */
export function listLinks(options?: ListOptions): Promise<Link[]>;
export async function listLinks(options?: ListOptions): Promise<Link[]> {
  return await own().listLinks(options);
}

/** {@link NetworkNamespace.watchLinks} in the process's own namespace. */
export function watchLinks(options?: WatchOptions): LinkWatch {
  return own().watchLinks(options);
}

/** {@link NetworkNamespace.openMacvtap} in the process's own namespace. */
export async function openMacvtap(
  link: LinkReference,
  options?: OpenMacvtapOptions,
): Promise<DeviceQueue> {
  return await own().openMacvtap(link, options);
}

/** {@link NetworkNamespace.openTap} in the process's own namespace. */
export async function openTap(
  link: LinkReference,
  options?: OperationOptions,
): Promise<DeviceQueue> {
  return await own().openTap(link, options);
}
