/**
 * Two accounts of one link in the same terms: flintap's and iproute2's. What one of them does not
 * tell of a link is undefined in both.
 */
import type { Link } from "../../src/index.js";
import type { IpLink } from "./iproute2.js";

type Account = Record<string, unknown>;

/** The flags that both name. */
const flagBits = {
  UP: 0x1,
  BROADCAST: 0x2,
  LOOPBACK: 0x8,
  POINTOPOINT: 0x10,
  NOARP: 0x80,
  PROMISC: 0x100,
  ALLMULTI: 0x200,
  MASTER: 0x400,
  SLAVE: 0x800,
  MULTICAST: 0x1000,
  LOWER_UP: 0x10000,
};

const portStates = ["disabled", "listening", "learning", "forwarding", "blocking"];

/** A number out of iproute2's account: it gives some as hexadecimal text, some as 0 and 1. */
const number = (value: unknown): number | undefined =>
  value === undefined ? undefined : Number(value);
const flag = (value: unknown): boolean | undefined =>
  value === undefined ? undefined : Boolean(value);

/** What the kinds that flintap knows have of their own. */
const detailsOf: Record<string, (data: Account) => Account> = {
  macvtap: ({ mode }) => ({ mode }),
  tun: (data) => ({
    type: data.type,
    packetInformation: data.pi,
    vnetHeader: data.vnet_hdr,
    persistent: data.persist,
    multiQueue: data.multi_queue,
    queues: data.numqueues,
    disabledQueues: data.numdisabled,
  }),
  bridge: (data) => ({
    forwardDelay: data.forward_delay,
    ageingTime: data.ageing_time,
    stp: flag(data.stp_state),
    priority: data.priority,
    vlanFiltering: flag(data.vlan_filtering),
    mcastSnooping: flag(data.mcast_snooping),
  }),
};

function portAccount(data: Account): Account {
  return {
    state: portStates.indexOf(String(data.state)),
    number: number(data.no),
    priority: data.priority,
    cost: data.cost,
    isolated: data.isolated,
    hairpin: data.hairpin,
    learning: data.learning,
    flood: data.flood,
    mcastFlood: data.mcast_flood,
    bcastFlood: data.bcast_flood,
    neighSuppress: data.neigh_suppress,
  };
}

/** iproute2's account of a link; `all` is what its names of other links are looked up in. */
export function ipAccount(link: IpLink, all: readonly IpLink[]): Account {
  const indexOf = (name: string | null | undefined): number | undefined =>
    all.find(({ ifname }) => ifname === name)?.ifindex;
  const { info_kind, info_data, info_slave_kind, info_slave_data } = link.linkinfo ?? {};
  const details = detailsOf[info_kind ?? ""];
  return {
    kind: info_kind ?? "",
    index: link.ifindex,
    name: link.ifname,
    altNames: link.altnames ?? [],
    alias: link.ifalias,
    mac: link.address,
    broadcastMac: link.broadcast,
    mtu: link.mtu,
    minMtu: link.min_mtu,
    maxMtu: link.max_mtu,
    txQueueLength: link.txqlen,
    txQueues: link.num_tx_queues,
    rxQueues: link.num_rx_queues,
    qdisc: link.qdisc,
    group: link.group === "default" ? 0 : Number(link.group),
    // Not those that iproute2 concludes: NO-CARRIER, and M-DOWN of a link whose parent is down.
    flags: link.flags.filter((name) => name in flagBits).toSorted(),
    operState: link.operstate.toLowerCase(),
    promiscuity: link.promiscuity,
    allMulticast: link.allmulti,
    parent: link.link_index ?? indexOf(link.link),
    parentNamespace: link.link_netnsid,
    master: indexOf(link.master),
    portKind: info_slave_kind,
    details: details && info_data && details(info_data),
    port: info_slave_kind === "bridge" ? portAccount(info_slave_data ?? {}) : undefined,
  };
}

/** Those fields of `own` that `other` has, too. */
function narrow(own: unknown, other: unknown): unknown {
  if (typeof own !== "object" || own === null) return undefined;
  const keys = Object.keys((other ?? {}) as Account);
  return Object.fromEntries(keys.map((key) => [key, (own as Account)[key]]));
}

/** flintap's account of the same link, in the same fields. */
export function flintapAccount(link: Link, ip: Account): Account {
  const { flags, ...rest } = link;
  const names = Object.entries(flagBits).flatMap(([name, bit]) => (flags & bit ? [name] : []));
  const account: Account = { ...rest, flags: names.toSorted() };
  account.details = narrow(account.details, ip.details);
  account.port = narrow(account.port, ip.port);
  return narrow(account, ip) as Account;
}
