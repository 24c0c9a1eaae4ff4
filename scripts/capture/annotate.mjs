// Writes a netlink datagram as hexadecimal, each attribute on lines of its own, with its name. The
// names come from the kernel's own headers, so an attribute newer than they are has only a number.
import { readFileSync } from "node:fs";

/** The names of an enumeration, by number; it is found by its first member. */
function enumeration(header, first) {
  const text = readFileSync(`/usr/include/linux/${header}`, "utf8").replace(/\/\*.*?\*\//gs, "");
  const bodies = [...text.matchAll(/enum\s*\w*\s*\{(.*?)\}/gs)].map(([, body]) => body);
  const body = bodies.find((candidate) => candidate.trim().startsWith(first));
  if (body === undefined) throw new Error(`${header} has no enumeration that begins with ${first}`);
  const names = new Map();
  const members = new Map();
  let number = 0;
  for (const [, name, value] of body.matchAll(/^\s*(\w+)(?:\s*=\s*(\w+))?\s*,?/gm)) {
    if (name.startsWith("_")) break;
    // A number, or the name of an earlier member.
    if (value !== undefined) number = members.get(value) ?? Number(value);
    members.set(name, number);
    names.set(number++, name);
  }
  return names;
}

const link = enumeration("if_link.h", "IFLA_UNSPEC");
const info = enumeration("if_link.h", "IFLA_INFO_UNSPEC");
const bridge = enumeration("if_link.h", "IFLA_BR_UNSPEC");
const port = enumeration("if_link.h", "IFLA_BRPORT_UNSPEC");
const macvtap = enumeration("if_link.h", "IFLA_MACVLAN_UNSPEC");
const tun = enumeration("if_link.h", "IFLA_TUN_UNSPEC");
const vxlan = enumeration("if_link.h", "IFLA_VXLAN_UNSPEC");
const inet = enumeration("if_link.h", "IFLA_INET_UNSPEC");
const inet6 = enumeration("if_link.h", "IFLA_INET6_UNSPEC");
const veth = enumeration("veth.h", "VETH_INFO_UNSPEC");
const ack = enumeration("netlink.h", "NLMSGERR_ATTR_UNUSED");
const qdisc = enumeration("rtnetlink.h", "TCA_UNSPEC");

const macs = { names: macvtap };
const data = {
  bridge: { names: bridge },
  bridge_slave: { names: port },
  macvtap: { names: macvtap, inside: { IFLA_MACVLAN_MACADDR_DATA: () => macs } },
  tun: { names: tun },
  vxlan: { names: vxlan },
  veth: { names: veth, inside: { VETH_INFO_PEER: () => ({ ...links, header: 16 }) } },
};
const families = {
  names: new Map([
    [2, "AF_INET"],
    [10, "AF_INET6"],
  ]),
  inside: { AF_INET: () => ({ names: inet }), AF_INET6: () => ({ names: inet6 }) },
};
const infos = {
  names: info,
  inside: {
    IFLA_INFO_DATA: (kinds) => data[kinds.at(-1)],
    IFLA_INFO_SLAVE_DATA: () => ({ names: port }),
  },
};
const links = {
  names: link,
  inside: {
    IFLA_LINKINFO: () => infos,
    IFLA_AF_SPEC: () => families,
    IFLA_PROP_LIST: () => ({ names: link }),
    IFLA_PROTINFO: () => ({ names: port }),
  },
};

/** What the family AF_INET6 says of a link. */
const linksOfIpv6 = {
  ...links,
  inside: { ...links.inside, IFLA_PROTINFO: () => ({ names: inet6 }) },
};

function hex(bytes) {
  return bytes.toString("hex").replace(/..(?=.)/g, "$& ");
}

/** Lines of at most 16 bytes, with the remark on the first. */
function write(bytes, indent, remark) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const line = " ".repeat(indent) + hex(bytes.subarray(at, at + 16));
    lines.push(at === 0 ? `${line.padEnd(50 + indent)} # ${remark}` : line);
  }
  return lines;
}

/** What people can read in a payload. */
function meaning(payload) {
  const text = payload.toString("latin1");
  if (/^[\x20-\x7e]{2,}\0?$/.test(text)) return ` "${text.replace("\0", "")}"`;
  if (payload.length === 1) return ` ${payload[0]}`;
  if (payload.length === 2) return ` ${payload.readUInt16LE()}`;
  if (payload.length === 4) return ` ${payload.readUInt32LE()}`;
  return "";
}

/** Attributes one after the other; `kinds` are the texts seen so far, the last names the data. */
function writeAttributes(bytes, table, indent, kinds = []) {
  const lines = [];
  let rest = bytes;
  while (rest.length >= 4) {
    const length = rest.readUInt16LE(0);
    if (length < 4 || length > rest.length) break;
    const type = rest.readUInt16LE(2) & 0x3fff;
    const name = table.names.get(type) ?? `attribute ${type}`;
    const payload = rest.subarray(4, length);
    const whole = rest.subarray(0, (length + 3) & ~3);
    const inner = table.inside?.[name]?.(kinds);
    if (/_KIND$/.test(name)) kinds.push(payload.toString("latin1").replace("\0", ""));
    if (inner === undefined) {
      lines.push(...write(whole, indent, name + meaning(payload)));
    } else {
      const start = 4 + (inner.header ?? 0);
      lines.push(...write(whole.subarray(0, start), indent, name));
      lines.push(...writeAttributes(whole.subarray(start), inner, indent + 2, kinds));
    }
    rest = rest.subarray(whole.length);
  }
  return [...lines, ...write(rest, indent, "no attribute")];
}

const messages = new Map([
  [2, { name: "NLMSG_ERROR", fixed: 4, table: { names: ack } }],
  [3, { name: "NLMSG_DONE", fixed: 4, table: { names: ack } }],
  [16, { name: "RTM_NEWLINK", fixed: 16, table: links }],
  [17, { name: "RTM_DELLINK", fixed: 16, table: links }],
  [18, { name: "RTM_GETLINK", fixed: 16, table: links }],
  [19, { name: "RTM_SETLINK", fixed: 16, table: links }],
  [36, { name: "RTM_NEWQDISC", fixed: 20, table: { names: qdisc } }],
  [108, { name: "RTM_NEWLINKPROP", fixed: 16, table: links }],
]);

/** What stands between a message's header and its attributes. */
function fixedPart(message, type, fixed) {
  const isError = type === 2;
  const isCapped = (message.readUInt16LE(6) & 0x100) !== 0;
  if (!isError) return fixed;
  return fixed + (isCapped ? 16 : (message.readUInt32LE(20) + 3) & ~3);
}

function writeMessage(message) {
  const type = message.readUInt16LE(4);
  const { name, fixed, table } = messages.get(type) ?? {
    name: `message ${type}`,
    fixed: 0,
    table: { names: new Map() },
  };
  const start = 16 + fixedPart(message, type, fixed);
  const isOfIpv6 = table === links && message[16] === 10;
  return [
    ...write(message.subarray(0, 16), 2, name),
    ...write(message.subarray(16, start), 4, "header"),
    ...writeAttributes(message.subarray(start), isOfIpv6 ? linksOfIpv6 : table, 4),
  ];
}

/** A datagram's lines. */
export function annotate(datagram) {
  const lines = [];
  for (let at = 0; at + 16 <= datagram.length; ) {
    const length = Math.max(16, datagram.readUInt32LE(at));
    const end = Math.min(at + ((length + 3) & ~3), datagram.length);
    lines.push(...writeMessage(datagram.subarray(at, end)));
    at = end;
  }
  return lines;
}
