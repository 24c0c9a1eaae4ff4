import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { loadSpec, loadSpecs, parseSpec, parseSpecs } from "../../../src/flintlock/spec.js";
import { fixture, fixturePath, refusal } from "./fixture.js";

const apiVersion = "infrastructure.cluster.x-k8s.io/v1alpha1";

/** A variable that clusterctl would replace. */
function variable(name: string): string {
  return `\${${name}}`;
}

/** A MicrovmMachine with these interfaces. */
function machine(networkInterfaces: unknown, metadata: unknown = { name: "mvm-0" }): string {
  return stringify({ apiVersion, kind: "MicrovmMachine", metadata, spec: { networkInterfaces } });
}

/** A MicrovmMachineTemplate with these interfaces. */
function template(networkInterfaces: unknown, metadata: unknown = { name: "mvm-md-0" }): string {
  const spec = { template: { spec: { networkInterfaces } } };
  return stringify({ apiVersion, kind: "MicrovmMachineTemplate", metadata, spec });
}

describe("a MicrovmMachineTemplate", () => {
  test.each(["macvtap", "tap"])("of the document's form asks for a %s", async (type) => {
    expect(await loadSpecs(fixturePath(`capmvm-${type}.yaml`))).toEqual([
      {
        kind: "MicrovmMachineTemplate",
        name: "mvm-md-0",
        namespace: "default",
        interfaces: [{ deviceId: "eth1", type }],
      },
    ]);
  });

  test("becomes a microVM by the id beside it", async () => {
    const microvm = await loadSpec(fixturePath("capmvm-tap.yaml"), { id: "vm", namespace: "ns1" });
    expect(microvm).toEqual({
      id: "vm",
      namespace: "ns1",
      interfaces: [{ deviceId: "eth1", type: "tap" }],
    });
  });

  test("is no microVM without an id beside it", () => {
    expect(refusal(() => parseSpec(fixture("capmvm-tap.yaml")))).toEqual([
      "  MicrovmMachineTemplate mvm-md-0: expected the microVM's id beside it, since a template names no microVM, received nothing",
    ]);
  });

  test("needs no name", () => {
    const [spec] = parseSpecs(template([{ guestDeviceName: "eth1", type: "tap" }], null));
    expect(spec?.name).toBeUndefined();
  });
});

describe("a MicrovmMachine", () => {
  const interfaces = [{ guestDeviceName: "eth1", type: "tap" }];

  test("is the microVM of its name and namespace, and its Kubernetes uid is not flintlock's", () => {
    const text = machine(interfaces, { name: "mvm-0", namespace: "ns1", uid: "5f0c2d1e" });
    expect(parseSpec(text)).toEqual({
      id: "mvm-0",
      namespace: "ns1",
      interfaces: [{ deviceId: "eth1", type: "tap" }],
    });
    expect(parseSpec(text, { uid: "u" }).uid).toBe("u");
  });

  test("is in the namespace `default` where it names none", () => {
    expect(parseSpec(machine(interfaces)).namespace).toBe("default");
  });

  test("whose name has a placeholder in it is described, but no microVM yet", () => {
    const text = machine(interfaces, { name: `${variable("CLUSTER_NAME")}-0` });
    expect(parseSpecs(text)).toMatchObject([
      { name: `${variable("CLUSTER_NAME")}-0`, id: undefined },
    ]);
    expect(refusal(() => parseSpec(text))[0]).toContain("(a placeholder that is not filled in)");
    expect(parseSpec(text, { id: "vm" }).id).toBe("vm");
  });

  test("whose interface's name is a placeholder is described, but no microVM yet", () => {
    const text = machine([{ guestDeviceName: variable("DEV"), type: "tap" }], { name: "mvm-0" });
    expect(parseSpecs(text)).toHaveLength(1);
    expect(refusal(() => parseSpec(text))).toEqual([
      `  MicrovmMachine mvm-0: spec.networkInterfaces[0].guestDeviceName: expected a name, received "${variable("DEV")}" (a placeholder that is not filled in)`,
    ]);
  });

  test("whose namespace is a placeholder is no microVM yet", () => {
    const text = machine(interfaces, { name: "mvm-0", namespace: variable("NAMESPACE") });
    expect(parseSpecs(text)).toHaveLength(1);
    expect(refusal(() => parseSpec(text))[0]).toContain("metadata.namespace: expected");
  });
});

