/**
 * An entry of a spec's `interfaces`, in snake_case, as flintlock's API defines it: its schema, and
 * what must hold between entries.
 */
import * as v from "valibot";
import {
  canonicalMac,
  cidrExpected,
  cidrFault,
  closedObject,
  type Fault,
  hostInterface,
  ipAddress,
  optionalGuestMac,
  optionalText,
  text,
  wordFault,
} from "./fields.js";
import { describeValue } from "./invalid-document.js";
import type { InterfaceType, MicrovmInterface } from "./microvm.js";
import { isObject } from "./reading.js";

const deviceIdExpected = "the interface's name in the guest";

const staticAddress = closedObject(
  {
    address: text(cidrExpected, cidrFault),
    gateway: optionalText(cidrExpected, cidrFault),
    nameservers: v.nullish(v.array(ipAddress, "a list of IP addresses")),
  },
  { address: cidrExpected },
);

/** One entry. */
export const networkInterface = closedObject(
  {
    device_id: text(deviceIdExpected, (value) => wordFault(value, /[/@\s\p{Cc}]/u)),
    type: v.nullish(v.picklist([0, 1, "MACVTAP", "TAP"], '0, 1, "MACVTAP" or "TAP"')),
    guest_mac: optionalGuestMac,
    address: v.nullish(staticAddress),
    overrides: v.nullish(closedObject({ bridge_name: hostInterface })),
  },
  { device_id: deviceIdExpected },
);

/** Puts a checked entry into the model's words. */
export function toModel(entry: v.InferOutput<typeof networkInterface>): MicrovmInterface {
  const { device_id: deviceId, guest_mac: guestMac, address, overrides } = entry;
  return {
    deviceId,
    type: interfaceType(entry.type),
    guestMac,
    address: address && {
      address: address.address,
      gateway: address.gateway,
      nameservers: address.nameservers ?? undefined,
    },
    bridgeName: overrides?.bridge_name,
  } as MicrovmInterface;
}

/** Macvtap is 0, proto3's default, which its JSON may leave out. */
function interfaceType(type: unknown): InterfaceType {
  return type === 1 || type === "TAP" ? "tap" : "macvtap";
}

/** What is wrong between fields that may each be right alone. The entries are not checked yet. */
export function clashes(interfaces: readonly unknown[]): Fault[] {
  const entries = interfaces.map((entry) => (isObject(entry) ? entry : {}));
  return [
    ...repetitions(entries, "device_id"),
    ...repetitions(entries, "guest_mac"),
    ...entries.flatMap(needlessBridge),
  ];
}

function repetitions(
  entries: readonly Record<string, unknown>[],
  field: "device_id" | "guest_mac",
): Fault[] {
  const firsts = new Map<string, number>();
  return entries.flatMap(({ [field]: value }, at) => {
    if (typeof value !== "string" || value === "") return [];
    const same = field === "guest_mac" ? canonicalMac(value) : value;
    const first = firsts.get(same);
    if (first === undefined) {
      firsts.set(same, at);
      return [];
    }
    const received = `${describeValue(value)} (interfaces[${first}] has it)`;
    return [{ keys: ["interfaces", at, field], expected: "one of its own", received }];
  });
}

/** A bridge for a macvtap: most likely a tap was meant, and its type forgotten. */
function needlessBridge({ type, overrides }: Record<string, unknown>, at: number): Fault[] {
  const bridge = isObject(overrides) ? overrides.bridge_name : undefined;
  if (typeof bridge !== "string" || bridge === "" || interfaceType(type) === "tap") return [];
  return [
    {
      keys: ["interfaces", at, "overrides", "bridge_name"],
      expected: "none, since a macvtap has no bridge (a tap is type 1)",
      received: describeValue(bridge),
    },
  ];
}
