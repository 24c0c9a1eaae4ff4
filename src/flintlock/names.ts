/**
 * What is derived from a microVM's name, so that a restarted daemon comes to the same again: its
 * devices' names and tags. Pure.
 */
import { createHash } from "node:crypto";
import { argumentError } from "../check.js";
import { filledName, namePrefixes } from "../name.js";
import type { TagParts } from "../tag.js";
import type { Microvm, MicrovmInterface } from "./microvm.js";

/**
 * A microVM's name in one word: `namespace/id`, or `namespace/id/uid`.
 *
 * @throws {TypeError} A part is empty or has a slash in it: the word could be another microVM's.
 */
export function microvmName({ namespace, id, uid }: Omit<Microvm, "interfaces">): string {
  const parts = Object.entries(uid === undefined ? { namespace, id } : { namespace, id, uid });
  for (const [option, value] of parts) {
    if (typeof value === "string" && value !== "" && !value.includes("/")) continue;
    const place = { call: "microvmName", argument: "microvm", option };
    throw argumentError("ERR_INVALID_ARG_VALUE", "a word without '/'", place, value);
  }
  return parts.map(([, value]) => value).join("/");
}

/**
 * The tags of all devices of some microVMs, whatever interface they are for: what `prune` and
 * `collectGarbage` take.
 *
 * @throws {TypeError} As {@link microvmName}.
 */
export function microvmTags(microvms: readonly Omit<Microvm, "interfaces">[]): TagParts[] {
  return microvms.map((microvm) => ({ microvm: microvmName(microvm) }));
}

/**
 * The name of an interface's device on the host: `flvtap` or `fltap`, filled up to 15 bytes with
 * hexadecimal digits of the SHA-256 of the microVM's namespace, id, uid and the device id. Where
 * another link has it, the device gets one with other digits of the same hash.
 */
export function hostDeviceName(
  microvm: Omit<Microvm, "interfaces">,
  entry: Pick<MicrovmInterface, "deviceId" | "type">,
): string {
  return filledName(namePrefixes[entry.type], digest(microvm, entry));
}

/** How many digits of the hash each further name begins behind the one before. */
const step = 10;

/** The names to take where another link has the first: of the digits that follow in the same hash. */
export function otherDeviceNames(
  microvm: Omit<Microvm, "interfaces">,
  entry: Pick<MicrovmInterface, "deviceId" | "type">,
): string[] {
  const digits = digest(microvm, entry);
  return [1, 2, 3].map((at) => filledName(namePrefixes[entry.type], digits.slice(at * step)));
}

function digest(
  { namespace, id, uid = "" }: Omit<Microvm, "interfaces">,
  { deviceId }: Pick<MicrovmInterface, "deviceId">,
): string {
  const key = JSON.stringify([namespace, id, uid, deviceId]);
  return createHash("sha256").update(key).digest("hex");
}
