import { expect, test } from "vitest";
import { metadataInterface, withMetadataInterface } from "../../../src/flintlock/metadata.js";
import type { Microvm } from "../../../src/flintlock/microvm.js";

const microvm: Microvm = {
  id: "mvm1",
  namespace: "ns1",
  uid: "u",
  interfaces: [{ deviceId: "eth1", type: "macvtap" }],
};

test("the metadata interface stands in front of the microVM's own", () => {
  expect(withMetadataInterface(microvm)).toStrictEqual({
    id: "mvm1",
    namespace: "ns1",
    uid: "u",
    interfaces: [
      {
        deviceId: "eth0",
        type: "tap",
        guestMac: "aa:ff:00:00:00:01",
        address: { address: "169.254.0.1/16" },
        metadata: true,
      },
      { deviceId: "eth1", type: "macvtap" },
    ],
  });
});

test("neither the microVM nor the constant is changed by it, or by who changes the result", () => {
  const [added] = withMetadataInterface(microvm).interfaces;
  expect(microvm.interfaces).toHaveLength(1);
  if (added?.address === undefined) throw new Error("there is no address");
  added.address.address = "169.254.0.2/16";
  expect(metadataInterface.address).toEqual({ address: "169.254.0.1/16" });
});

test("a microVM that has an eth0, of whatever kind, is returned as it is", () => {
  const own: Microvm = { ...microvm, interfaces: [{ deviceId: "eth0", type: "macvtap" }] };
  expect(withMetadataInterface(own)).toBe(own);
  const added = withMetadataInterface(microvm);
  expect(withMetadataInterface(added)).toBe(added);
});
