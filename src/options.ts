/** What the facade's calls take. Units, defaults and the kernel's part in each stand here. */
import type { BridgePortSettings, HostIPv6, Link, LinkReference, MacvtapMode } from "./link.js";
import type { TagParts } from "./tag.js";
import type { Vmm, VmmByDescriptor } from "./vmm.js";

/** What every call takes. */
export interface OperationOptions {
  /**
   * Gives the call up. One that waits for its turn never runs. A create, attach, detach, change,
   * move or open that runs already is finished and undone; a delete or a read is not. The promise
   * rejects with the signal's `reason` if nothing was done or all of it was undone; with a
   * FlintapError of reason `"aborted"` that has `leftBehind` if some of it could not be; and
   * resolves if the signal came too late.
   */
  signal?: AbortSignal;
}

/**
 * A network namespace: a path such as `/run/netns/NAME` (what `ip netns add NAME` makes) or
 * `/proc/PID/ns/net`; that of a process; or an open descriptor of one, which has to stay open until
 * the call has settled, and stays the caller's.
 */
export type NamespaceTarget =
  | string
  | {
      /** The process in whose network namespace to work. */
      pid: number;
    }
  | {
      /** A descriptor of a namespace file. */
      fd: number;
    };

/** For `NetworkNamespace.current` and `NetworkNamespace.open`. */
export interface NamespaceOptions {
  /**
   * Whose devices these are: stands in the tag of every device made, and only devices that have
   * it are deleted without force. Up to 32 bytes. Default: `"flintap"`.
   */
  owner?: string;
}

/** For `NetworkNamespace.open`. */
export interface OpenNamespaceOptions extends NamespaceOptions, OperationOptions {}

/** What every call that makes a device takes. */
export interface CreateOptions extends OperationOptions {
  /**
   * Interface name, 1 to 15 bytes without `/`, `:` and white space. Default: a prefix for the
   * kind (`flvtap`, `fltap`, `flbr`, `flveth`) filled up with random hexadecimal digits.
   */
  name?: string;
  /**
   * Further names by which the device can be found, 1 to 127 bytes each, without `/`, `:` and white
   * space. Names and alt names are unique together in a namespace: where one is taken, nothing is
   * made (reason `"alt-name-taken"`, `device` is the name). Default: none. The link's `altNames` has
   * its identity as well.
   */
  altNames?: string[];
  /**
   * Interface index, 1 to 2,147,483,647. Default: a random one above 1,000,000, so that
   * `/dev/tap<index>` is unique across network namespaces.
   */
  index?: number;
  /**
   * Hardware address; a unicast one. Given to the kernel in the create, so that nothing rewrites
   * it later (`addr_assign_type` 3). Default: locally administered and random; for a macvtap or
   * tap whose `tag` names an interface, derived from it, the microVM (or else the device's name), the
   * owner and the machine's id, so that it is the same every time. A tap's begins with `fe` and is
   * never its guest's; one for that stands in its tag then (`guestMac`). A macvtap in mode
   * `"passthru"` has its parent's.
   */
  mac?: string;
  /** Bytes. Default: the parent's for a macvtap, the kernel's (1,500) for the others. */
  mtu?: number;
  /**
   * Packets, 1 to 1,000,000: the length also sizes the ring a guest reads from. Default: the
   * parent's for a macvtap, the kernel's (1,000) for the others.
   */
  txQueueLength?: number;
  /** Set the device up. Default: true. */
  up?: boolean;
  /** What the device is for: goes into its tag, beside the handle's owner. */
  tag?: TagParts;
}

/** What {@link CreateOptions} adds for a guest's device. */
export interface GuestDeviceOptions extends CreateOptions {
  /**
   * The host's own IPv6 on the device. Default: `"closed"`; where `/proc/sys` is read-only that
   * is refused with reason `"proc-sys-read-only"`, unless the namespace's default is closed.
   */
  hostIPv6?: HostIPv6;
  /**
   * The VMM that is to open the device: it decides what of a tap depends on that, and which kinds of
   * device there can be. Default: none, then each option says what it says.
   */
  for?: Vmm;
}

/** For `createMacvtap`. */
export interface CreateMacvtapOptions extends GuestDeviceOptions {
  /**
   * The VMM that is to open it. Firecracker as it is released opens no macvtap (reason `"vmm-kind"`);
   * Cloud Hypervisor and QEMU are handed what `openMacvtap` opens.
   */
  for?: Exclude<Vmm, "firecracker">;
  /**
   * The link it stands on: a wired interface, a bond, a veth, a bridge. A link that another handle
   * gave is one of its namespace; that gets a number here (RTM_NEWNSID), which stays until one of the
   * two namespaces is gone. A wireless interface, whose access point drops frames of any MAC but the
   * interface's own, is refused (reason `"parent-wireless"`) unless in mode `"passthru"`; where it is
   * in another namespace, or no sysfs of this one can be had (which takes CAP_SYS_ADMIN, or a /sys
   * mounted in it), it is not known for what it is.
   */
  parent: LinkReference;
  /** How macvtaps on the parent reach each other. Default: `"bridge"`, directly. */
  mode?: MacvtapMode;
  /** Mode `"source"` only: the source addresses to take frames from. */
  sourceMacs?: string[];
}

