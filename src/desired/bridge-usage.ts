/**
 * How full bridges are: to be told of it when the next guest is refused is too late. To count is to
 * list a bridge's ports, so what was counted for a handle holds for a while, with what was made since.
 */
import { object, string } from "../check.js";
import { FlintapError } from "../error.js";
import { handle } from "../handle.js";
import type { Link } from "../link.js";
import { type NetworkNamespace, operationsOf } from "../network-namespace.js";
import type { OperationOptions } from "../options.js";
import { listRequest } from "../requests.js";
import { operationChecks, optionsOf } from "../shared-options.js";
import { type DesiredDevice, placeOf } from "./device.js";
import { getPlace } from "./look.js";
import type { Looking } from "./looking.js";

/** The ports that a bridge holds: the kernel's `BR_MAX_PORTS`, less the number 0. */
export const mostPorts = 1_023;

/** How many of a bridge's ports are taken. */
export interface BridgeUsage {
  /** The bridge, as it was named. */
  bridge: string;
  /** The ports that it has. */
  ports: number;
  /** The ports that it can have: 1,023. */
  most: number;
  /** The ports that it can have yet. */
  free: number;
}

/** For {@link bridgeUsage}. */
export interface BridgeUsageOptions extends OperationOptions {
  /** Where the bridge is. */
  namespace: NetworkNamespace;
}

const usageOptions = object({ ...operationChecks, namespace: handle }, ["namespace"]);

/**
 * Counts the ports of a bridge, whoever made them. Rejects with reason `"no-such-bridge"` or
 * `"not-a-bridge"`.
 */
export async function bridgeUsage(
  bridge: string,
  options: BridgeUsageOptions,
): Promise<BridgeUsage> {
  string(bridge, { call: "bridgeUsage", argument: "bridge" });
  const looking = usageOptions(options, optionsOf("bridgeUsage"));
  try {
    const { index } = await getPlace(bridge, "bridge", looking);
    return usage(bridge, await countPorts(index, looking));
  } catch (error) {
    const called = { operation: "bridgeUsage" };
    throw error instanceof FlintapError ? FlintapError.again(error, called) : error;
  }
}

function usage(bridge: string, ports: number): BridgeUsage {
  return { bridge, ports, most: mostPorts, free: Math.max(0, mostPorts - ports) };
}

/** Whether less than a tenth of a bridge's ports is free. */
export function isNearlyFull({ free, most }: BridgeUsage): boolean {
  return free < most / 10;
}

/** Asks for a bridge's ports, of which no more than their number is of use. */
async function countPorts(index: number, { namespace, signal }: Looking): Promise<number> {
  const { request } = listRequest({ master: index });
  return (await operationsOf(namespace).run("listLinks", request, signal)).links.length;
}

/** A device that was put where it is just now. */
export interface Placed {
  device: DesiredDevice;
  link: Link;
}

/**
 * The bridges of taps that were put there just now of which less than a tenth of the ports is free, each
 * once. One that cannot be counted, because it has just been deleted, is left out.
 */
export async function nearlyFullBridges(
  placed: readonly Placed[],
  { namespace }: Looking,
): Promise<BridgeUsage[]> {
  const bridges = new Map<number, { bridge: string; made: number; least: number }>();
  for (const { device, link } of placed) {
    const bridge = device.kind === "tap" ? placeOf(device) : undefined;
    if (bridge === undefined || link.master === undefined) continue;
    const { made, least } = bridges.get(link.master) ?? { made: 0, least: 0 };
    // The kernel gives the lowest number that is free: so many ports there were at least.
    const number = Math.max(least, link.port?.number ?? 0);
    bridges.set(link.master, { bridge, made: made + 1, least: number });
  }
  const usages = [...bridges].map(async ([index, { bridge, made, least }]) => {
    const ports = Math.max(least, await portsOf(index, made, namespace));
    return usage(bridge, Math.min(ports, mostPorts));
  });
  const known = await Promise.all(usages.map(orNone));
  return known.flatMap((one) => (one !== undefined && isNearlyFull(one) ? [one] : []));
}

/** What was asked for is there: that it cannot be told how full its bridge is, is no failure of that. */
async function orNone(counting: Promise<BridgeUsage>): Promise<BridgeUsage | undefined> {
  try {
    return await counting;
  } catch (error) {
    if (error instanceof FlintapError) return undefined;
    throw error;
  }
}

/** Milliseconds for which a count holds. */
const longestAge = 10_000;

/** What was counted of a bridge. */
interface Count {
  /** When it was begun, in milliseconds. */
  begun: number;
  counting: Promise<number>;
  /** What came of it, and what was made since; absent: it is not done yet. */
  counted?: number;
  made: number;
}

/** By the bridges' indexes. */
const countsOf = new WeakMap<NetworkNamespace, Map<number, Count>>();

/** The ports of a bridge on which `made` were made just now. */
async function portsOf(index: number, made: number, namespace: NetworkNamespace): Promise<number> {
  const counts = countsOf.get(namespace) ?? new Map<number, Count>();
  countsOf.set(namespace, counts);
  const known = counts.get(index);
  if (known === undefined || performance.now() - known.begun > longestAge)
    return await countAnew(index, counts, namespace);
  // A handle's operations run one after the other: what was made is in a count that is not done yet.
  if (known.counted === undefined) return await known.counting;
  known.made += made;
  const ports = known.counted + known.made;
  // What has gone meanwhile is not taken off: that a bridge is getting full is told of by a count.
  const isNews = isNearlyFull(usage("", ports)) && !isNearlyFull(usage("", known.counted));
  return isNews ? await countAnew(index, counts, namespace) : ports;
}

async function countAnew(
  index: number,
  counts: Map<number, Count>,
  namespace: NetworkNamespace,
): Promise<number> {
  const counting = countPorts(index, { namespace });
  const count: Count = { begun: performance.now(), counting, made: 0 };
  counts.set(index, count);
  try {
    count.counted = await counting;
    return count.counted;
  } catch (error) {
    if (counts.get(index) === count) counts.delete(index);
    throw error;
  }
}
