/**
 * Turns what a call was given into what the native side takes: checks, defaults, names, addresses
 * and tags. Pure; knows no handle.
 *
 * A create's request comes in two steps. The options are checked and copied when the call is made;
 * what has to be known of the host for its tag and addresses is filled in when it is.
 */
import type { NativeReference, NativeRequests, NativeSettings } from "./addon.js";
import {
  abortSignal,
  argumentError,
  arrayOf,
  boolean,
  type ChecksFor,
  integer,
  object,
  oneOf,
  type Place,
  string,
} from "./check.js";
import type { BridgePortSettings, LinkBase } from "./link.js";
import type { WatchRequest } from "./link-watch.js";
import { randomMac, stableMac, unicastMac } from "./mac.js";
import { altName, type MadeKind, newLinkName, randomName } from "./name.js";
import type {
  AttachOptions,
  CreateBridgeOptions,
  CreateMacvtapOptions,
  CreateOptions,
  CreateTapOptions,
  CreateVethOptions,
  DeleteOptions,
  LinkChanges,
  LinkSelection,
  ListOptions,
  MoveOptions,
  OpenMacvtapOptions,
  OperationOptions,
  ReadOptions,
  SetOptions,
  WatchOptions,
} from "./options.js";
import { linkIndex, linkReference } from "./reference.js";
import { formatTag, linkAlias, type TagParts, tagMark, tagParts } from "./tag.js";

/** Who makes a device, where and when. */
export interface Origin {
  owner: string;
  bootId?: string;
  machineId?: string;
  now: Date;
}

/** A request that only lacks its origin. */
export type Prepared<Name extends keyof NativeRequests> = (origin: Origin) => NativeRequests[Name];

const maxUint32 = 2 ** 32 - 1;

/** The kernel allocates a ring of so many pointers, and says EPERM or ENOMEM where it can't. */
const maxQueueLength = 1_000_000;

const operationChecks = { signal: abortSignal } satisfies ChecksFor<OperationOptions>;

const deviceChecks = {
  name: newLinkName,
  index: linkIndex,
  mac: unicastMac,
  mtu: integer(1, 2 ** 31 - 1),
  txQueueLength: integer(1, maxQueueLength),
  up: boolean,
  tag: tagParts,
} satisfies ChecksFor<Omit<CreateOptions, "signal">>;

const createChecks = { ...deviceChecks, ...operationChecks };

const hostIPv6 = oneOf("closed", "reduced", "open");

const portChecks = {
  isolated: boolean,
  hairpin: boolean,
  learning: boolean,
  flood: boolean,
  mcastFlood: boolean,
  bcastFlood: boolean,
  neighSuppress: boolean,
} satisfies ChecksFor<BridgePortSettings>;

const portSettings = Object.keys(portChecks) as (keyof BridgePortSettings)[];

const userOrGroup = integer(0, maxUint32 - 1);

const macvtapOptions = object(
  {
    ...createChecks,
    hostIPv6,
    parent: linkReference,
    mode: oneOf("bridge", "private", "vepa", "passthru", "source"),
    sourceMacs: arrayOf(unicastMac),
  } satisfies ChecksFor<CreateMacvtapOptions>,
  ["parent"],
);

const tapOptions = object({
  ...createChecks,
  ...portChecks,
  hostIPv6,
  bridge: linkReference,
  persist: boolean,
  multiQueue: boolean,
  queues: integer(1, 256),
  vnetHeader: boolean,
  vnetHeaderSize: oneOf(10, 12),
  uid: userOrGroup,
  gid: userOrGroup,
  anyUser: boolean,
} satisfies ChecksFor<CreateTapOptions>);

const bridgeOptions = object({
  ...createChecks,
  stp: boolean,
  forwardDelay: integer(0, maxUint32),
  ageingTime: integer(0, maxUint32),
  vlanFiltering: boolean,
  mcastSnooping: boolean,
  acceptRouterAdvertisements: boolean,
} satisfies ChecksFor<CreateBridgeOptions>);

const vethOptions = object({
  ...createChecks,
  peer: object(deviceChecks),
  hostIPv6,
} satisfies ChecksFor<CreateVethOptions>);

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
  mtu: integer(1, 2 ** 31 - 1),
  txQueueLength: integer(1, maxQueueLength),
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

