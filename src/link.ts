/**
 * What the kernel says of a link: the types that `getLink` and `listLinks` give.
 *
 * Every field here has one row in the schema table of the native core
 * (native/core/link/), under the same name; the codec follows from there.
 */
import type { Tag } from "./tag.js";

/** The way macvtaps on one parent reach each other (`IFLA_MACVLAN_MODE`). */
export type MacvtapMode = "bridge" | "private" | "vepa" | "passthru" | "source";

/**
 * The operational state of a link (RFC 2863, `IFLA_OPERSTATE`). A tap that no VMM holds is
 * `"down"`: it has no carrier.
 */
export type OperState =
  | "unknown"
  | "notpresent"
  | "down"
  | "lowerlayerdown"
  | "testing"
  | "dormant"
  | "up";

/**
 * What the host's own IPv6 does on a link.
 *
 * - `"closed"`: `disable_ipv6` is 1 (or the link has no IPv6 at all): no address, no route,
 *   router advertisements are ignored.
 * - `"reduced"`: address-generation mode none: no link-local address is made, but a router
 *   advertisement still gives the host an address and a default route.
 * - `"open"`: the kernel's default.
 */
export type HostIPv6 = "closed" | "reduced" | "open";

/** The host's IPv6 settings of a link, from `IFLA_AF_SPEC`/`AF_INET6`. */
export interface LinkIPv6 {
  /** The state in one word. */
  state: HostIPv6;
  /** `accept_ra`: 0 never, 1 unless forwarding, 2 always. Absent where the link has no IPv6. */
  acceptRouterAdvertisements?: number;
  /** `forwarding`. Absent where the link has no IPv6. */
  forwarding?: boolean;
}

/** 64-bit counters since the link was made (`IFLA_STATS64`); see `struct rtnl_link_stats64`. */
export interface LinkStatistics {
  /** Packets received. */
  rxPackets: bigint;
  /** Packets sent. */
  txPackets: bigint;
  /** Bytes received. */
  rxBytes: bigint;
  /** Bytes sent. */
  txBytes: bigint;
  /** Bad packets received. */
  rxErrors: bigint;
  /** Packets that could not be sent. */
  txErrors: bigint;
  /** Packets received and dropped for lack of resources. */
  rxDropped: bigint;
  /** Packets dropped on their way out. On a tap: frames for which its ring had no room. */
  txDropped: bigint;
  /** Multicast packets received. */
  multicast: bigint;
  /** Collisions on the wire. */
  collisions: bigint;
  /** Packets received that no handler wanted, such as on an inactive bond port. */
  rxNoHandler: bigint;
}

/**
 * The settings of a bridge's port (`IFLA_BRPORT_*`). Everything is optional in a request: what
 * is not named stays as the kernel has it.
 */
export interface BridgePortSettings {
  /**
   * Frames from this port reach no other isolated port (Linux 4.18). Kernel's default: false.
   * `IFLA_BRPORT_ISOLATED`.
   */
  isolated?: boolean;
  /**
   * Frames may go back out of the port they came in by. Kernel's default: false.
   * `IFLA_BRPORT_MODE`.
   */
  hairpin?: boolean;
  /**
   * Source addresses are learned from this port. Kernel's default: true.
   * `IFLA_BRPORT_LEARNING`.
   */
  learning?: boolean;
  /**
   * Unicast frames to an unknown address go out of this port. Kernel's default: true.
   * `IFLA_BRPORT_UNICAST_FLOOD`.
   */
  flood?: boolean;
  /**
   * Multicast frames that nobody subscribed to go out of this port. Kernel's default: true.
   * `IFLA_BRPORT_MCAST_FLOOD`.
   */
  mcastFlood?: boolean;
  /**
   * Broadcast frames go out of this port (Linux 4.14). Kernel's default: true.
   * `IFLA_BRPORT_BCAST_FLOOD`.
   */
  bcastFlood?: boolean;
  /**
   * ARP and ND are answered by the bridge where it can (Linux 4.15). Kernel's default: false.
   * `IFLA_BRPORT_NEIGH_SUPPRESS`.
   */
  neighSuppress?: boolean;
}

