// What is captured: each scene is a shell script for a network namespace of its own, in which it
// traces one program. `look DEVICE` traces `ip link show` and asks the witnesses: its fixture holds
// the message about that device. `trace PROGRAM` traces anything else; there `keep` says which
// datagrams the fixture holds: "all", or the n-th of a direction (-1 is the last one); "events" are
// those that flintap's watch is sent. Indexes and addresses are fixed, so that two captures differ only where two kernels do.

const pair = [
  "ip link add enp0 index 101 address 02:00:00:00:00:01 type veth \\",
  "  peer name wire index 100 address 02:00:00:00:00:02",
].join("\n");
const bridge = "ip link add br0 index 200 address 02:00:00:00:02:00 type bridge";

function macvtap(mode, more = "") {
  return [
    pair,
    "ip link set wire up && ip link set enp0 up",
    `ip link add link enp0 name mv0 index 300 address 02:00:00:00:03:00 mtu 1400 \\`,
    `  type macvtap mode ${mode}${more}`,
    "ip link set mv0 up",
    "look mv0",
  ].join("\n");
}

const portFlags = [
  "isolated",
  "hairpin",
  "learning",
  "flood",
  "mcast_flood",
  "bcast_flood",
  "neigh_suppress",
  "guard",
  "root_block",
  "fastleave",
  "proxy_arp",
  "proxy_arp_wifi",
  "mcast_to_unicast",
  "locked",
];

/** Four ports in which no two flags are the same in all: on where a digit of their place is 1. */
function portsByFlag() {
  const port = (digit) => {
    const isOn = (place) => ((place + 1) >> digit) % 2 === 1;
    const flags = portFlags.map((flag, place) => `${flag} ${isOn(place) ? "on" : "off"}`);
    return {
      about: `A port of a bridge, its flags by digit ${digit} of their places`,
      script: [
        pair,
        bridge,
        "ip link set wire master br0",
        `ip link set wire type bridge_slave ${flags.join(" ")}`,
        "look wire",
      ].join("\n"),
    };
  };
  return Object.fromEntries([0, 1, 2, 3].map((digit) => [`bridge-port-${digit}`, port(digit)]));
}

