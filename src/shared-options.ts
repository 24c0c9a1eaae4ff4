/** What the calls' options have in common: the checks of several calls, and reading what was checked. */
import { abortSignal, boolean, type ChecksFor, integer, oneOf, type Place } from "./check.js";
import type { BridgePortSettings } from "./link.js";
import type { OperationOptions } from "./options.js";

/** The kernel allocates a ring of so many pointers, and says EPERM or ENOMEM where it can't. */
const maxQueueLength = 1_000_000;

export const txQueueLength = integer(1, maxQueueLength);

export const mtu = integer(1, 2 ** 31 - 1);

/** The kernel's `MAX_TAP_QUEUES`, of taps and of macvtaps. */
export const mostQueues = 256;

export const queueCount = integer(1, mostQueues);

export const operationChecks = { signal: abortSignal } satisfies ChecksFor<OperationOptions>;

export const hostIPv6 = oneOf("closed", "reduced", "open");

export const portChecks = {
  isolated: boolean,
  hairpin: boolean,
  learning: boolean,
  flood: boolean,
  mcastFlood: boolean,
  bcastFlood: boolean,
  neighSuppress: boolean,
} satisfies ChecksFor<BridgePortSettings>;

export const portSettings = Object.keys(portChecks) as (keyof BridgePortSettings)[];

/** The place of a call's options. */
export function optionsOf(call: string): Place {
  return { call, argument: "options" };
}

/** The signal among options that were checked: an own one, as only those are looked at. */
export function signalOf(options: OperationOptions): AbortSignal | undefined {
  return Object.hasOwn(options, "signal") ? options.signal : undefined;
}

/** Copies those of the keys that are set. */
export function copy<To extends object, Key extends keyof To>(
  from: { readonly [Named in Key]?: To[Named] },
  keys: readonly Key[],
  to: To,
): void {
  for (const key of keys) {
    const value = from[key];
    if (value !== undefined) to[key] = value;
  }
}

/** Those of the keys that are set. */
export function pick<T extends object, Key extends keyof T>(
  from: T,
  keys: readonly Key[],
): Pick<T, Key> {
  const picked = {} as Pick<T, Key>;
  copy(from, keys, picked);
  return picked;
}

/** The port settings that are named, if any is: an absent `port` leaves the port alone. */
export function portOf(options: BridgePortSettings): { port?: BridgePortSettings } {
  const isSet = portSettings.some((key) => options[key] !== undefined);
  return isSet ? { port: pick(options, portSettings) } : {};
}
