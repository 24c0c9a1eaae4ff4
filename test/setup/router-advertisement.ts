/**
 * A router advertisement (RFC 4861): makes a host that hears it take an address and a default
 * route on the device it came by.
 */
import { sendPayload } from "./frames.js";

const etherType = 0x86dd;
const icmpv6 = 58;

/** What the host's address begins with. */
export const advertisedPrefix = "2001:db8:7:7:";

/** The router's address, which the host's default route goes to. */
export const router = "fe80::1";

function address(hex: string): Buffer {
  return Buffer.from(hex.padEnd(32, "0"), "hex");
}

const source = address("fe80").fill(1, 15);
const allNodes = address("ff02").fill(1, 15);

/** The ones' complement sum over the pseudo header and the message. */
function checksum(message: Buffer): number {
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(message.length, 0);
  tail.writeUInt8(icmpv6, 7);
  const all = Buffer.concat([source, allNodes, tail, message]);
  let sum = 0;
  for (let at = 0; at < all.length; at += 2) sum += all.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** Type 134, with one prefix that is on the link and for addresses. */
function advertisement(): Buffer {
  const message = Buffer.alloc(16);
  message.writeUInt8(134, 0);
  message.writeUInt8(64, 4); // hop limit
  message.writeUInt16BE(1800, 6); // lifetime, in seconds: a default router
  const prefix = Buffer.alloc(32);
  prefix.writeUInt8(3, 0); // prefix information
  prefix.writeUInt8(4, 1); // in units of 8 bytes
  prefix.writeUInt8(64, 2); // bits
  prefix.writeUInt8(0xc0, 3); // on-link, autonomous
  prefix.writeUInt32BE(86_400, 4); // valid, in seconds
  prefix.writeUInt32BE(14_400, 8); // preferred
  address("20010db800070007").copy(prefix, 16);
  const whole = Buffer.concat([message, prefix]);
  whole.writeUInt16BE(checksum(whole), 2);
  return whole;
}

/** Writes one to a queue, as a router on the wire or a guest would. */
export function advertise(fd: number, from: string, header = 0): void {
  const message = advertisement();
  const packet = Buffer.alloc(40);
  packet.writeUInt8(0x60, 0);
  packet.writeUInt16BE(message.length, 4);
  packet.writeUInt8(icmpv6, 6);
  packet.writeUInt8(255, 7); // comes from this link, not through a router
  source.copy(packet, 8);
  allNodes.copy(packet, 24);
  const addresses = { to: "33:33:00:00:00:01", from };
  sendPayload(fd, addresses, etherType, Buffer.concat([packet, message]), header);
}