const links = {
  loopback: { about: "lo, up", script: "ip link set lo up\nlook lo" },
  veth: {
    about: "A veth with its other end in the same namespace, up",
    script: `${pair}\nip link set wire up && ip link set enp0 up\nlook enp0`,
  },
  bridge: {
    about: "A bridge with settings of its own, up",
    script: [
      `${bridge} forward_delay 700 ageing_time 12300 \\`,
      "  stp_state 1 priority 4096 mcast_snooping 0",
      "ip link set br0 up",
      "look br0",
    ].join("\n"),
  },
  "bridge-port": {
    about: "A port of a bridge, every flag other than by default",
    script: [
      pair,
      bridge,
      "ip link set wire master br0",
      "ip link set wire type bridge_slave isolated on hairpin on learning off flood off \\",
      "  mcast_flood off bcast_flood off neigh_suppress on cost 7 priority 9 guard on \\",
      "  root_block on fastleave on proxy_arp on proxy_arp_wifi on mcast_to_unicast on \\",
      "  mcast_router 2 group_fwd_mask 8 locked on",
      "ip link set enp0 up && ip link set wire up && ip link set br0 up",
      "look wire",
    ].join("\n"),
  },
  ...portsByFlag(),
  "bridge-port-by-default": {
    about: "A port of a bridge as the kernel makes it",
    script: `${pair}\n${bridge}\nip link set wire master br0\nlook wire`,
  },
  "tap-single-queue": {
    about: "A persistent tap with an owner, a group and virtio-net headers, held by nobody",
    script: [
      "ip tuntap add dev tap0 mode tap user 4242 group 4343 vnet_hdr",
      "ip link set tap0 address 02:00:00:00:04:00 txqueuelen 333 up",
      "look tap0",
    ].join("\n"),
  },
  "tap-multi-queue": {
    about: "A persistent tap with many queues and packet information",
    script: "ip tuntap add dev tap0 mode tap multi_queue pi\nlook tap0",
  },
  "tun-layer-3": {
    about: "A tun device, whose hardware address has no octets",
    script: "ip tuntap add dev tun0 mode tun pi\nlook tun0",
  },
  "macvtap-bridge": { about: "A macvtap in bridge mode", script: macvtap("bridge") },
  "macvtap-private": { about: "A macvtap in private mode", script: macvtap("private") },
  "macvtap-vepa": { about: "A macvtap in vepa mode", script: macvtap("vepa") },
  "macvtap-passthru": {
    about: "A macvtap in passthru mode, which does not touch its parent's promiscuity",
    script: macvtap("passthru", " nopromisc"),
  },
  "macvtap-source": {
    about: "A macvtap in source mode with three sources",
    script: macvtap(
      "source",
      " \\\n  macaddr set 02:00:00:00:0a:01 02:00:00:00:0a:02 02:00:00:00:0a:03",
    ),
  },
  "parent-elsewhere": {
    about: "A macvtap whose parent is in another namespace",
    script: [
      pair,
      "ip link add link enp0 name mv0 index 300 address 02:00:00:00:03:00 type macvtap mode bridge",
      "exec 9< /proc/self/ns/net",
      "unshare --net sh -ec \\",
      "  'nsenter --net=/proc/self/fd/9 ip link set mv0 netns $$; look mv0'",
    ].join("\n"),
  },
  "kind-without-table": {
    about: "A vxlan: a kind that flintap has no table for, with data",
    script: [
      "ip link add vx0 index 500 address 02:00:00:00:05:00 type vxlan id 5 dstport 4789",
      "look vx0",
    ].join("\n"),
  },
  "kind-without-data": {
    about: "An ifb: a kind that flintap has no table for, without data",
    script: "ip link add name ifb7 index 501 address 02:00:00:00:05:01 type ifb\nlook ifb7",
  },
  "ipv6-closed": {
    about: "A veth with disable_ipv6",
    script: `${pair}\necho 1 > /proc/sys/net/ipv6/conf/enp0/disable_ipv6\nlook enp0`,
  },
  "ipv6-reduced": {
    about: "A veth that makes no IPv6 addresses, takes advertisements and forwards",
    script: [
      pair,
      "ip link set enp0 addrgenmode none",
      "echo 2 > /proc/sys/net/ipv6/conf/enp0/accept_ra",
      "echo 1 > /proc/sys/net/ipv6/conf/enp0/forwarding",
      "look enp0",
    ].join("\n"),
  },
  "mtu-below-ipv6": {
    about: "A veth whose MTU is too small for IPv6: it has none",
    script: `${pair}\nip link set enp0 mtu 1000\nlook enp0`,
  },
  marked: {
    about: "A veth with an alias, two alt names and a group",
    script: [
      pair,
      "ip link set enp0 alias 'flintap/1 owner=a b' && ip link set enp0 group 77",
      "ip link property add dev enp0 \\",
      "  altname a-second-name altname flintap-00112233445566778899aabbccddeeff",
      "look enp0",
    ].join("\n"),
  },
  traffic: {
    about: "A veth that has carried frames: its counters",
    script: [
      pair,
      "ip address add 192.0.2.1/24 dev enp0 && ip link set wire up && ip link set enp0 up",
      "ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev enp0",
      "for round in 1 2 3; do echo 'a datagram' > /dev/udp/192.0.2.2/9; done",
      "look enp0",
    ].join("\n"),
  },
};

const lastReceived = { received: -1 };
const answers = {
  "answer-bridge-family": {
    about: "RTM_NEWLINK of a bridge's port in the family AF_BRIDGE, which is not about the link",
    script: `${pair}\n${bridge}\nip link set wire master br0\ntrace bridge -d link show dev wire`,
    // Before it the links; after it the end of the dump.
    keep: { received: -2 },
  },
  "answer-dump": {
    about: "A dump of three links: several messages in a datagram, then NLMSG_DONE",
    script: `${pair}\ntrace ip link show`,
    keep: "all",
  },
  "answer-dump-refused": {
    about: "A dump that the kernel refuses in its NLMSG_DONE, with text",
    script: "trace ip route show table 999",
    keep: lastReceived,
  },
  "answer-success": {
    about: "The ack of a success, which repeats of the request only the header",
    script: `trace ${bridge}`,
    keep: lastReceived,
  },
  "answer-refused": {
    about: "A refusal without text that repeats the whole request (no NETLINK_CAP_ACK)",
    script: `${bridge}\ntrace ${bridge}`,
    keep: lastReceived,
  },
  "answer-refused-with-text": {
    about: "A refusal with text that repeats the whole request (no NETLINK_CAP_ACK)",
    script: `${bridge}\ntrace ip link set br0 mtu 70000`,
    keep: lastReceived,
  },
  "answer-capped": {
    about: "How the kernel answers flintap: a refused create with text, its follow-ups with ENODEV",
    script: [
      "trace node -e '",
      "  const { Handle } = require(process.env.ADDON);",
      "  const link = { kind: `bridge`, name: `br0`, alias: `a tag`, mtu: 70000, up: false };",
      "  const handle = new Handle();",
      "  const request = { link, acceptRouterAdvertisements: false };",
      "  handle.run(`createBridge`, request).catch((failure) => {",
      "    console.log(failure.kernelMessage);",
      "    return handle.close();",
      "  });'",
    ].join("\n"),
    keep: "all",
  },
};

