/**
 * Turns what a create was given into what the native side takes: checks, defaults, names, addresses
 * and tags. Pure; knows no handle.
 *
 * A create's request comes in two steps. The options are checked and copied when the call is made;
 * what has to be known of the host for its tag and addresses is filled in when it is.
 */
import type { NativeRequests, NativeSettings } from "./addon.js";
import {
  argumentError,
  arrayOf,
  boolean,
  type ChecksFor,
  integer,
  object,
  oneOf,
  type Place,
  refuseOptions,
} from "./check.js";
import { guestMacBeside, randomMac, stableMac, tapMacBeside, unicastMac } from "./mac.js";
import { altName, type MadeKind, newLinkName, randomName } from "./name.js";
import type {
  CreateBridgeOptions,
  CreateMacvtapOptions,
  CreateOptions,
  CreateTapOptions,
  CreateVethOptions,
  GuestDeviceOptions,
} from "./options.js";
import { linkIndex, linkReference } from "./reference.js";
import {
  copy,
  hostIPv6,
  mtu,
  operationChecks,
  optionsOf,
  pick,
  portChecks,
  portOf,
  portSettings,
  queueCount,
  txQueueLength,
} from "./shared-options.js";
import { formatTag, type TagParts, tagParts } from "./tag.js";
import { checkTapShape, requireMacvtaps, tapShape, vmms } from "./vmm.js";

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

const deviceChecks = {
  name: newLinkName,
  altNames: arrayOf(altName),
  index: linkIndex,
  mac: unicastMac,
  mtu,
  txQueueLength,
  up: boolean,
  tag: tagParts,
} satisfies ChecksFor<Omit<CreateOptions, "signal">>;

const createChecks = { ...deviceChecks, ...operationChecks };

const guestDeviceChecks = { hostIPv6, for: oneOf(...vmms) } satisfies ChecksFor<
  Omit<GuestDeviceOptions, keyof CreateOptions>
>;

const userOrGroup = integer(0, maxUint32 - 1);

const macvtapOptions = object(
  {
    ...createChecks,
    ...guestDeviceChecks,
    parent: linkReference,
    mode: oneOf("bridge", "private", "vepa", "passthru", "source"),
    sourceMacs: arrayOf(unicastMac),
  } satisfies ChecksFor<Omit<CreateMacvtapOptions, "for">>,
  ["parent"],
);