const readOptions = object({
  ...operationChecks,
  statistics: boolean,
} satisfies ChecksFor<ReadOptions>);

const openMacvtapOptions = object({
  ...operationChecks,
  additionalQueue: boolean,
} satisfies ChecksFor<OpenMacvtapOptions>);

const selectionChecks = {
  kind: string,
  master: linkReference,
  parent: linkReference,
  owner: string,
} satisfies ChecksFor<LinkSelection>;

const listOptions = object({
  ...operationChecks,
  ...selectionChecks,
  statistics: boolean,
} satisfies ChecksFor<ListOptions>);

const watchOptions = object({
  ...operationChecks,
  ...selectionChecks,
  initial: boolean,
  receiveBuffer: integer(1, 2 ** 30),
} satisfies ChecksFor<WatchOptions>);

/** The place of a call's options. */
function optionsOf(call: string): Place {
  return { call, argument: "options" };
}

/** The link that a call is about. */
function linkOf(call: string, link: unknown): NativeReference {
  return linkReference(link, { call, argument: "link" });
}

/** Those of the keys that are set. */
function pick<T extends object, Key extends keyof T>(from: T, keys: readonly Key[]): Pick<T, Key> {
  const set = keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]] as const);
  return Object.fromEntries(set) as Pick<T, Key>;
}

/** The port settings that are named, if any is: an absent `port` leaves the port alone. */
function portOf(options: BridgePortSettings): { port?: BridgePortSettings } {
  const port = pick(options, portSettings);
  return Object.keys(port).length === 0 ? {} : { port };
}

/** Refuses the first of `keys` that is set. */
function refuseOptions<T extends object>(
  options: T,
  keys: readonly (keyof T & string)[],
  expected: string,
  place: Place,
): void {
  const key = keys.find((candidate) => options[candidate] !== undefined);
  if (key === undefined) return;
  const at = { ...place, option: key };
  throw argumentError("ERR_INVALID_ARG_VALUE", expected, at, options[key]);
}

function defaultMac(kind: MadeKind, tag: TagParts, { owner, machineId }: Origin): string {
  if (kind !== "macvtap" && kind !== "tap") return randomMac();
  const role = kind === "tap" ? "tap" : "guest";
  const { microvm, interface: device } = tag;
  if (machineId === undefined || microvm === undefined || device === undefined)
    return randomMac(role);
  return stableMac(machineId, JSON.stringify([owner, microvm, device]), role);
}

/** The kernel's words for what is made. */
const kernelKinds: Readonly<Record<MadeKind, NativeSettings["kind"]>> = {
  macvtap: "macvtap",
  tap: "tun",
  bridge: "bridge",
  veth: "veth",
};

/** What every kind of link is made with. */
function settings(kind: MadeKind, options: CreateOptions, origin: Origin): NativeSettings {
  const { owner, bootId, now: createdAt } = origin;
  const tag = options.tag ?? {};
  return {
    kind: kernelKinds[kind],
    name: options.name ?? randomName(kind),
    alias: formatTag({ ...tag, owner, createdAt, bootId }),
    mac: options.mac ?? defaultMac(kind, tag, origin),
    up: options.up ?? true,
    ...pick(options, ["index", "mtu", "txQueueLength"]),
  };
}

/** For `createMacvtap`. */
export function createMacvtapRequest(given: unknown): Prepared<"createMacvtap"> {
  const place = optionsOf("createMacvtap");
  const options = macvtapOptions(given, place);
  const { parent, mode = "bridge" } = options;
  if (mode !== "source")
    refuseOptions(options, ["sourceMacs"], "no value unless `mode` is 'source'", place);
  const details = { mode, ...pick(options, ["sourceMacs"]) };
  return (origin) => {
    const link: NativeSettings = { ...settings("macvtap", options, origin), details };
    // It has its parent's, and the kernel lets it have no other.
    if (mode === "passthru" && options.mac === undefined) delete link.mac;
    return { parent, link, hostIPv6: options.hostIPv6 ?? "closed" };
  };
}

/**
 * Who may open a tap without CAP_NET_ADMIN. A tap with neither user nor group is open to everybody
 * who may open /dev/net/tun.
 */