/** What a watch is sent while these commands run, with a port of a bridge, all up. */
function eventsOf(about, commands) {
  const script = [
    `${pair}\n${bridge}`,
    "ip link set wire master br0",
    "for link in wire enp0 br0; do ip link set $link up; done",
    "trace node -e '",
    "  const { LinkWatch } = require(process.env.ADDON);",
    "  const { execFileSync } = require(`child_process`);",
    "  const watch = new LinkWatch({ receiveBuffer: 1 << 20 });",
    "  watch.next().then(() => {",
    "    execFileSync(`sh`, [`-ec`, process.argv[1]]);",
    "    return watch.next();",
    "  }).then(() => watch.close());",
    `' '${commands}'`,
  ].join("\n");
  return { about, script, keep: "events" };
}

const events = {
  "event-port-settings": eventsOf(
    "A port's settings change, by the family AF_BRIDGE",
    "bridge link set dev wire isolated on",
  ),
  "event-port-leaves": eventsOf(
    "A port leaves its bridge: RTM_DELLINK, but of the family AF_BRIDGE",
    "ip link set wire nomaster",
  ),
  "event-ipv6-opened": eventsOf(
    "IPv6 is opened on a link, which the family AF_INET6 tells",
    [
      "for value in 1 0; do",
      "    echo $value > /proc/sys/net/ipv6/conf/enp0/disable_ipv6",
      "  done",
    ].join("\n"),
  ),
  "event-deleted": eventsOf("Two links go at once", "ip link del enp0"),
};

const lastSent = { sent: -1 };
const requests = {
  "request-create-macvtap": {
    about: "A macvtap with everything a create takes",
    script: [
      pair,
      "trace ip link add link enp0 name mv0 index 300 address 02:00:00:00:03:00 mtu 1400 \\",
      "  txqueuelen 700 type macvtap mode private",
    ].join("\n"),
  },
  "request-create-macvtap-source": {
    about: "A macvtap in source mode with its list of sources",
    script: [
      pair,
      "trace ip link add link enp0 name mv0 type macvtap mode source \\",
      "  macaddr set 02:00:00:00:0a:01 02:00:00:00:0a:02",
    ].join("\n"),
  },
  "request-create-bridge": {
    about: "A bridge with its settings",
    script: `trace ${bridge} forward_delay 0 ageing_time 12300 stp_state 0 priority 4096`,
  },
  "request-create-veth": { about: "A pair of veths", script: `trace ${pair}` },
  "request-set-up": { about: "A link set up", script: `${pair}\ntrace ip link set dev enp0 up` },
  "request-set-down": {
    about: "A link set down",
    script: `${pair}\nip link set enp0 up\ntrace ip link set dev enp0 down`,
  },
  "request-set-mtu": { about: "An MTU", script: `${pair}\ntrace ip link set dev enp0 mtu 1400` },
  "request-set-alias": {
    about: "An alias",
    script: `${pair}\ntrace ip link set dev enp0 alias 'a tag'`,
  },
  "request-set-master": {
    about: "A link made a port of a bridge",
    script: `${pair}\n${bridge}\ntrace ip link set dev enp0 master br0`,
  },
  "request-add-alt-name": {
    about: "An alt name",
    script: `${pair}\ntrace ip link property add dev enp0 altname flintap-0123`,
  },
  "request-set-port": {
    about: "The settings of a bridge's port",
    script: [
      `${pair}\n${bridge}`,
      "ip link set enp0 master br0",
      "trace ip link set dev enp0 type bridge_slave isolated on hairpin on learning off flood off \\",
      "  mcast_flood off bcast_flood off neigh_suppress on cost 7 priority 9 guard on \\",
      "  root_block on fastleave on proxy_arp on proxy_arp_wifi on mcast_to_unicast on \\",
      "  mcast_router 2 group_fwd_mask 8 vlan_tunnel off locked on",
    ].join("\n"),
  },
  "request-stop-ipv6-addresses": {
    about: "No IPv6 addresses made by the kernel",
    script: `${pair}\ntrace ip link set dev enp0 addrgenmode none`,
  },
  "request-set-noqueue": {
    about: "No queueing discipline",
    script: `${pair}\ntrace tc qdisc replace dev enp0 root noqueue`,
  },
  "request-remove": { about: "A link removed", script: `${pair}\ntrace ip link del dev enp0` },
  "request-list": {
    about: "The macvtaps that are ports of one master",
    script: `${pair}\n${bridge}\ntrace ip link show type macvtap master br0`,
  },
};

function named(group, keep) {
  return Object.entries(group).map(([name, scene]) => ({ name, keep, ...scene }));
}

/** Every scene, as { name, about, script, keep }; those that `look` keep nothing else. */
export const scenes = [
  ...named(links),
  ...named(answers),
  ...named(events),
  ...named(requests, lastSent),
];