const tapOptions = object({
  ...createChecks,
  ...portChecks,
  ...guestDeviceChecks,
  bridge: linkReference,
  persist: boolean,
  multiQueue: boolean,
  queues: queueCount,
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

/** Refuses an alt name that is a name of what is made already, be it of the other end of a pair. */
function refuseRepeatedNames(
  options: CreateOptions & Pick<CreateVethOptions, "peer">,
  place: Place,
): void {
  if (options.altNames === undefined && options.peer?.altNames === undefined) return;
  const names = new Set([options.name, options.peer?.name]);
  const refuseRepeated = (altNames: readonly string[] = [], option: string): void => {
    for (const name of altNames) {
      const at = { ...place, option };
      if (names.has(name))
        throw argumentError("ERR_INVALID_ARG_VALUE", "no name that comes twice", at, name);
      names.add(name);
    }
  };
  refuseRepeated(options.altNames, "altNames");
  refuseRepeated(options.peer?.altNames, "peer.altNames");
}

function defaultMac(kind: MadeKind, { name, tag = {} }: CreateOptions, origin: Origin): string {
  if (kind !== "macvtap" && kind !== "tap") return randomMac();
  const role = kind === "tap" ? "tap" : "guest";
  const { owner, machineId } = origin;
  const { microvm = name, interface: device } = tag;
  if (machineId === undefined || microvm === undefined || device === undefined)
    return randomMac(role);
  return stableMac(machineId, JSON.stringify([owner, microvm, device]), role);
}

/**
 * The MAC that a create would choose for a guest, where that is the same every time; the one that is
 * said, where it is.
 */
export function stableGuestMac(
  kind: "macvtap" | "tap",
  { name, mac, tag = {} }: Pick<CreateOptions, "name" | "mac" | "tag">,
  origin: Origin,
): string | undefined {
  const known = origin.machineId !== undefined && tag.interface !== undefined;
  const own = mac ?? (known ? defaultMac(kind, { name, tag }, origin) : undefined);
  return tagWith(own, kind, tag).guestMac;
}

/** Adds the guest's MAC where it follows from the device's, so that it is found again. */
export function tagWith(mac: string | undefined, kind: MadeKind, tag: TagParts): TagParts {
  if (mac === undefined) return tag;
  if (tag.guestMac !== undefined) return tag;
  if (kind === "macvtap") return { ...tag, guestMac: mac };
  if (kind !== "tap" || tag.interface === undefined || !mac.startsWith("fe")) return tag;
  return { ...tag, guestMac: guestMacBeside(mac) };
}

/** The kernel's words for what is made. */
const kernelKinds: Readonly<Record<MadeKind, NativeSettings["kind"]>> = {
  macvtap: "macvtap",
  tap: "tun",
  bridge: "bridge",
  veth: "veth",
};

/** Options that the native side takes as they are. */
const passedOn = ["altNames", "index", "mtu", "txQueueLength"] as const;

/** What every kind of link is made with; `parentsMac`: it has no MAC of its own. */
function settings(
  kind: MadeKind,
  options: CreateOptions,
  origin: Origin,
  parentsMac = false,
): NativeSettings {
  const { owner, bootId, now: createdAt } = origin;
  const own = parentsMac ? undefined : (options.mac ?? defaultMac(kind, options, origin));
  const mac = kind === "tap" && own === options.tag?.guestMac ? own && tapMacBeside(own) : own;
  const tag = tagWith(mac, kind, options.tag ?? {});
  // A spread that is not a literal's first is several times as dear as all the rest here.
  const made: NativeSettings = {
    kind: kernelKinds[kind],
    name: options.name ?? randomName(kind),
    alias: formatTag({ ...tag, owner, createdAt, bootId }),
    up: options.up ?? true,
  };
  if (mac !== undefined) made.mac = mac;
  copy(options, passedOn, made);
  return made;
}

/** For `createMacvtap`. */
export function createMacvtapRequest(given: unknown): Prepared<"createMacvtap"> {
  const place = optionsOf("createMacvtap");
  const options = macvtapOptions(given, place);
  refuseRepeatedNames(options, place);
  const { parent, mode = "bridge" } = options;
  requireMacvtaps(options.for, {
    operation: "createMacvtap",
    step: "check the VMM",
    device: options.name,
  });
  if (mode !== "source")
    refuseOptions(options, ["sourceMacs"], "no value unless `mode` is 'source'", place);
  const details: NativeSettings["details"] = { mode };
  copy(options, ["sourceMacs"], details);
  // The kernel lets it have no other.
  const parentsMac = mode === "passthru" && options.mac === undefined;
  return (origin) => {
    const link = settings("macvtap", options, origin, parentsMac);
    link.details = details;
    return { parent, link, hostIPv6: options.hostIPv6 ?? "closed" };
  };
}

/**
 * Who may open a tap without CAP_NET_ADMIN. A tap with neither user nor group is open to everybody
 * who may open /dev/net/tun.
 */
export function tapOwner({
  uid,
  gid,
  anyUser = false,
}: Pick<CreateTapOptions, "uid" | "gid" | "anyUser">): { uid?: number; gid?: number } {
  if (uid !== undefined || gid !== undefined || anyUser) return pick({ uid, gid }, ["uid", "gid"]);
  return { uid: process.geteuid?.() };
}

/** For `createTap`. */
export function createTapRequest(given: unknown): Prepared<"createTap"> {
  const place = optionsOf("createTap");
  const options = tapOptions(given, place);
  refuseRepeatedNames(options, place);
  const { bridge } = options;
  if (bridge === undefined)
    refuseOptions(options, portSettings, "no value without option `bridge`", place);
  checkTapShape(options, place);
  if (options.anyUser)
    refuseOptions(options, ["uid", "gid"], "no value where `anyUser` is true", place);
  const { mac, tag = {} } = options;
  if (mac !== undefined && mac === tag.guestMac) {
    const expected = "another MAC than the guest's: the bridge would keep the guest's frames";
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, { ...place, option: "mac" }, mac);
  }
  const { port } = portOf(options);
  const shape = tapShape(options);
  return (origin) => {
    const request: NativeRequests["createTap"] = {
      link: settings("tap", options, origin),
      hostIPv6: options.hostIPv6 ?? "closed",
      persistent: shape.persist,
      multiQueue: shape.multiQueue,
      vnetHeader: shape.vnetHeader,
      queues: shape.persist ? 0 : shape.queues,
    };
    copy({ bridge, port }, ["bridge", "port"], request);
    copy(shape, ["vnetHeaderSize"], request);
    copy(tapOwner(options), ["uid", "gid"], request);
    return request;
  };
}

/** For `createBridge`. */
export function createBridgeRequest(given: unknown): Prepared<"createBridge"> {
  const place = optionsOf("createBridge");
  const options = bridgeOptions(given, place);
  refuseRepeatedNames(options, place);
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
  const place = optionsOf("createVeth");
  const options = vethOptions(given, place);
  refuseRepeatedNames(options, place);
  const peer = { tag: options.tag, ...options.peer };
  return (origin) => ({
    link: settings("veth", options, origin),
    peer: settings("veth", peer, origin),
    hostIPv6: options.hostIPv6 ?? "open",
  });
}
