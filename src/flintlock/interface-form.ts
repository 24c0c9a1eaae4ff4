/**
 * What the forms of an interface's entry have in common: the fields that all have, and what must
 * hold between fields that may each be right alone.
 */
import type * as v from "valibot";
import { canonicalMac } from "../mac.js";
import { addressIn } from "./addresses.js";
import { type Fault, placeholderFault, text, wordFault } from "./fields.js";
import { describeValue } from "./invalid-document.js";
import type { MicrovmInterface } from "./microvm.js";
import { isObject } from "./reading.js";
import { repeatsIn } from "./repeats.js";

/** How a kind of document writes its interfaces. */
export interface InterfaceForm {
  /** What the list of them is called. */
  list: string;
  /** The whole list, checked and put into the model's words. */
  schema: v.GenericSchema<unknown, MicrovmInterface[]>;
  /** Where an entry has its name in the guest. */
  deviceId: string;
  /** Where it has the guest's MAC. */
  guestMac: string;
  /** Where it has the guest's static address. */
  address: readonly string[];
  /** Where it has names by which a device is made: they must be filled in by then. */
  names: readonly (readonly string[])[];
  /** What is wrong between the fields of one entry, none of which is checked yet. */
  faultsOf(entry: Record<string, unknown>): Fault[];
}

/** What belongs where {@link deviceId} is missing. */
export const deviceIdExpected = "the interface's name in the guest";

/** An interface's name in the guest. */
export const deviceId = text(deviceIdExpected, (value) => {
  return wordFault(value) ?? (value.includes("@") ? '"@" may not be in it' : undefined);
});

/** What belongs where a list of interfaces is missing. */
export const interfacesExpected = "a list of interfaces";

/** What is wrong between fields of a list that is not checked yet; as if it were `interfaces`. */
export function clashes(list: unknown, form: InterfaceForm): Fault[] {
  if (!Array.isArray(list)) return [];
  const entries = list.map((entry) => (isObject(entry) ? entry : {}));
  return [
    ...repetitions(entries, form, [form.deviceId], textOf),
    ...repetitions(entries, form, [form.guestMac], macOf),
    ...repetitions(entries, form, form.address, (value) => addressIn(value)?.address),
    ...entries.flatMap((entry, at) => {
      return form.faultsOf(entry).map(({ keys, ...fault }) => ({
        keys: ["interfaces", at, ...keys],
        ...fault,
      }));
    }),
  ];
}

/** The names of a list that still are a template's placeholders; as if it were `interfaces`. */
export function placeholders(list: unknown, { names }: InterfaceForm): Fault[] {
  const entries = Array.isArray(list) ? list : [];
  return entries.flatMap((entry, at) =>
    names.flatMap((path) => {
      const value = textOf(valueAt(entry, path));
      const fault = value && placeholderFault(value);
      const received = `${describeValue(value)} (${fault})`;
      return fault ? [{ keys: ["interfaces", at, ...path], expected: "a name", received }] : [];
    }),
  );
}

/** The MACs that a list gives, one entry for each, with the keys of its field. */
export function guestMacs(list: unknown, { guestMac }: InterfaceForm): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>();
  for (const [at, entry] of Array.isArray(list) ? list.entries() : []) {
    const mac = isObject(entry) ? macOf(entry[guestMac]) : undefined;
    if (mac !== undefined && !found.has(mac)) found.set(mac, ["interfaces", at, guestMac]);
  }
  return found;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function macOf(value: unknown): string | undefined {
  const mac = textOf(value);
  return mac && canonicalMac(mac);
}

function repetitions(
  entries: readonly Record<string, unknown>[],
  { list }: InterfaceForm,
  path: readonly string[],
  sameBy: (value: unknown) => string | undefined,
): Fault[] {
  const fields = entries.map((entry, at) => ({ at, value: valueAt(entry, path) }));
  return repeatsIn(fields, ({ value }) => sameBy(value)).map(({ item, first }) => ({
    keys: ["interfaces", item.at, ...path],
    expected: "one of its own",
    received: `${describeValue(item.value)} (${list}[${first.at}] has it)`,
  }));
}

/** What stands at the end of a path of keys; undefined where the path ends before. */
export function valueAt(start: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    start,
  );
}
