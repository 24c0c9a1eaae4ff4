/**
 * Kubernetes objects of CAPMVM, the Cluster API provider for microVMs: a MicrovmMachine is a microVM,
 * a MicrovmMachineTemplate is what many are made from. Only what concerns the network is looked at.
 */
import * as v from "valibot";
import { optionalCidr } from "./addresses.js";
import type { Description } from "./description.js";
import { closedObject, optionalGuestMac, sound, wordFault } from "./fields.js";
import {
  deviceId,
  deviceIdExpected,
  type InterfaceForm,
  interfacesExpected,
  valueAt,
} from "./interface-form.js";
import { describeValue } from "./invalid-document.js";
import type { MicrovmInterface } from "./microvm.js";
import { isObject } from "./reading.js";

const apiVersion = "infrastructure.cluster.x-k8s.io/v1alpha1";

/** The kinds that describe microVMs, and where each has what a flintlock spec has in `interfaces`. */
const kinds = {
  MicrovmMachine: ["spec"],
  MicrovmMachineTemplate: ["spec", "template", "spec"],
} as const;

type Kind = keyof typeof kinds;

const typeExpected = '"macvtap" or "tap"';

const fields = closedObject(
  {
    guestDeviceName: deviceId,
    type: v.picklist(["macvtap", "tap"], typeExpected),
    guestMac: optionalGuestMac,
    address: optionalCidr,
  },
  { guestDeviceName: deviceIdExpected, type: typeExpected },
);

/** Entries of `networkInterfaces`. */
const form: InterfaceForm = {
  list: "networkInterfaces",
  schema: v.pipe(
    v.array(v.pipe(fields, v.transform(toModel)), interfacesExpected),
    sound("at least one interface", (list) => (list.length === 0 ? "it is empty" : undefined)),
  ),
  deviceId: "guestDeviceName",
  guestMac: "guestMac",
  address: ["address"],
  names: [["guestDeviceName"]],
  faultsOf: () => [],
};

function toModel(entry: v.InferOutput<typeof fields>): MicrovmInterface {
  const { guestDeviceName, type, guestMac, address } = entry;
  return { deviceId: guestDeviceName, type, guestMac, address: address ? { address } : undefined };
}

/** Whether a document is a Kubernetes object, of whatever kind; a flintlock spec never looks so. */
export function isKubernetesObject(value: unknown): value is Record<string, unknown> {
  return isObject(value) && (Object.hasOwn(value, "kind") || Object.hasOwn(value, "apiVersion"));
}

/** The objects of a `List`, as kubectl prints several; of any other object, itself. */
export function listedObjects(object: Record<string, unknown>): readonly unknown[] | undefined {
  const { kind, items } = object;
  return kind === "List" && Array.isArray(items) ? items : undefined;
}

/**
 * Finds the microVM or the template in a Kubernetes object; undefined for one of another kind.
 *
 * @param object The object.
 * @param position Where in its text it is, in words.
 */
export function describeObject(
  object: Record<string, unknown>,
  position: string,
): Description | undefined {
  const { kind } = object;
  if (!isKind(kind)) return undefined;
  const name = valueAt(object, ["metadata", "name"]);
  const isNamed = typeof name === "string" && wordFault(name) === undefined;
  const list = [...kinds[kind], form.list];
  return {
    kind,
    label: isNamed ? `${kind} ${name}` : [position, kind].filter(Boolean).join(", "),
    position,
    name,
    id: kind === "MicrovmMachine" ? name : undefined,
    namespace: valueAt(object, ["metadata", "namespace"]),
    uid: undefined,
    interfaces: valueAt(object, list),
    form,
    keysInDocument: ([first, ...keys]) => {
      if (first === "interfaces") return [...list, ...keys];
      if (first === "id") return kind === "MicrovmMachine" ? ["metadata", "name"] : [];
      return first === "apiVersion" ? [first] : ["metadata", first];
    },
    fault:
      object.apiVersion === apiVersion
        ? undefined
        : {
            keys: ["apiVersion"],
            expected: `"${apiVersion}"`,
            received: describeValue(object.apiVersion),
          },
  };
}

function isKind(kind: unknown): kind is Kind {
  return typeof kind === "string" && Object.hasOwn(kinds, kind);
}
