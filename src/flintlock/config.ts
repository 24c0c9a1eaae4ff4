/**
 * The host's configuration: flintlockd's config.yaml, as far as it is about network devices. What
 * a microVM's spec asks for decides which of the two keys is used.
 */
import * as v from "valibot";
import { string } from "../check.js";
import { parseText } from "./document.js";
import { readDocument } from "./document-file.js";
import { check, formatPath, hostInterface, placeholderFault, sound } from "./fields.js";
import { describeValue, InvalidDocumentError } from "./invalid-document.js";
import { isObject } from "./reading.js";
import { repeatsIn } from "./repeats.js";

/** The keys of flintlockd's configuration that name the host's side of the guests' network. */
export interface HostConfig {
  /** `parent-iface`: the wired interface (or bond) that macvtaps stand on. */
  parentIface?: string;
  /**
   * `bridge-name`: the bridge that taps are attached to. Of several, each once, every interface has the
   * one that follows from its name, or another where that is full; it stays there, and the tag of its
   * device says which it is (`bridge`). Flintlockd itself knows one bridge only.
   */
  bridgeName?: string | readonly string[];
}

const filledIn = v.pipe(
  hostInterface,
  sound("the name of an interface of the host", (name) => name && placeholderFault(name)),
);

const listOfBridges = v.pipe(
  v.array(v.pipe(filledIn, v.string("the name of an interface of the host"))),
  sound("a bridge, or a list of at least one", ({ length }) => (length === 0 ? "" : undefined)),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const input = dataset.value;
    const named = input.map((value, key) => ({ key, value }));
    for (const { item } of repeatsIn(named, ({ value }) => value)) {
      const path = { type: "array", origin: "value", input, ...item } as const;
      const received = `${describeValue(item.value)} again`;
      addIssue({ message: "each bridge once", received, path: [path] });
    }
  }),
);

const bridgeOrList = v.optional(
  v.lazy(
    (value): v.GenericSchema<unknown, string | string[] | undefined> =>
      Array.isArray(value) ? listOfBridges : filledIn,
  ),
);

/** The keys that are looked at. */
export const configKeys = ["parent-iface", "bridge-name"] as const;

const configSchema = v.pipe(
  v.custom<object>(isObject, "keys and their values"),
  sound("flintlockd's config", (keys) =>
    isSpec(keys) ? "looks like a microVM's spec" : undefined,
  ),
  v.object({ "parent-iface": filledIn, "bridge-name": bridgeOrList }),
);

/** Files are easily swapped on a command line. */
function isSpec(document: object): boolean {
  if (configKeys.some((key) => Object.hasOwn(document, key))) return false;
  return ["interfaces", "microvm", "apiVersion"].some((key) => Object.hasOwn(document, key));
}

/**
 * The keys of a configuration that are spelled as flintlockd does not spell them, with its spelling.
 * They are no fault: other keys are flintlockd's own.
 */
export function misspelt(text: string): { key: string; meant: string }[] {
  const document = parseText(text, "config");
  const keys = isObject(document) ? Object.keys(document) : [];
  return keys.flatMap((key) => {
    const meant = configKeys.find((one) => plain(one) === plain(key) && one !== key);
    return meant === undefined || keys.includes(meant) ? [] : [{ key, meant }];
  });
}

function plain(key: string): string {
  return key.toLowerCase().replace(/[-_]/g, "").replace("interface", "iface");
}

/**
 * Reads flintlockd's configuration. Either key may be missing, or both; all others belong to
 * flintlockd and are left alone. `bridge-name` may be a list, which is flintap's own.
 *
 * @param text The content of config.yaml.
 * @param source What it is called in errors.
 * @throws {InvalidDocumentError} It is no YAML, or one of the two keys is no interface name, nor a list of bridges.
 */
export function parseConfig(text: string, source = "config"): HostConfig {
  string(text, { call: "parseConfig", argument: "text" });
  const { output, faults } = check(configSchema, parseText(text, source) ?? {});
  if (output === undefined) {
    const issues = faults.map(({ keys, ...fault }) => ({ path: formatPath(keys), ...fault }));
    throw new InvalidDocumentError(source, issues);
  }
  return { parentIface: output["parent-iface"], bridgeName: output["bridge-name"] };
}

/**
 * Reads flintlockd's configuration from a file; by default from where flintlockd has it.
 *
 * @param path The file.
 * @throws {InvalidDocumentError} As {@link parseConfig}, or it is no UTF-8.
 * @throws {UnreadableDocumentError} The system can't read the file.
 */
export async function loadConfig(path = "/etc/opt/flintlockd/config.yaml"): Promise<HostConfig> {
  return parseConfig(await readDocument({ what: "the host's config", path }), path);
}
