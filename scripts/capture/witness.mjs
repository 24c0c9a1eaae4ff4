// What other programs said of a captured link, in the names of flintap's tables: `ip -j -d -s -s
// link show` decoded the very bytes that were captured; sysctl files and the list of names say what
// it leaves out. A field on which no witness has a word is not in the result.

/** The name of the kernel's group 0 in /etc/iproute2/group. */
const groups = { default: 0 };

function settings(said, names) {
  if (said === undefined) return {};
  return Object.fromEntries(Object.entries(names).map(([ours, theirs]) => [ours, said[theirs]]));
}

const bridgePort = {
  priority: "priority",
  cost: "cost",
  isolated: "isolated",
  hairpin: "hairpin",
  learning: "learning",
  flood: "flood",
  mcastFlood: "mcast_flood",
  bcastFlood: "bcast_flood",
  neighSuppress: "neigh_suppress",
  guard: "guard",
  rootBlock: "root_block",
  fastLeave: "fastleave",
  proxyArp: "proxy_arp",
  proxyArpWifi: "proxy_arp_wifi",
  mcastToUnicast: "mcast_to_unicast",
  mcastRouter: "multicast_router",
  vlanTunnel: "vlan_tunnel",
  locked: "locked",
};

const portStates = ["disabled", "listening", "learning", "forwarding", "blocking"];

function portOf(said) {
  if (said === undefined) return {};
  return {
    ...settings(said, bridgePort),
    state: portStates.indexOf(said.state),
    number: Number(said.no),
    groupForwardMask: Number(said.group_fwd_mask_str),
  };
}

/** The details of each kind that has any. */
const detailsOf = {
  macvtap: (said) => ({
    mode: said.mode,
    flags: said.nopromisc ? 1 : 0,
    sourceMacs: said.macaddr_data,
  }),
  tun: (said) =>
    settings(said, {
      type: "type",
      uid: "user",
      gid: "group",
      packetInformation: "pi",
      vnetHeader: "vnet_hdr",
      persistent: "persist",
      multiQueue: "multi_queue",
      queues: "numqueues",
      disabledQueues: "numdisabled",
    }),
  bridge: (said) => ({
    ...settings(said, {
      forwardDelay: "forward_delay",
      ageingTime: "ageing_time",
      priority: "priority",
    }),
    stp: said.stp_state !== 0,
    vlanFiltering: said.vlan_filtering !== 0,
    mcastSnooping: said.mcast_snooping !== 0,
  }),
};

function statistics({ rx, tx }) {
  return {
    ...settings(rx, {
      rxPackets: "packets",
      rxBytes: "bytes",
      rxErrors: "errors",
      rxDropped: "dropped",
      multicast: "multicast",
    }),
    ...settings(tx, {
      txPackets: "packets",
      txBytes: "bytes",
      txErrors: "errors",
      txDropped: "dropped",
      collisions: "collisions",
    }),
  };
}

function ipv6(sysctl, addressMode) {
  if (sysctl.disable_ipv6 === undefined) return { state: "closed" };
  const open = addressMode === "none" ? "reduced" : "open";
  return {
    state: sysctl.disable_ipv6 === 1 ? "closed" : open,
    acceptRouterAdvertisements: sysctl.accept_ra,
    forwarding: sysctl.forwarding !== 0,
  };
}

/** Text as the tests write a value; nothing where there is none. */
function format(value) {
  if (value === undefined) return "nothing";
  return Array.isArray(value) ? [...value].sort().join(", ") : String(value);
}

function* flatten(fields, path = "") {
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "object" && !Array.isArray(value))
      yield* flatten(value, `${path}${name}.`);
    else yield [`${path}${name}`, format(value)];
  }
}

/** Pairs of a field's path and its text. `others` are all links of the namespace. */
export function expectations(said, others, sysctl) {
  const { info_kind: kind = "", info_data: data, ...port } = said.linkinfo ?? {};
  const indexOf = (name) => others.find((other) => other.ifname === name)?.ifindex;
  const isUp = said.flags.includes("UP");
  return [
    ...flatten({
      kind,
      index: said.ifindex,
      name: said.ifname,
      altNames: said.altnames,
      alias: said.ifalias,
      mac: said.address ?? (said.link_type === "none" ? undefined : ""),
      broadcastMac: said.broadcast,
      mtu: said.mtu,
      minMtu: said.min_mtu,
      maxMtu: said.max_mtu,
      txQueueLength: said.txqlen,
      txQueues: said.num_tx_queues,
      rxQueues: said.num_rx_queues,
      qdisc: said.qdisc,
      group: groups[said.group] ?? Number(said.group),
      up: isUp,
      // A link that is down says nothing of its carrier in the flags.
      ...(isUp ? { carrier: said.flags.includes("LOWER_UP") } : {}),
      carrierChanges: said.stats64.tx.carrier_changes,
      operState: said.operstate.toLowerCase(),
      promiscuity: said.promiscuity,
      allMulticast: said.allmulti,
      parent: said.link_index ?? indexOf(said.link),
      parentNamespace: said.link_netnsid,
      master: indexOf(said.master),
      portKind: port.info_slave_kind,
      details: detailsOf[kind]?.(data) ?? {},
      port: portOf(port.info_slave_data),
      ipv6: ipv6(sysctl, said.inet6_addr_gen_mode),
      statistics: statistics(said.stats64),
    }),
  ];
}