/** What the kernel says of a bridge's port. */
export interface BridgePort extends BridgePortSettings {
  /**
   * Spanning-tree state: 0 disabled (no carrier), 1 listening, 2 learning, 3 forwarding, 4 blocking.
   * `IFLA_BRPORT_STATE`.
   */
  state?: number;
  /** The port's number in its bridge, 1 to 1,023. `IFLA_BRPORT_NO`. */
  number?: number;
  /** Spanning-tree priority. `IFLA_BRPORT_PRIORITY`. */
  priority?: number;
  /** Spanning-tree path cost. `IFLA_BRPORT_COST`. */
  cost?: number;
  /**
   * A spanning-tree message that comes in here closes the port ("BPDU guard").
   * `IFLA_BRPORT_GUARD`.
   */
  guard?: boolean;
  /** The port may not lead to the spanning tree's root. `IFLA_BRPORT_PROTECT`. */
  rootBlock?: boolean;
  /** A multicast group is left at once when its member says so. `IFLA_BRPORT_FAST_LEAVE`. */
  fastLeave?: boolean;
  /** The bridge answers ARP for hosts behind other ports. `IFLA_BRPORT_PROXYARP`. */
  proxyArp?: boolean;
  /** The same as Wi-Fi access points do it (802.11, Hotspot 2.0). `IFLA_BRPORT_PROXYARP_WIFI`. */
  proxyArpWifi?: boolean;
  /** Multicast goes to each member by unicast. `IFLA_BRPORT_MCAST_TO_UCAST`. */
  mcastToUnicast?: boolean;
  /**
   * Multicast routers behind the port: 0 none, 1 found by themselves, 2 always one, 3 for a while.
   * `IFLA_BRPORT_MULTICAST_ROUTER`.
   */
  mcastRouter?: number;
  /** VLANs are mapped to tunnels. `IFLA_BRPORT_VLAN_TUNNEL`. */
  vlanTunnel?: boolean;
  /** Which link-local group addresses are forwarded, as a bit set. `IFLA_BRPORT_GROUP_FWD_MASK`. */
  groupForwardMask?: number;
  /**
   * Frames from an address that is not known behind the port are dropped (Linux 5.18).
   * `IFLA_BRPORT_LOCKED`.
   */
  locked?: boolean;
  /** What this version has no name for, if asked for: attributes in base64, for `readAttributes`. */
  unknown?: string;
}

/** What every link has. Fields that a kernel does not report are absent. */
export interface LinkBase {
  /** The kernel's word for the kind of link; the empty string for a physical one and for `lo`. */
  kind: string;
  /** The interface index, unique in its network namespace while the link lives. */
  index: number;
  /**
   * The network namespace in which it is: the number of its inode, which `lsns` shows as well. No
   * two that live have the same; that of one that is gone can be another's. Absent where /proc does
   * not show it.
   */
  namespace?: number;
  /** The interface name, 1 to 15 bytes. `IFLA_IFNAME`. */
  name: string;
  /** Alternative names (Linux 5.5), the identity among them. `IFLA_PROP_LIST`. */
  altNames: string[];
  /** The alt name that flintap gave the link when it made it: addresses this very device. */
  identity?: string;
  /**
   * The alias (`ip link … alias`), up to 255 bytes. Flintap keeps its tag there.
   * `IFLA_IFALIAS`.
   */
  alias?: string;
  /** The alias, read as a tag of flintap; absent when it is none. */
  tag?: Tag;
  /** The hardware address, lower case with colons. `IFLA_ADDRESS`. */
  mac?: string;
  /** The hardware's own address, where there is hardware. `IFLA_PERM_ADDRESS`. */
  permanentMac?: string;
  /** The link-layer broadcast address. `IFLA_BROADCAST`. */
  broadcastMac?: string;
  /** Largest packet, in bytes, without the Ethernet header. `IFLA_MTU`. */
  mtu: number;
  /** The least MTU the driver takes, in bytes. `IFLA_MIN_MTU`. */
  minMtu?: number;
  /** The largest MTU the driver takes, in bytes; 0: no limit. `IFLA_MAX_MTU`. */
  maxMtu?: number;
  /**
   * Length of the transmit queue, in packets. A tap's also sizes its ring: 0 loses every frame.
   * `IFLA_TXQLEN`.
   */
  txQueueLength?: number;
  /** Number of transmit queues. `IFLA_NUM_TX_QUEUES`. */
  txQueues?: number;
  /** Number of receive queues. `IFLA_NUM_RX_QUEUES`. */
  rxQueues?: number;
  /** The root queueing discipline. `IFLA_QDISC`. */
  qdisc?: string;
  /** The link group. `IFLA_GROUP`. */
  group?: number;
  /** Set up by the administrator (`IFF_UP`). */
  up: boolean;
  /** Set promiscuous by the administrator (`IFF_PROMISC`); see `promiscuity` for who else has. */
  promiscuous?: boolean;
  /** The interface flags (`IFF_*`), as a bit set. */
  flags: number;
  /** The link has a carrier. `IFLA_CARRIER`. */
  carrier?: boolean;
  /** How often the carrier came or went. `IFLA_CARRIER_CHANGES`. */
  carrierChanges?: number;
  /** The operational state. `IFLA_OPERSTATE`. */
  operState?: OperState;
  /** How many users have put the link into promiscuous mode. `IFLA_PROMISCUITY`. */
  promiscuity?: number;
  /** How many users have asked for all multicast. `IFLA_ALLMULTI`. */
  allMulticast?: number;
  /** The index of the link below this one: a macvtap's parent, a veth's other end (`IFLA_LINK`). */
  parent?: number;
  /** The namespace id in which `parent` counts, where that is another one (`IFLA_LINK_NETNSID`). */
  parentNamespace?: number;
  /** The index of the bridge (or other master) this link is a port of. `IFLA_MASTER`. */
  master?: number;
  /** The kind of the master, such as `"bridge"`. */
  portKind?: string;
  /** The settings of the port, where the master is a bridge. */
  port?: BridgePort;
  /** The host's own IPv6 on this link. */
  ipv6?: LinkIPv6;
  /** Counters, when they were asked for. */
  statistics?: LinkStatistics;
  /** What this version has no name for, if asked for: attributes in base64, for `readAttributes`. */
  unknown?: string;
}

