/**
 * A microVM's spec as flintlock's API takes it: proto3 JSON, or the same in YAML. Only what concerns
 * the network is looked at.
 */
import * as v from "valibot";
import { addressIn, cidr, cidrMissing, optionalCidr, reaches, serverAddress } from "./addresses.js";
import { configKeys } from "./config.js";
import type { Description } from "./description.js";
import { closedObject, type Fault, hostInterface, optionalGuestMac } from "./fields.js";
import {
  deviceId,
  deviceIdExpected,
  type InterfaceForm,
  interfacesExpected,
  valueAt,
} from "./interface-form.js";
import { describeValue } from "./invalid-document.js";
import type { InterfaceType, MicrovmInterface } from "./microvm.js";
import { isObject } from "./reading.js";

const staticAddress = closedObject(
  {
    address: cidr,
    gateway: optionalCidr,
    nameservers: v.nullish(v.array(serverAddress, "a list of IP addresses")),
  },
  { address: cidrMissing },
);

const fields = closedObject(
  {
    device_id: deviceId,
    type: v.nullish(v.picklist([0, 1, "MACVTAP", "TAP"], '0, 1, "MACVTAP" or "TAP"')),
    guest_mac: optionalGuestMac,
    address: v.nullish(staticAddress),
    overrides: v.nullish(closedObject({ bridge_name: hostInterface })),
  },
  { device_id: deviceIdExpected },
);

/** Entries of `interfaces`, in snake_case. */
const form: InterfaceForm = {
  list: "interfaces",
  schema: v.array(v.pipe(fields, v.transform(toModel)), interfacesExpected),
  deviceId: "device_id",
  guestMac: "guest_mac",
  address: ["address", "address"],
  names: [["device_id"], ["overrides", "bridge_name"]],
  faultsOf: (entry) => [...gatewayFaults(entry), ...needlessBridge(entry)],
};

/**
 * Finds the microVM in a document: `{"interfaces": […]}` itself, or in `{"microvm": …}` or
 * `{"spec": …}`.
 *
 * @param document The document's value.
 * @param position Which document of its text it is, in words.
 */
export function describeMicrovm(document: unknown, position: string): Description {
  const { body, place } = unwrap(document);
  const described = isObject(body) ? body : {};
  const { id, namespace, uid, interfaces } = described;
  return {
    kind: "flintlock",
    label: position,
    position,
    id,
    namespace,
    uid,
    interfaces: Array.isArray(interfaces) ? interfaces.map(snakeKeys) : interfaces,
    form,
    keysInDocument: (keys) => [...place, ...spelled(body, keys)],
    fault: specFault(body),
  };
}

/** Why a value is no spec at all: files are easily swapped on a command line. */
function specFault(body: unknown): Fault | undefined {
  const expected = "a microVM's spec";
  if (!isObject(body)) return { keys: [], expected, received: describeValue(body) };
  const isConfig = configKeys.some((key) => Object.hasOwn(body, key));
  if (!isConfig || Object.hasOwn(body, "interfaces")) return undefined;
  return { keys: [], expected, received: "what looks like flintlockd's config" };
}

/** Goes into `microvm` and `spec`, the messages that flintlock's API wraps a spec in. */
function unwrap(document: unknown): { body: unknown; place: string[] } {
  const place: string[] = [];
  let body = document;
  for (const wrapper of ["microvm", "spec"]) {
    if (!isObject(body) || !Object.hasOwn(body, wrapper)) continue;
    body = body[wrapper];
    place.push(wrapper);
  }
  return { body, place };
}

/** Puts a checked entry into the model's words. */
function toModel(entry: v.InferOutput<typeof fields>): MicrovmInterface {
  const { device_id: deviceId, guest_mac: guestMac, address, overrides } = entry;
  return {
    deviceId,
    type: interfaceType(entry.type),
    guestMac,
    address: address ? { ...address, nameservers: address.nameservers ?? undefined } : undefined,
    bridgeName: overrides?.bridge_name,
  };
}

/** Macvtap is 0, proto3's default, which its JSON may leave out. */
function interfaceType(type: unknown): InterfaceType {
  return type === 1 || type === "TAP" ? "tap" : "macvtap";
}

/** A gateway that the guest could not send to, or that is the guest itself. */
function gatewayFaults(entry: Record<string, unknown>): Fault[] {
  const keys = ["address", "gateway"];
  const given = valueAt(entry, keys);
  const own = addressIn(valueAt(entry, ["address", "address"]));
  const gateway = addressIn(given);
  if (own === undefined || gateway === undefined) return [];
  if (own.family !== gateway.family) {
    const expected = `an ${own.family} gateway, since the address is one`;
    return [{ keys, expected, received: `${describeValue(given)} (${gateway.family})` }];
  }
  const received = describeValue(given);
  if (own.address === gateway.address)
    return [{ keys, expected: "another address than the guest's", received }];
  if (reaches(own, gateway)) return [];
  return [{ keys, expected: `a gateway in the subnet of ${own.address}/${own.prefix}`, received }];
}

/** A bridge for a macvtap: most likely a tap was meant, and its type forgotten. */
function needlessBridge(entry: Record<string, unknown>): Fault[] {
  const keys = ["overrides", "bridge_name"];
  const bridge = valueAt(entry, keys);
  if (typeof bridge !== "string" || bridge === "" || interfaceType(entry.type) === "tap") return [];
  const expected = "none, since a macvtap has no bridge (a tap is type 1)";
  return [{ keys, expected, received: describeValue(bridge) }];
}

/**
 * Turns the camelCase keys of an object, and of the objects in it, into snake_case. A key whose
 * other spelling is there too keeps its own, and is then found unknown.
 */
function snakeKeys(value: unknown): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => {
    const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return [Object.hasOwn(value, snake) ? key : snake, snakeKeys(inner)];
  });
  return Object.fromEntries(entries);
}

/** The keys of a path as the document spells them. */
function spelled(body: unknown, keys: readonly unknown[]): unknown[] {
  let at = body;
  return keys.map((key) => {
    const camel = String(key).replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const own = isObject(at) && !Object.hasOwn(at, String(key)) && Object.hasOwn(at, camel);
    const spelling = own ? camel : key;
    at = isObject(at) || Array.isArray(at) ? Reflect.get(at, spelling as string) : undefined;
    return spelling;
  });
}
