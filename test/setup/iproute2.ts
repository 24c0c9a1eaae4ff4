/**
 * The independent witness of the kernel tests: what iproute2 sees in, and does to, the namespace
 * of the calling process. Knows nothing of flintap.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "vitest";
import { execute } from "./shell.js";

/** A link as `ip -json -details link show` prints it; what tests look at. */
export interface IpLink {
  ifindex: number;
  ifname: string;
  flags: string[];
  mtu: number;
  operstate: string;
  linkmode: string;
  group: string;
  txqlen?: number;
  qdisc?: string;
  link_type: string;
  address?: string;
  broadcast?: string;
  /** The link below, by name, or by index where it is in another namespace. */
  link?: string | null;
  link_index?: number;
  link_netnsid?: number;
  master?: string;
  altnames?: string[];
  ifalias?: string;
  promiscuity: number;
  allmulti?: number;
  min_mtu: number;
  max_mtu: number;
  inet6_addr_gen_mode?: string;
  num_tx_queues: number;
  num_rx_queues: number;
  linkinfo?: {
    info_kind?: string;
    info_data?: Record<string, unknown>;
    info_slave_kind?: string;
    info_slave_data?: Record<string, unknown>;
  };
  stats64?: Record<"rx" | "tx", Record<string, number>>;
}

/** An address as `ip -json address show` prints it. */
export interface IpAddress {
  family: "inet" | "inet6";
  local: string;
  prefixlen: number;
  scope: string;
}

/** A route as `ip -json route show` prints it. */
export interface IpRoute {
  dst: string;
  gateway?: string;
  dev: string;
  protocol?: string;
}

/**
 * Runs `ip` with a command such as `"link add br0 type bridge"`, split at white space; further
 * arguments are taken as they are. Gives what it prints; rejects with what it complains.
 */
export async function ip(command: string, ...more: string[]): Promise<string> {
  return await execute("ip", ...command.split(/\s+/), ...more);
}

/** Runs many commands of `ip` in one process; rejects when one of them fails, after all have run. */
export async function ipBatch(commands: readonly string[]): Promise<void> {
  const running = promisify(execFile)("ip", ["-force", "-batch", "-"]);
  running.child.stdin?.end(`${commands.join("\n")}\n`);
  await running;
}

/** A bridge's port as `bridge -json -details link show` prints it. */
export interface BridgePort {
  ifname: string;
  master: string;
  state: string;
  hairpin: boolean;
  learning: boolean;
  flood: boolean;
  mcast_flood: boolean;
  bcast_flood: boolean;
  neigh_suppress: boolean;
  isolated: boolean;
}

/** What the bridge says of one of its ports. */
export async function bridgePort(device: string): Promise<BridgePort | undefined> {
  const found = await execute("bridge", "-json", "-details", "link", "show", "dev", device);
  return JSON.parse(found || "[]")[0];
}

/** The kinds of the queueing disciplines on a device, the root's first. */
export async function qdiscs(device: string): Promise<string[]> {
  const all = await execute("tc", "-json", "qdisc", "show", "dev", device);
  const found: { kind: string }[] = JSON.parse(all || "[]");
  return found.map(({ kind }) => kind);
}

/** Every link; `filter` is iproute2's, such as `"type macvtap"` or `"master br0"`. */
export async function links(filter = ""): Promise<IpLink[]> {
  return JSON.parse((await ip(`-json -details link show ${filter}`.trim())) || "[]");
}

/** One link by name or alt name; undefined when there is none. */
export async function link(name: string, ...options: "-statistics"[]): Promise<IpLink | undefined> {
  try {
    const found = await ip(
      `-json -details ${options.join(" ")} link show dev`.replace(/ +/g, " "),
      name,
    );
    return JSON.parse(found)[0];
  } catch (error) {
    if (/does not exist/.test((error as { stderr?: string }).stderr ?? "")) return undefined;
    throw error;
  }
}

/** Waits until a link without a carrier is told as such: by older kernels, up to a second later. */
export async function settled(name: string): Promise<void> {
  await expect.poll(async () => (await link(name))?.operstate, { timeout: 10_000 }).toBe("DOWN");
}

/** Renames a link on any kernel: before Linux 6.2 only one that is down has its name changed. */
export async function rename(name: string, other: string): Promise<void> {
  const wasUp = (await link(name))?.flags.includes("UP");
  await ip(`link set ${name} down`);
  await ip(`link set ${name} name ${other}`);
  if (wasUp) await ip(`link set ${other} up`);
}

/** The addresses on a device. */
export async function addresses(device: string): Promise<IpAddress[]> {
  const found: { addr_info?: IpAddress[] }[] = JSON.parse(
    await ip("-json address show dev", device),
  );
  return found.flatMap((one) => one.addr_info ?? []);
}

/** The routes of the main table. */
export async function routes(family: 4 | 6): Promise<IpRoute[]> {
  return JSON.parse((await ip(`-json -${family} route show`)) || "[]");
}

/** The names of all links, sorted: equal before and after where nothing may be left behind. */
export async function linkNames(): Promise<string[]> {
  const all: { ifname: string }[] = JSON.parse(await ip("-json -brief link show"));
  return all.map((one) => one.ifname).sort();
}

/**
 * Makes what stands for a host's wired interface: a veth pair, both up, no address of the host's
 * on it. `parent` is for macvtaps, `wire` sees what leaves the host.
 */
export async function addParent(parent = "enp0", wire = "wire0"): Promise<void> {
  await ip(`link add ${parent} type veth peer name ${wire}`);
  for (const end of [parent, wire]) {
    await ip(`link set ${end} addrgenmode none`);
    await ip(`link set ${end} up`);
  }
}

/** Makes a bridge, up, without port. */
export async function addBridge(name = "br0"): Promise<void> {
  await ip(`link add ${name} type bridge`);
  // Kept when the last port goes only if somebody set it.
  await ip(`link set ${name} address ${(await link(name))?.address}`);
  await ip(`link set ${name} up`);
}
