/**
 * Turns what the other calls were given into what the native side takes: checks and defaults. Pure;
 * knows no handle.
 */
import type { NativeReference, NativeRequests, PlaceRole } from "./addon.js";
import {
  argumentError,
  arrayOf,
  boolean,
  type ChecksFor,
  integer,
  object,
  type Place,
  string,
} from "./check.js";
import type { LinkBase } from "./link.js";
import type { WatchRequest } from "./link-watch.js";
import { unicastMac } from "./mac.js";
import { altName, existingLinkName, newLinkName } from "./name.js";
import type {
  AttachOptions,
  DeleteOptions,
  LinkChanges,
  LinkSelection,
  ListOptions,
  MoveOptions,
  NamespaceOptions,
  OpenMacvtapOptions,
  OpenNamespaceOptions,
  ReadOptions,
  SetOptions,
  WatchOptions,
} from "./options.js";
import { linkReference } from "./reference.js";
import {
  hostIPv6,
  mtu,
  operationChecks,
  optionsOf,
  pick,
  portChecks,
  portOf,
  txQueueLength,
} from "./shared-options.js";
import {
  aliasPattern,
  isSelected,
  linkAlias,
  type TagSelection,
  tagMark,
  tagOwner,
  tagParts,
} from "./tag.js";

const attachOptions = object({
  ...operationChecks,
  ...portChecks,
  force: boolean,
} satisfies ChecksFor<AttachOptions>);

const plainOptions = object(operationChecks);

const deleteOptions = object({
  ...operationChecks,
  force: boolean,
} satisfies ChecksFor<DeleteOptions>);

const changeChecks = {
  name: newLinkName,
  addAltNames: arrayOf(altName),
  removeAltNames: arrayOf(altName),
  alias: linkAlias,
  mac: unicastMac,
  mtu,
  txQueueLength,
  up: boolean,
  promiscuous: boolean,
  hostIPv6,
} satisfies ChecksFor<LinkChanges>;

/** Those that are fields of the link. */
const nativeChanges = [
  "name",
  "alias",
  "mac",
  "mtu",
  "txQueueLength",
  "up",
  "promiscuous",
] as const;

const linkChanges = object(changeChecks);

const setOptions = object({
  ...operationChecks,
  force: boolean,
} satisfies ChecksFor<SetOptions>);

const moveOptions = object({
  ...operationChecks,
  name: newLinkName,
  force: boolean,
} satisfies ChecksFor<MoveOptions>);

const readChecks = {
  ...operationChecks,
  statistics: boolean,
  unknown: boolean,
} satisfies ChecksFor<ReadOptions>;

const readOptions = object(readChecks);

const openMacvtapOptions = object({
  ...operationChecks,
  additionalQueue: boolean,
} satisfies ChecksFor<OpenMacvtapOptions>);

const selectionChecks = {
  kind: string,
  master: linkReference,
  parent: linkReference,
  owner: string,
  tag: tagParts,
} satisfies ChecksFor<LinkSelection>;

const listOptions = object({
  ...readChecks,
  ...selectionChecks,
} satisfies ChecksFor<ListOptions>);

const watchOptions = object({
  ...operationChecks,
  ...selectionChecks,
  initial: boolean,
  receiveBuffer: integer(1, 2 ** 30),
} satisfies ChecksFor<WatchOptions>);

/** The link that a call is about. */
function linkOf(call: string, link: unknown): NativeReference {
  return linkReference(link, { call, argument: "link" });
}

/** For `attachToBridge`. */
export function attachRequest(
  link: unknown,
  bridge: unknown,
  given: unknown,
): NativeRequests["attachToBridge"] {
  const call = "attachToBridge";
  const options = attachOptions(given, optionsOf(call));
  return {
    link: linkOf(call, link),
    bridge: linkReference(bridge, { call, argument: "bridge" }),
    ...portOf(options),
    force: options.force ?? false,
  };
}

/** For `detachFromBridge`. */
export function detachRequest(link: unknown, given: unknown): NativeRequests["detachFromBridge"] {
  plainOptions(given, optionsOf("detachFromBridge"));
  return { link: linkOf("detachFromBridge", link) };
}

/** For `deleteLink`. */
export function deleteRequest(
  link: unknown,
  given: unknown,
  tagPrefix: string,
): NativeRequests["deleteLink"] {
  const options = deleteOptions(given, optionsOf("deleteLink"));
  return { link: linkOf("deleteLink", link), tagPrefix, force: options.force ?? false };
}

/** For `deleteLinks`: one for each link. A wrong one among them is an error before any is sent. */
export function deleteLinksRequests(
  links: unknown,
  given: unknown,
  tagPrefix: string,
): NativeRequests["deleteLink"][] {
  const call = "deleteLinks";
  const { force = false } = deleteOptions(given, optionsOf(call));
  const references = arrayOf(linkReference)(links, { call, argument: "links" });
  return references.map((link) => ({ link, tagPrefix, force }));
}

/** For `setLink`. */
export function setRequest(
  link: unknown,
  given: unknown,
  givenOptions: unknown,
): NativeRequests["setLink"] {
  const place = { call: "setLink", argument: "changes" };
  const changes = linkChanges(given, place);
  const { force = false } = setOptions(givenOptions, optionsOf("setLink"));
  const { addAltNames = [], removeAltNames = [] } = changes;
  if (!Object.values(changes).some((value) => !Array.isArray(value) || value.length > 0)) {
    const expected = `at least one change (${Object.keys(changeChecks).join(", ")})`;
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, given);
  }
  const both = removeAltNames.find((name) => addAltNames.includes(name));
  if (both !== undefined) {
    const at = { ...place, option: "removeAltNames" };
    throw argumentError("ERR_INVALID_ARG_VALUE", "no name that is to be added", at, both);
  }
  return {
    link: linkOf("setLink", link),
    changes: pick(changes, nativeChanges),
    ...pick(changes, ["addAltNames", "removeAltNames", "hostIPv6"]),
    tagMark,
    force,
  };
}