/** Details of a macvtap. */
export interface MacvtapDetails {
  /** How it reaches its neighbours on the parent. `IFLA_MACVLAN_MODE`. */
  mode: MacvtapMode;
  /** `MACVLAN_FLAG_*`, as a bit set. `IFLA_MACVLAN_FLAGS`. */
  flags?: number;
  /** In mode `"source"`: the source addresses it takes frames from. `IFLA_MACVLAN_MACADDR_DATA`. */
  sourceMacs?: string[];
  /** What this version has no name for, if asked for: attributes in base64, for `readAttributes`. */
  unknown?: string;
}

/** A macvtap: its guest uses the link's own MAC, through `/dev/tap<index>`. */
export interface MacvtapLink extends LinkBase {
  kind: "macvtap";
  /** What only this kind has. */
  details: MacvtapDetails;
}

/** Details of a tap (kind `"tun"`). */
export interface TunDetails {
  /** `"tap"` carries Ethernet frames, `"tun"` IP packets. `IFLA_TUN_TYPE`. */
  type: "tap" | "tun";
  /** The user who may open it without CAP_NET_ADMIN. `IFLA_TUN_OWNER`. */
  uid?: number;
  /** The group that may open it without CAP_NET_ADMIN. `IFLA_TUN_GROUP`. */
  gid?: number;
  /** Every frame has a 4-byte header with its protocol. `IFLA_TUN_PI`. */
  packetInformation?: boolean;
  /** Every frame has a virtio-net header. `IFLA_TUN_VNET_HDR`. */
  vnetHeader?: boolean;
  /** The link stays when its last queue is closed. `IFLA_TUN_PERSIST`. */
  persistent?: boolean;
  /** More than one queue may be open. `IFLA_TUN_MULTI_QUEUE`. */
  multiQueue?: boolean;
  /** Open queues; only a multi-queue link tells. `IFLA_TUN_NUM_QUEUES`. */
  queues?: number;
  /**
   * Open queues that are disabled; only a multi-queue link tells.
   * `IFLA_TUN_NUM_DISABLED_QUEUES`.
   */
  disabledQueues?: number;
  /** What this version has no name for, if asked for: attributes in base64, for `readAttributes`. */
  unknown?: string;
}

/** A tap; the kernel's word for its kind is `"tun"`. */
export interface TapLink extends LinkBase {
  kind: "tun";
  /** What only this kind has. */
  details: TunDetails;
}

/** Details of a bridge. */
export interface BridgeDetails {
  /** How long a new port listens and learns, in hundredths of a second. `IFLA_BR_FORWARD_DELAY`. */
  forwardDelay?: number;
  /**
   * How long an address is kept without a frame from it, in hundredths of a second.
   * `IFLA_BR_AGEING_TIME`.
   */
  ageingTime?: number;
  /** The spanning-tree protocol runs. `IFLA_BR_STP_STATE`. */
  stp?: boolean;
  /** Spanning-tree priority of the bridge. `IFLA_BR_PRIORITY`. */
  priority?: number;
  /**
   * Frames are kept apart by VLAN (needs CONFIG_BRIDGE_VLAN_FILTERING).
   * `IFLA_BR_VLAN_FILTERING`.
   */
  vlanFiltering?: boolean;
  /** Multicast goes only where it was subscribed to. `IFLA_BR_MCAST_SNOOPING`. */
  mcastSnooping?: boolean;
  /** What this version has no name for, if asked for: attributes in base64, for `readAttributes`. */
  unknown?: string;
}

/** A bridge. */
export interface BridgeLink extends LinkBase {
  kind: "bridge";
  /** What only this kind has. */
  details: BridgeDetails;
}

/** One end of a veth pair; `parent` is the index of the other. */
export interface VethLink extends LinkBase {
  kind: "veth";
}

/** A physical link, or `lo`: something no rtnetlink request made. */
export interface PhysicalLink extends LinkBase {
  kind: "";
}

/**
 * A link of a kind that flintap knows. Narrow it by `kind`. The kernel has more kinds than these:
 * their links are given too, with the kernel's string as `kind`.
 */
export type Link = MacvtapLink | TapLink | BridgeLink | VethLink | PhysicalLink;

/** The type of links of one kind. */
export type LinkOfKind<Kind extends Link["kind"]> = Extract<
  Link,
  {
    /** The kind. */
    kind: Kind;
  }
>;

/**
 * How a call names a link: by name or alt name, by index, or by a link that an earlier call gave.
 *
 * A held link that flintap made is addressed by its identity, so that a reused name or index is
 * ENODEV, decided by the kernel. Any other held link must still have both its index and its name;
 * that is checked just before acting, not in the same step.
 */
export type LinkReference = string | number | LinkBase;
