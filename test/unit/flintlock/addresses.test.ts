import { describe, expect, test } from "vitest";
import { parseSpec } from "../../../src/flintlock/spec.js";
import { refusal } from "./fixture.js";

/** A spec whose interfaces have these static addresses. */
function specOf(...addresses: object[]): string {
  const interfaces = addresses.map((address, at) => ({ device_id: `eth${at}`, address }));
  return JSON.stringify({ id: "vm", interfaces });
}

describe("a static address", () => {
  test.each([
    "10.0.0.2/24",
    "10.0.0.2/32",
    "10.0.0.0/24",
    "10.0.0.255/24",
    "169.254.0.1/16",
    "fd00::2/64",
    "fe80::1/64",
    "2001:DB8::1/128",
  ])("may be %s", (address) => {
    expect(parseSpec(specOf({ address })).interfaces[0]?.address).toEqual({ address });
  });

  test.each([
    ["10.0.0.2", " (without a prefix length)"],
    ["fd00::2", " (without a prefix length)"],
    ["10.0.0.2/24/24", ""],
    ["10.0.0.2/", ""],
    ["10.0.0.2/024", ""],
    ["010.0.0.2/24", ""],
    ["10.0.0.2/33", " (a prefix has at most 32 bits)"],
    ["fd00::2/129", " (a prefix has at most 128 bits)"],
    ["10.0.0.2/0", " (a prefix has at least 1 bit)"],
    ["0.0.0.0/24", " (not specified)"],
    ["::/64", " (not specified)"],
    ["127.0.0.1/8", " (a loopback address)"],
    ["::1/128", " (a loopback address)"],
    ["224.0.0.1/24", " (a multicast address)"],
    ["ff02::1/64", " (a multicast address)"],
    ["255.255.255.255/32", " (the broadcast address)"],
    ["::ffff:10.0.0.2/120", " (IPv4 in the form of IPv6)"],
    ["fe80::1%eth0/64", " (an address without a zone belongs here)"],
  ])("may not be %s", (address, reason) => {
    const expected = "an IP address with prefix length, such as 10.0.0.2/24";
    expect(refusal(() => parseSpec(specOf({ address })))).toEqual([
      `  interfaces[0].address.address: expected ${expected}, received "${address}"${reason}`,
    ]);
  });

  test("is in one interface only, however it is spelled", () => {
    const text = specOf({ address: "fd00::2/64" }, { address: "FD00:0::2/48" });
    expect(refusal(() => parseSpec(text))).toEqual([
      '  interfaces[1].address.address: expected one of its own, received "FD00:0::2/48" (interfaces[0] has it)',
    ]);
  });
});

describe("a gateway", () => {
  test.each([
    ["10.0.0.2/24", "fd00::1/64", "an IPv4 gateway, since the address is one", " (IPv6)"],
    ["fd00::2/64", "10.0.0.1/24", "an IPv6 gateway, since the address is one", " (IPv4)"],
    ["10.0.0.2/24", "10.0.0.2/24", "another address than the guest's", ""],
    ["fd00::2/64", "fd00:0::2/64", "another address than the guest's", ""],
    ["10.0.0.2/24", "10.0.1.1/24", "a gateway in the subnet of 10.0.0.2/24", ""],
    ["10.0.0.2/24", "10.0.1.1/8", "a gateway in the subnet of 10.0.0.2/24", ""],
    ["fd00::2/64", "fd00:0:0:1::1/64", "a gateway in the subnet of fd00::2/64", ""],
  ])("of %s may not be %s", (address, gateway, expected, reason) => {
    expect(refusal(() => parseSpec(specOf({ address, gateway })))).toEqual([
      `  interfaces[0].address.gateway: expected ${expected}, received "${gateway}"${reason}`,
    ]);
  });

  test.each([
    ["10.0.0.200/24", "10.0.0.1/8"],
    ["10.0.0.2/32", "192.0.2.1/32"],
    ["fd00::2/64", "fd00::1/128"],
    ["fd00::2/64", "fe80::1/64"],
    ["2001:db8::2/128", "fd00::1/64"],
    ["10.0.0.3/24", ""],
  ])("of %s may be %j", (address, gateway) => {
    const { interfaces } = parseSpec(specOf({ address, gateway }));
    expect(interfaces[0]?.address?.gateway).toBe(gateway || undefined);
  });
});

describe("a name server", () => {
  test("may be the guest itself", () => {
    const nameservers = ["127.0.0.53", "::1", "fd00::1"];
    const text = specOf({ address: "10.0.0.2/24", nameservers });
    expect(parseSpec(text).interfaces[0]?.address?.nameservers).toEqual(nameservers);
  });

  test.each(["0.0.0.0", "224.0.0.1", "fe80::1%eth0", "10.0.0.1/24", "dns"])(
    "may not be %s",
    (server) => {
      const text = specOf({ address: "10.0.0.2/24", nameservers: [server] });
      expect(refusal(() => parseSpec(text))[0]).toContain(
        `address.nameservers[0]: expected an IP address, received "${server}"`,
      );
    },
  );
});