/** For `moveLink`; the target is asked where it is when it is known that the rest is right. */
export function moveRequest(
  link: unknown,
  given: unknown,
  tagPrefix: string,
): Omit<NativeRequests["moveLink"], "target"> {
  const options = moveOptions(given, optionsOf("moveLink"));
  return {
    link: linkOf("moveLink", link),
    ...pick(options, ["name"]),
    tagPrefix,
    force: options.force ?? false,
  };
}

/** What is read only where it is asked for. */
function extrasOf({ statistics = false, unknown = false }: ReadOptions) {
  return { statistics, unknown };
}

/** For `getLink`. */
export function getLinkRequest(link: unknown, given: unknown): NativeRequests["getLink"] {
  const options = readOptions(given, optionsOf("getLink"));
  return { link: linkOf("getLink", link), ...extrasOf(options) };
}

/** For `findLinks`. */
export function findRequest(names: unknown, given: unknown): NativeRequests["findLinks"] {
  plainOptions(given, optionsOf("findLinks"));
  return { names: arrayOf(existingLinkName)(names, { call: "findLinks", argument: "names" }) };
}

/** For `getPlace`. */
export function placeRequest(name: string, role: PlaceRole): NativeRequests["getPlace"] {
  return { link: linkOf("getPlace", name), role };
}

/** For `requireUnheld`. */
export function unheldRequest(link: LinkBase): NativeRequests["requireUnheld"] {
  return { link: linkOf("requireUnheld", link) };
}

/** For `NetworkNamespace.current`. */
export const namespaceOptions = object({ owner: tagOwner } satisfies ChecksFor<NamespaceOptions>);

/** For `NetworkNamespace.open`. */
export const openNamespaceOptions = object({
  ...operationChecks,
  owner: tagOwner,
} satisfies ChecksFor<OpenNamespaceOptions>);

/** A name of `ip netns` is refused: what it stands for is that program's to know. */
function namespacePath(path: string, place: Place): string {
  if (path.includes("/") && !path.includes("\0")) return path;
  const expected = "a path such as /run/netns/NAME or /proc/PID/ns/net";
  throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, path);
}

const byProcess = object({ pid: integer(1, 2 ** 22) }, ["pid"]);
const byDescriptor = object({ fd: integer(0, 2 ** 31 - 1) }, ["fd"]);

/** For `NetworkNamespace.open`. */
export function openNamespaceRequest(
  target: unknown,
  place: Place,
): NativeRequests["NetworkNamespace.open"] {
  if (typeof target === "string") return { path: namespacePath(target, place) };
  const expected = "the path of a namespace, { pid } or { fd }";
  if (typeof target === "object" && target !== null) {
    const [byPid, byFd] = ["pid" in target, "fd" in target];
    if (byPid && byFd) throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, target);
    if (byPid) return byProcess(target, place);
    if (byFd) return byDescriptor(target, place);
  }
  throw argumentError("ERR_INVALID_ARG_TYPE", expected, place, target);
}

/** What `listLinks` asks for, and what it looks for in the answer. */
export interface ListRequest {
  request: NativeRequests["listLinks"];
  /** Whether a link is one of those asked for. */
  matches(link: LinkBase): boolean;
}

/** What the native side, which knows no tags, looks for in the aliases. */
function aliasOf(options: TagSelection): { aliasPrefix?: string; aliasFields?: string[] } {
  if (options.owner === undefined && options.tag === undefined) return {};
  const { prefix, fields } = aliasPattern(options);
  return { aliasPrefix: prefix, ...(fields.length > 0 && { aliasFields: fields }) };
}

/** For `listLinks`. What has the alias of a tag may be none: that is looked for in the answer. */
export function listRequest(given: unknown): ListRequest {
  const options = listOptions(given, optionsOf("listLinks"));
  const filter = { ...pick(options, ["kind", "master", "parent"]), ...aliasOf(options) };
  return {
    request: { ...filter, ...extrasOf(options) },
    matches: (link) => isSelected(link.tag, options),
  };
}

/** For `watchLinks`. */
export function watchRequest(given: unknown): Omit<WatchRequest, "namespace" | "owner"> {
  const options = watchOptions(given, optionsOf("watchLinks"));
  return {
    filter: pick(options, ["kind", "master", "parent", "owner", "tag"]),
    initial: options.initial ?? false,
    receiveBuffer: options.receiveBuffer ?? 4 * 2 ** 20,
    signal: options.signal,
  };
}

/** For `openMacvtap`. */
export function openMacvtapRequest(link: unknown, given: unknown): NativeRequests["openMacvtap"] {
  const options = openMacvtapOptions(given, optionsOf("openMacvtap"));
  return { link: linkOf("openMacvtap", link), additionalQueue: options.additionalQueue ?? false };
}

/** For `openTap`. */
export function openTapRequest(link: unknown, given: unknown): NativeRequests["openTap"] {
  plainOptions(given, optionsOf("openTap"));
  return { link: linkOf("openTap", link) };
}
