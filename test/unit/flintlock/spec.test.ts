import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidDocumentError } from "../../../src/flintlock/invalid-document.js";
import { loadSpec, parseSpec } from "../../../src/flintlock/spec.js";
import { fixture, fixturePath, refusal } from "./fixture.js";

/** A spec with one interface, of these fields. */
function specOf(entry: unknown): string {
  return JSON.stringify({ id: "vm", interfaces: [entry] });
}

describe("a spec", () => {
  test.each([
    ["macvtap.json", "macvtap"],
    ["tap.json", "tap"],
  ])("of the document's form in %s needs an id beside it", async (name, type) => {
    const microvm = await loadSpec(fixturePath(name), { id: "vm" });
    expect(microvm).toEqual({
      id: "vm",
      namespace: "default",
      interfaces: [{ deviceId: "eth1", type }],
    });
  });

  test("is read inside `microvm`, in camelCase, with trailing commas", () => {
    expect(parseSpec(fixture("microvm.json"))).toEqual({
      id: "mvm1",
      namespace: "ns1",
      interfaces: [
        { deviceId: "eth1", type: "macvtap", guestMac: "02:00:00:00:00:aa" },
        {
          deviceId: "eth2",
          type: "tap",
          address: {
            address: "10.0.0.2/24",
            gateway: "10.0.0.1/24",
            nameservers: ["10.0.0.1", "fd00::1"],
          },
          bridgeName: "br7",
        },
      ],
    });
  });

  test("is read inside `spec`, in snake_case, as YAML, with empty overrides", () => {
    expect(parseSpec(fixture("spec.yaml"))).toEqual({
      id: "mvm2",
      namespace: "ns1",
      uid: "01HZY3J5M8Q2V4X6Z8B0D2F4G6",
      interfaces: [
        { deviceId: "eth1", type: "macvtap" },
        { deviceId: "eth2", type: "tap", guestMac: "02:00:00:00:00:bb" },
      ],
    });
  });

  test("is read inside a `spec` inside a `microvm`, as GetMicroVM answers", () => {
    const text = '{"microvm": {"spec": {"id": "vm", "interfaces": []}, "status": {}}}';
    expect(parseSpec(text)).toMatchObject({ id: "vm", interfaces: [] });
  });

  test("yields to the id, namespace and uid beside it", () => {
    const options = { id: "other", namespace: "ns2", uid: "u" };
    expect(parseSpec(fixture("microvm.json"), options)).toMatchObject(options);
  });

  test.each([
    [undefined, "macvtap"],
    [null, "macvtap"],
    [0, "macvtap"],
    ["MACVTAP", "macvtap"],
    [1, "tap"],
    ["TAP", "tap"],
  ])("of type %j asks for a %s", (type, expected) => {
    const microvm = parseSpec(specOf({ device_id: "eth1", type }));
    expect(microvm.interfaces[0]?.type).toBe(expected);
  });

  test("is refused with all its faults, in order, in its own spelling", () => {
    const fields = "no field but device_id, type, guest_mac, address, overrides";
    const cidr = "an IP address with prefix length, such as 10.0.0.2/24";
    expect(refusal(() => parseSpec(fixture("faulty.json")))).toEqual([
      "  microvm.id: expected the microVM's id, in the document or beside it, received nothing",
      `  microvm.interfaces[0].device_id: expected the interface's name in the guest, received "eth/1" ("/" may not be in it)`,
      '  microvm.interfaces[0].type: expected 0, 1, "MACVTAP" or "TAP", received 7',
      `  microvm.interfaces[0].guest_mca: expected ${fields}, received "02:00:00:00:00:01"`,
      "  microvm.interfaces[1].device_id: expected the interface's name in the guest, received nothing",
      '  microvm.interfaces[1].guestMac: expected a unicast MAC, received "e7:00:00:00:00:01" (multicast bit set)',
      '  microvm.interfaces[2].overrides.bridge_name: expected none, since a macvtap has no bridge (a tap is type 1), received "br0"',
      '  microvm.interfaces[3].device_id: expected one of its own, received "eth3" (interfaces[2] has it)',
      '  microvm.interfaces[3].guest_mac: expected one of its own, received "02:00:00:00:00:CC" (interfaces[2] has it)',
      `  microvm.interfaces[4].address.address: expected ${cidr}, received nothing`,
      `  microvm.interfaces[4].address.gateway: expected ${cidr}, received "10.0.0.1" (without a prefix length)`,
      '  microvm.interfaces[4].address.nameservers[0]: expected an IP address, received "here"',
      `  microvm.interfaces[4].deviceId: expected ${fields}, received "eth6"`,
      '  microvm.interfaces[5]: expected an object, received "eth7"',
    ]);
  });

  test("has no placeholder in a name by which a device is made", () => {
    const unfilled = `$\{NAME}`;
    const interfaces = [{ device_id: unfilled }];
    const bridged = { device_id: "eth1", type: 1, overrides: { bridge_name: unfilled } };
    const text = JSON.stringify({ id: "vm", uid: unfilled, interfaces: [...interfaces, bridged] });
    const received = `received "${unfilled}" (a placeholder that is not filled in)`;
    expect(refusal(() => parseSpec(text))).toEqual([
      `  uid: expected the microVM's uid, ${received}`,
      `  interfaces[0].device_id: expected a name, ${received}`,
      `  interfaces[1].overrides.bridge_name: expected a name, ${received}`,
    ]);
  });

  test("is no config of flintlockd's", () => {
    expect(refusal(() => parseSpec(fixture("config.yaml")))).toEqual([
      "  expected a microVM's spec, received what looks like flintlockd's config",
    ]);
  });

  test("tells each fault apart in `issues`, too", () => {
    const text = specOf({ device_id: "eth1", guest_mac: "00:00:00:00:00:00" });
    const expected = {
      code: "ERR_INVALID_DOCUMENT",
      source: "spec.json",
      issues: [
        {
          path: "interfaces[0].guest_mac",
          expected: "a unicast MAC",
          received: '"00:00:00:00:00:00" (all zero)',
        },
      ],
    };
    expect(() => parseSpec(text, { source: "spec.json" })).toThrow(
      expect.objectContaining(expected),
    );
  });

  test.each([
    ["a MAC that is none", { guest_mac: "02:00:00:00:00" }, "guest_mac"],
    ["a MAC of another type", { guest_mac: 7 }, "guest_mac"],
    ["an @ in the name", { device_id: "eth@1" }, "device_id"],
    ["white space in the name", { device_id: "eth 1" }, "device_id"],
    ["a control character in the name", { device_id: "eth\u00001" }, "device_id"],
    ["an invisible character in the name", { device_id: "eth\u202e1" }, "device_id"],
    ["a name without end", { device_id: "e".repeat(254) }, "device_id"],
    ["a constructor", { constructor: 7 }, "constructor"],
    ["a prototype", JSON.parse('{"__proto__": {"type": 1}}'), "__proto__"],
    ["a prototype inside", { type: 1, overrides: JSON.parse('{"__proto__": 1}') }, "__proto__"],
    ["an empty name", { device_id: "" }, "device_id"],
    ["a type in lower case", { type: "tap" }, "type"],
    ["a fraction as type", { type: 0.5 }, "type"],
    ["a prefix of 33 bits", { address: { address: "10.0.0.1/33" } }, "address.address"],
    ["a list as address", { address: [] }, "address"],
    ["a text as overrides", { overrides: "br0" }, "overrides"],
    [
      "a bridge of 128 bytes",
      { type: 1, overrides: { bridge_name: "b".repeat(128) } },
      "bridge_name",
    ],
  ])("is refused with %s", (_, fields, path) => {
    const entry = Object.defineProperties(
      { device_id: "eth1" },
      Object.getOwnPropertyDescriptors(fields),
    );
    const lines = refusal(() => parseSpec(specOf(entry)));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`${path}: expected`);
  });

  test("has nothing by way of a prototype", () => {
    expect(refusal(() => parseSpec('{"__proto__": {"id": "vm"}, "interfaces": []}'))).toEqual([
      "  id: expected the microVM's id, in the document or beside it, received nothing",
    ]);
  });

  test("that repeats itself by an alias, inside of itself, is refused", () => {
    const text = "id: vm\ninterfaces: [&a { device_id: eth1, overrides: *a }]";
    expect(refusal(() => parseSpec(text))[0]).toContain("expected an alias of something");
  });

  test("whose keys would break a line or a terminal is refused in quotes", () => {
    const text = specOf({ device_id: "eth1", "a\u001b[31m\u202e\n": 1 });
    expect(refusal(() => parseSpec(text))[0]).toContain(
      String.raw`interfaces[0]["a\u001b[31m\u202e\n"]: expected no field but`,
    );
  });

  test.each([
    ["no object", '"vm"', '  expected a microVM\'s spec, received "vm"'],
    ["a list", "[]", "  expected a microVM's spec, received a list"],
    ["nothing in it", "microvm:", "  microvm: expected a microVM's spec, received null"],
    ["no interfaces", "id: vm", "  interfaces: expected a list of interfaces, received nothing"],
    [
      "a slash in the id",
      '{"id": "a/b", "interfaces": []}',
      '  id: expected the microVM\'s id, in the document or beside it, received "a/b" ("/" may not be in it)',
    ],
  ])("is refused with %s", (_, text, line) => {
    expect(refusal(() => parseSpec(text))).toEqual([line]);
  });

  test("with very many interfaces is read in linear time", () => {
    const entry = { device_id: "eth", guest_mac: "02:00:00:00:00:01" };
    const text = JSON.stringify({ id: "vm", interfaces: Array(3_000).fill(entry) });
    expect(refusal(() => parseSpec(text))).toHaveLength(2 * 2_999);
  });

  test("is read or refused, whatever its fields hold", () => {
    const entry = fc.record(
      {
        device_id: fc.anything(),
        type: fc.anything(),
        guest_mac: fc.anything(),
        address: fc.anything(),
        overrides: fc.anything(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(entry), fc.jsonValue(), (interfaces, id) => {
        try {
          const microvm = parseSpec(JSON.stringify({ id, interfaces }));
          expect(microvm.interfaces).toHaveLength(interfaces.length);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidDocumentError);
        }
      }),
    );
  });
});
