/** The IP addresses that a guest's interface can have, as valibot schemas and comparisons. */
import { BlockList, isIP, SocketAddress } from "node:net";
import { optionalText, text } from "./fields.js";

const cidrExpected = "an IP address with prefix length, such as 10.0.0.2/24";

/** An address with prefix length that an interface can have. */
export const cidr = text(cidrExpected, cidrFault);

/** The same, if one is given. */
export const optionalCidr = optionalText(cidrExpected, cidrFault);

/** What belongs where {@link cidr} is missing. */
export const cidrMissing = cidrExpected;

/** The address of a server. It may be the guest itself. */
export const serverAddress = text("an IP address", (value) => {
  return isIP(value) === 0 ? "" : addressFault(value, [unspecified, multicast, broadcast]);
});

interface AddressClass {
  name: string;
  members: BlockList;
}

function addressClass(name: string, ...subnets: [net: string, prefix: number][]): AddressClass {
  const members = new BlockList();
  for (const [net, prefix] of subnets) members.addSubnet(net, prefix, familyOf(net));
  return { name, members };
}

const unspecified = addressClass("not specified", ["0.0.0.0", 8], ["::", 128]);
const loopback = addressClass("a loopback address", ["127.0.0.0", 8], ["::1", 128]);
const multicast = addressClass("a multicast address", ["224.0.0.0", 4], ["ff00::", 8]);
const broadcast = addressClass("the broadcast address", ["255.255.255.255", 32]);
const mapped = addressClass("IPv4 in the form of IPv6", ["::ffff:0:0", 96]);

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 4 ? "ipv4" : "ipv6";
}

/** What is wrong with an address that is one. */
function addressFault(address: string, refused: readonly AddressClass[]): string | undefined {
  if (address.includes("%")) return "an address without a zone belongs here";
  const family = familyOf(address);
  // A rule for IPv4 in the form of IPv6 also holds for IPv4 itself.
  const classes = family === "ipv6" ? [mapped, ...refused] : refused;
  return classes.find(({ members }) => members.check(address, family))?.name;
}

function cidrFault(value: string): string | undefined {
  const [address = "", prefix = "", ...rest] = value.split("/", 3);
  const version = isIP(address);
  if (version !== 0 && !value.includes("/")) return "without a prefix length";
  if (version === 0 || rest.length > 0 || !/^(?:0|[1-9]\d{0,2})$/.test(prefix)) return "";
  const longest = version === 4 ? 32 : 128;
  if (Number(prefix) > longest) return `a prefix has at most ${longest} bits`;
  if (prefix === "0") return "a prefix has at least 1 bit";
  return addressFault(address, [unspecified, loopback, multicast, broadcast]);
}

/** An address with prefix length, read. */
export interface Cidr {
  family: "IPv4" | "IPv6";
  /** In the one spelling of it. */
  address: string;
  prefix: number;
}

/** Reads an address with prefix length; undefined where it is none. */
export function addressIn(value: unknown): Cidr | undefined {
  if (typeof value !== "string" || cidrFault(value) !== undefined) return undefined;
  const [given = "", prefix] = value.split("/");
  const family = familyOf(given);
  const { address } = new SocketAddress({ address: given, family });
  return { family: family === "ipv4" ? "IPv4" : "IPv6", address, prefix: Number(prefix) };
}

const linkLocal = addressClass("link-local", ["fe80::", 10]);

/**
 * Whether an interface with an address reaches another address directly: it is in the subnet, or of
 * the link itself. An address without a subnet (/32, /128) is for routes that say so themselves.
 */
export function reaches({ address, prefix }: Cidr, other: Cidr): boolean {
  const family = familyOf(address);
  if (prefix === (family === "ipv4" ? 32 : 128)) return true;
  const subnet = new BlockList();
  subnet.addSubnet(address, prefix, family);
  return subnet.check(other.address, family) || linkLocal.members.check(other.address, family);
}