describe("CAPMVM's objects", () => {
  test("are found between other kinds, placeholders and empty documents", async () => {
    const specs = await loadSpecs(fixturePath("cluster-template.yaml"));
    expect(specs).toEqual([
      {
        kind: "MicrovmMachineTemplate",
        name: `${variable("CLUSTER_NAME")}-control-plane`,
        namespace: variable("NAMESPACE"),
        interfaces: [{ deviceId: "eth1", type: "macvtap" }],
      },
      {
        kind: "MicrovmMachineTemplate",
        name: `${variable("CLUSTER_NAME")}-md-0`,
        namespace: "default",
        interfaces: [
          {
            deviceId: "eth1",
            type: "tap",
            guestMac: "02:00:00:00:00:aa",
            address: { address: "10.0.0.2/24" },
          },
          { deviceId: "eth2", type: "macvtap" },
        ],
      },
    ]);
  });

  test("are found in a List, in JSON", () => {
    expect(parseSpecs(fixture("machines.json"))).toMatchObject([
      { kind: "MicrovmMachine", id: "mvm-0", namespace: "ns1" },
      { kind: "MicrovmMachine", id: "mvm-1", namespace: "default" },
    ]);
  });

  test("are refused with all the faults of all documents, in their own spelling", () => {
    const fields = "no field but guestDeviceName, type, guestMac, address";
    const first = "  MicrovmMachineTemplate mvm-md-0: spec.template.spec.networkInterfaces";
    const second = "  document 3, MicrovmMachine: ";
    const type = 'expected "macvtap" or "tap", received';
    const again = "expected one of its own, received";
    expect(refusal(() => parseSpecs(fixture("capmvm-faulty.yaml")))).toEqual([
      expect.stringMatching(/^ {2}line 18, column 1: expected YAML, received a fault: /),
      `${first}[0].guestDeviceName: expected the interface's name in the guest, received "eth@1" ("@" may not be in it)`,
      `${first}[0].type: ${type} "TAP"`,
      `${first}[0].guest_mac: expected ${fields}, received "02:00:00:00:00:01"`,
      `${first}[1].guestDeviceName: expected the interface's name in the guest, received nothing`,
      `${first}[1].type: ${type} nothing`,
      `${first}[1].guestMac: expected a unicast MAC, received "e7:00:00:00:00:01" (multicast bit set)`,
      `${first}[1].address: expected an IP address with prefix length, such as 10.0.0.2/24, received an object`,
      `${first}[2]: expected an object, received "eth2"`,
      `${second}metadata.name: expected the microVM's id, in the document or beside it, received "mvm/0" ("/" may not be in it)`,
      `${second}metadata.namespace: expected the microVM's namespace, received 7`,
      `${second}spec.networkInterfaces[1].guestDeviceName: ${again} "eth1" (networkInterfaces[0] has it)`,
      `${second}spec.networkInterfaces[1].guestMac: ${again} "02-00-00-00-00-02" (networkInterfaces[0] has it)`,
      `${second}spec.networkInterfaces[1].address: ${again} "10.0.0.2/16" (networkInterfaces[0] has it)`,
      `  MicrovmMachine mvm-1: apiVersion: expected "${apiVersion}", received "infrastructure.cluster.x-k8s.io/v1beta1"`,
      "  MicrovmMachine mvm-2: spec.networkInterfaces: expected at least one interface, received a list (it is empty)",
      "  document 6, MicrovmMachineTemplate: spec.template.spec.networkInterfaces: expected a list of interfaces, received nothing",
      "  document 7: interfaces: expected a list of interfaces, received nothing",
      "  document 8: expected a microVM's spec, received a list",
    ]);
  });

  test("name what an option got wrong as the option's", () => {
    const text = machine([{ guestDeviceName: "eth1", type: "tap" }]);
    expect(refusal(() => parseSpec(text, { id: "a b" }))[0]).toMatch(/^ {2}option id: expected /);
  });

  test("take fields from an anchor by a merge key, their own first", () => {
    const text = `${machine([{ guestDeviceName: "eth1" }]).replace(
      "- guestDeviceName",
      "- <<: { type: macvtap, guestDeviceName: eth9 }\n      guestDeviceName",
    )}`;
    expect(parseSpec(text).interfaces).toEqual([{ deviceId: "eth1", type: "macvtap" }]);
  });
});

describe("any valid object", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/);
  const address = fc
    .tuple(fc.ipV4(), fc.integer({ min: 1, max: 32 }))
    .filter(([ip]) => !/^(0|127|22[4-9]|23\d|255)\./.test(ip))
    .map(([ip, prefix]) => `${ip}/${prefix}`);
  const mac = fc
    .uint8Array({ minLength: 4, maxLength: 4 })
    .map((bytes) => `02:01:${Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(":")}`);
  const entry = fc.record(
    {
      guestDeviceName: word,
      type: fc.constantFrom("macvtap" as const, "tap" as const),
      guestMac: mac,
      address,
    },
    { requiredKeys: ["guestDeviceName", "type"] },
  );
  const interfaces = fc.uniqueArray(entry, {
    minLength: 1,
    maxLength: 6,
    comparator: (a, b) =>
      a.guestDeviceName === b.guestDeviceName ||
      (a.guestMac !== undefined && a.guestMac === b.guestMac) ||
      (a.address !== undefined && a.address.split("/")[0] === b.address?.split("/")[0]),
  });

  test("is read into the same model as YAML and as JSON, as a machine and as a template", () => {
    fc.assert(
      fc.property(interfaces, word, word, (list, name, namespace) => {
        const expected = list.map(({ guestDeviceName, type, guestMac, address }) => ({
          deviceId: guestDeviceName,
          type,
          guestMac,
          address: address && { address },
        }));
        const metadata = { name, namespace };
        const microvm = { id: name, namespace, interfaces: expected };
        const json = { apiVersion, kind: "MicrovmMachine", metadata };
        expect(parseSpec(machine(list, metadata))).toEqual(microvm);
        expect(parseSpec(JSON.stringify({ ...json, spec: { networkInterfaces: list } }))).toEqual(
          microvm,
        );
        expect(parseSpec(template(list, metadata), { id: name })).toEqual(microvm);
      }),
    );
  });
});