function tapOwner({
  uid,
  gid,
  anyUser = false,
}: Pick<CreateTapOptions, "uid" | "gid" | "anyUser">) {
  if (uid !== undefined || gid !== undefined || anyUser) return pick({ uid, gid }, ["uid", "gid"]);
  return { uid: process.geteuid?.() };
}

/** For `createTap`. */
export function createTapRequest(given: unknown): Prepared<"createTap"> {
  const place = optionsOf("createTap");
  const options = tapOptions(given, place);
  const { bridge, persist = true, multiQueue = false, vnetHeader = false, queues = 1 } = options;
  if (bridge === undefined)
    refuseOptions(options, portSettings, "no value without option `bridge`", place);
  if (persist) refuseOptions(options, ["queues"], "no value unless `persist` is false", place);
  if (!multiQueue && queues > 1)
    refuseOptions(options, ["queues"], "1 unless `multiQueue` is true", place);
  if (!vnetHeader)
    refuseOptions(options, ["vnetHeaderSize"], "no value unless `vnetHeader` is true", place);
  if (options.anyUser)
    refuseOptions(options, ["uid", "gid"], "no value where `anyUser` is true", place);
  return (origin) => ({
    ...pick(options, ["bridge"]),
    ...portOf(options),
    link: settings("tap", options, origin),
    hostIPv6: options.hostIPv6 ?? "closed",
    persistent: persist,
    multiQueue,
    vnetHeader,
    queues: persist ? 0 : queues,
    ...pick(options, ["vnetHeaderSize"]),
    ...tapOwner(options),
  });
}

/** For `createBridge`. */
export function createBridgeRequest(given: unknown): Prepared<"createBridge"> {
  const options = bridgeOptions(given, optionsOf("createBridge"));
  const { stp = false, forwardDelay = stp ? 1500 : 0 } = options;
  const details = {
    stp,
    forwardDelay,
    ...pick(options, ["ageingTime", "vlanFiltering", "mcastSnooping"]),
  };
  return (origin) => ({
    link: { ...settings("bridge", options, origin), details },
    acceptRouterAdvertisements: options.acceptRouterAdvertisements ?? false,
  });
}

/** For `createVeth`. */
export function createVethRequest(given: unknown): Prepared<"createVeth"> {
  const options = vethOptions(given, optionsOf("createVeth"));
  const peer = { tag: options.tag, ...options.peer };
  return (origin) => ({
    link: settings("veth", options, origin),
    peer: settings("veth", peer, origin),
    hostIPv6: options.hostIPv6 ?? "open",
  });
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

/** For `getLink`. */
export function getLinkRequest(link: unknown, given: unknown): NativeRequests["getLink"] {
  const options = readOptions(given, optionsOf("getLink"));
  return { link: linkOf("getLink", link), statistics: options.statistics ?? false };
}

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
): NativeRequests["openNamespace"] {
  if (typeof target === "string") return { path: namespacePath(target, place) };
  if (typeof target === "object" && target !== null && "pid" in target)
    return byProcess(target, place);
  if (typeof target === "object" && target !== null && "fd" in target)
    return byDescriptor(target, place);
  const expected = "the path of a namespace, { pid } or { fd }";
  throw argumentError("ERR_INVALID_ARG_TYPE", expected, place, target);
}

/** What `listLinks` asks for, and what it looks for in the answer. */
export interface ListRequest {
  request: NativeRequests["listLinks"];
  /** Whether a link is one of those asked for. */
  matches(link: LinkBase): boolean;
}

/** For `listLinks`. The native side knows no tags: `owner` is looked for in the answer. */
export function listRequest(given: unknown): ListRequest {
  const options = listOptions(given, optionsOf("listLinks"));
  const { owner, statistics = false } = options;
  return {
    request: { ...pick(options, ["kind", "master", "parent"]), statistics },
    matches: (link) => owner === undefined || link.tag?.owner === owner,
  };
}

/** For `watchLinks`. */
export function watchRequest(given: unknown): Omit<WatchRequest, "namespace"> {
  const options = watchOptions(given, optionsOf("watchLinks"));
  return {
    filter: pick(options, ["kind", "master", "parent", "owner"]),
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