/** A bridge to attach to, with the settings of its port; without a bridge there are none. */
export type PortOptions<Bridge = LinkReference> =
  | ({
      /** The bridge to attach to. Default: none. The port settings need it. */
      bridge: Bridge;
    } & BridgePortSettings)
  | ({
      /** No bridge. */
      bridge?: undefined;
    } & { [Setting in keyof BridgePortSettings]?: undefined });

/** For `createTap`. */
export type CreateTapOptions = TapOptions & PortOptions;

/** What {@link CreateTapOptions} has beside the bridge and its port. */
export interface TapOptions extends GuestDeviceOptions {
  /**
   * The tap stays until it is deleted. With `false`, its queues are handed out and the kernel
   * removes the tap when the last of them is closed. Default: true; with `for` a VMM that takes
   * descriptors, false.
   */
  persist?: boolean;
  /**
   * Several queues (`IFF_MULTI_QUEUE`); the VMM must ask for the same. Default: false. With `for`,
   * `queues` decides it.
   */
  multiQueue?: boolean;
  /**
   * With `persist: false`: how many queues to hand out, 1 to 256; several need `multiQueue`. With
   * `for`: how many the guest has. Default: 1.
   */
  queues?: number;
  /**
   * Frames carry a virtio-net header (`IFF_VNET_HDR`). A VMM that opens the tap by name asks for it
   * itself; one that is handed a queue gets what stands here, and Cloud Hypervisor needs it true.
   * Default: false.
   */
  vnetHeader?: boolean;
  /** Bytes of that header, 10 or 12. Only with `vnetHeader`. Default: the kernel's, 10. */
  vnetHeaderSize?: 10 | 12;
  /**
   * The user who may open the tap without CAP_NET_ADMIN. With `gid` as well, both have to fit.
   * Default: this process's effective user, unless there is a `gid`.
   */
  uid?: number;
  /** The group that may open the tap without CAP_NET_ADMIN. Default: none. */
  gid?: number;
  /**
   * Let everybody who may open /dev/net/tun have the tap: a tap with neither user nor group is
   * nobody's. Default: false.
   */
  anyUser?: boolean;
}

/** Of a tap that goes with the last of its queues: because it is said, or because of who opens it. */
export type Ephemeral =
  | {
      /** It is said. */
      persist: false;
    }
  | {
      /** It is not said. */
      persist?: undefined;
      /** Its VMM takes descriptors. */
      for: VmmByDescriptor;
    };

/** Of a tap that stays. */
export type Persistent =
  | {
      /** It is said. */
      persist: true;
    }
  | {
      /** It is not said. */
      persist?: undefined;
      /** Its VMM opens it by its name, or none is named. */
      for?: Exclude<Vmm, VmmByDescriptor>;
    };

/** For `createBridge`. */
export interface CreateBridgeOptions extends CreateOptions {
  /** Run the spanning-tree protocol. Default: false. */
  stp?: boolean;
  /** How long a new port listens and learns, in hundredths of a second. Default: 0, or 1500 with `stp`. */
  forwardDelay?: number;
  /** How long an address is kept without a frame from it, in hundredths of a second. Kernel's default: 30,000. */
  ageingTime?: number;
  /** Keep frames apart by VLAN. Kernel's default: false. */
  vlanFiltering?: boolean;
  /** Send multicast only where it was subscribed to. Kernel's default: true. */
  mcastSnooping?: boolean;
  /**
   * Let a router advertisement, also one that a guest sends, give the host an address and a
   * default route on the bridge. Default: false (`accept_ra` 0).
   */
  acceptRouterAdvertisements?: boolean;
}

/** For `createVeth`. */
export interface CreateVethOptions extends CreateOptions {
  /** The other end; its own name, MAC and so on. Its tag, by default, is that of this end. */
  peer?: Omit<CreateOptions, "signal">;
  /** The host's own IPv6 on both ends. Default: `"open"`: a veth is the host's own. */
  hostIPv6?: HostIPv6;
}

/** For `attachToBridge`. */
export interface AttachOptions extends BridgePortSettings, OperationOptions {
  /** Take the link even from another master. Default: false. */
  force?: boolean;
}

/** For `deleteLink`. */
export interface DeleteOptions extends OperationOptions {
  /** Delete also what is not tagged by this handle's owner. Default: false. */
  force?: boolean;
}

