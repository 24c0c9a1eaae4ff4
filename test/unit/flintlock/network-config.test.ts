import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { StaticAddress } from "../../../src/flintlock/microvm.js";
import {
  networkConfig,
  networkConfigParameter,
  networkConfigYaml,
} from "../../../src/flintlock/network-config.js";
import { mixed, tap } from "./provisioned.js";

function ethernet(address: StaticAddress) {
  return networkConfig([tap({ deviceId: "eth1", address })]).ethernets.eth1;
}

describe("the network config", () => {
  test("has DHCP by MAC, or the static address of the spec and of the metadata interface", () => {
    expect(networkConfig(mixed)).toStrictEqual({
      version: 2,
      ethernets: {
        eth0: {
          match: { macaddress: "aa:ff:00:00:00:01" },
          dhcp4: false,
          dhcp6: false,
          addresses: ["169.254.0.1/16"],
        },
        eth1: {
          match: { macaddress: "02:00:00:00:00:0a" },
          dhcp4: true,
          dhcp6: true,
          "dhcp-identifier": "mac",
        },
        eth2: {
          match: { macaddress: "02:00:00:00:00:0b" },
          dhcp4: false,
          dhcp6: false,
          addresses: ["10.0.0.2/24"],
          gateway4: "10.0.0.1",
          nameservers: { addresses: ["1.1.1.1"] },
        },
      },
    });
  });

  test("has an IPv6 gateway as such", () => {
    const address = { address: "fd00::2/64", gateway: "fd00::1/64", nameservers: ["fd00::53"] };
    expect(ethernet(address)).toStrictEqual({
      match: { macaddress: "02:00:00:00:00:0b" },
      dhcp4: false,
      dhcp6: false,
      addresses: ["fd00::2/64"],
      gateway6: "fd00::1",
      nameservers: { addresses: ["fd00::53"] },
    });
  });

  test("goes by each value's own family where both occur", () => {
    const nameservers = ["1.1.1.1", "2606:4700:4700::1111"];
    expect(ethernet({ address: "10.0.0.2/24", gateway: "fe80::1/64", nameservers })).toMatchObject({
      addresses: ["10.0.0.2/24"],
      gateway6: "fe80::1",
      nameservers: { addresses: nameservers },
    });
  });

  test("takes a gateway without prefix length, and leaves out an empty list of name servers", () => {
    const { match: _, ...rest } = ethernet({
      address: "10.0.0.2/24",
      gateway: "10.0.0.1",
      nameservers: [],
    }) ?? { match: undefined };
    expect(rest).toStrictEqual({
      dhcp4: false,
      dhcp6: false,
      addresses: ["10.0.0.2/24"],
      gateway4: "10.0.0.1",
    });
  });

  test("has MACs in lower case", () => {
    const { ethernets } = networkConfig([tap({ deviceId: "eth1" }, "02:AB:CD:EF:00:0B")]);
    expect(ethernets.eth1?.match.macaddress).toBe("02:ab:cd:ef:00:0b");
  });

  test("shares no list with the spec", () => {
    const nameservers = ["1.1.1.1"];
    expect(ethernet({ address: "10.0.0.2/24", nameservers })?.nameservers?.addresses).not.toBe(
      nameservers,
    );
  });
});

describe("its YAML", () => {
  test("is plain where it can be, and quoted where YAML 1.1 would read something else", () => {
    const entry = tap({ deviceId: "eth1" }, "52:54:00:12:34:56");
    expect(networkConfigYaml(networkConfig([entry, tap({ deviceId: "no" })]))).toBe(`version: 2
ethernets:
  eth1:
    match:
      macaddress: "52:54:00:12:34:56"
    dhcp4: true
    dhcp6: true
    dhcp-identifier: mac
  "no":
    match:
      macaddress: "02:00:00:00:00:0b"
    dhcp4: true
    dhcp6: true
    dhcp-identifier: mac
`);
  });

  test("repeats an address that two interfaces share", () => {
    const config = networkConfig([]);
    const shared = ethernet({ address: "10.0.0.2/24", nameservers: ["1.1.1.1"] });
    if (shared === undefined) throw new Error("there is no interface");
    const yaml = networkConfigYaml({ ...config, ethernets: { eth1: shared, eth2: shared } });
    expect(yaml).not.toMatch(/[&*]/);
  });

  const awkward = fc.constantFrom(
    ...["no", "y", "null", "~", "1", "0o7", "1e3", "=", "<<", "- a", "? a", "a: b", "a #b", "*a"],
    ...["", " ", "'", '"', "\\", "\n", "\t", "\u0085", "\u2028", "\ufeff", "2001-01-01", "{", "é"],
    ...["__proto__", "10:20:30:40:50:51", "\u{1f98a}", "!!str a", "%a", "@a", "`a", "---", "..."],
  );
  const value = fc.oneof(awkward, fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }));
  const address = fc.record(
    { address: value, gateway: value, nameservers: fc.array(value, { maxLength: 3 }) },
    { requiredKeys: ["address"] },
  );
  const entry = fc.record(
    { deviceId: value, guestMac: value, address },
    { requiredKeys: ["deviceId", "guestMac"] },
  );

  test("is ASCII, and by YAML 1.1 and 1.2 the very same config, whatever the values", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), (entries) => {
        const config = networkConfig(
          entries.map(({ guestMac, ...fields }) => ({ ...tap(fields), ...fields, guestMac })),
        );
        const yaml = networkConfigYaml(config);
        expect(yaml).toMatch(/^[\n -~]*$/);
        expect(parse(yaml)).toEqual(config);
        expect(parse(yaml, { version: "1.1" })).toEqual(config);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the kernel's parameter", () => {
  test("is the YAML in base64, in one word", () => {
    const parameter = networkConfigParameter(networkConfig(mixed));
    expect(parameter).toMatch(/^network-config=[A-Za-z\d+/]+=*$/);
    const [, base64] = parameter.split(/=(.*)/);
    expect(Buffer.from(base64 ?? "", "base64").toString()).toBe(
      networkConfigYaml(networkConfig(mixed)),
    );
  });
});