/** What `setLink` changes; at least one is named. What is not named stays. */
export interface LinkChanges {
  /**
   * Another name, as for a new link. Before Linux 6.2, a link is renamed only while it is down
   * (reason `"link-is-up"`).
   */
  name?: string;
  /** Alt names to add, up to 127 bytes each (Linux 5.5). With `name`, the old name may be one. */
  addAltNames?: string[];
  /** Alt names to remove; not flintap's own mark. With `name`, one of them may be the new name. */
  removeAltNames?: string[];
  /** The alias, up to 255 bytes; the empty string removes it. Of a tagged link only with `force`. */
  alias?: string;
  /**
   * Hardware address; a unicast one. A macvtap's guest has to use the new one from then on. A bridge
   * keeps one that was set, also the one that it has, when ports come and go.
   */
  mac?: string;
  /**
   * Bytes. Below 1,280 a link has no IPv6; where it is raised again, a link that flintap made is
   * closed, whatever it was before, and down for a moment, so that it is closed before it is up. The
   * kernel lowers the macvtaps that stand on a link with it, and leaves them so.
   */
  mtu?: number;
  /** Packets, 1 to 1,000,000: the length also sizes the ring a guest reads from, at once. */
  txQueueLength?: number;
  /** Up or down. */
  up?: boolean;
  /** Take every frame (`IFF_PROMISC`). */
  promiscuous?: boolean;
  /**
   * The host's own IPv6 on the link. `"closed"` takes all IPv6 addresses from it; `"reduced"` leaves
   * those it has; `"open"` has the kernel make one as the namespace's default is. Without IPv6 it
   * cannot be opened (reason `"no-ipv6"`), and without a writable `/proc/sys` neither opened nor
   * closed. Default: as it is, with what `mtu` says.
   */
  hostIPv6?: HostIPv6;
}

/** For `setLink`. */
export interface SetOptions extends OperationOptions {
  /** Change the alias even where it is a tag, of whichever owner. Default: false. */
  force?: boolean;
}

/** What became of one link of `deleteLinks`. */
export type DeleteResult =
  | {
      /** The link, as it was named. */
      link: LinkReference;
      /** It is gone. */
      deleted: true;
    }
  | {
      /** The link, as it was named. */
      link: LinkReference;
      /** It was not deleted. */
      deleted: false;
      /** Why: a FlintapError, or the signal's reason. */
      error: unknown;
    };

/** For `moveLink`. */
export interface MoveOptions extends OperationOptions {
  /**
   * Its name there. Default: the one it has. The kernel then takes the link by its index, so that
   * its identity is looked at before and after, not in the same step.
   */
  name?: string;
  /** Move also what is not tagged by this handle's owner, a physical link too. Default: false. */
  force?: boolean;
}

/** For `getLink`. */
export interface ReadOptions extends OperationOptions {
  /** Ask for the 64-bit counters, too. Default: false. */
  statistics?: boolean;
  /**
   * Give what this version has no name for, too: `unknown` in the link, its details and its port.
   * Default: false.
   */
  unknown?: boolean;
}

/** Which links: those for which everything named holds. */
export interface LinkSelection {
  /** The kernel's word for the kind; taps are `"tun"`. */
  kind?: string;
  /** Ports of this bridge. */
  master?: LinkReference;
  /** Links that stand on this one. */
  parent?: LinkReference;
  /** Links whose tag has this owner. */
  owner?: string;
  /**
   * Links whose tag has these parts, as `tagMatches` compares them; `{}`: links that have a tag. Of
   * which owner it is, is another matter: `owner`.
   */
  tag?: TagParts;
}

/** For `listLinks`. */
export interface ListOptions extends LinkSelection, ReadOptions {}

/** For `watchLinks`: an event is told if its link is selected, or was before. */
export interface WatchOptions extends LinkSelection, OperationOptions {
  /**
   * Begin with an `"added"` event for every link that is there: a list and a watch without a gap
   * between them. Default: false; then only what happens from the call on is told.
   */
  initial?: boolean;
  /**
   * Bytes that the kernel keeps of events which the thread has not read yet; beyond `rmem_max` with
   * CAP_NET_ADMIN only. Too few make it list all links more often. Default: 4 MiB.
   */
  receiveBuffer?: number;
}

/** For `listLinks`, when it is asked for a kind that flintap knows: gives links of its type. */
export interface ListKindOptions<Kind extends Link["kind"]> extends ListOptions {
  kind: Kind;
}

/** For `openMacvtap`. */
export interface OpenMacvtapOptions extends OperationOptions {
  /**
   * Open one more queue although this process has one open already. Traffic is spread over all
   * queues, so each must be read. Default: false.
   */
  additionalQueue?: boolean;
}
