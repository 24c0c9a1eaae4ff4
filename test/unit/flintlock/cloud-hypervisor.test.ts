import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cloudHypervisorNet } from "../../../src/flintlock/cloud-hypervisor.js";
import { macvtap, mixed, tap } from "./provisioned.js";

describe("the values of --net", () => {
  test("are one for each interface: a tap by its name, a macvtap by its descriptor", () => {
    expect(cloudHypervisorNet(mixed, { fds: { eth1: 3 } })).toEqual([
      "tap=fltap-eth0,mac=aa:ff:00:00:00:01,id=eth0",
      "fd=3,mac=02:00:00:00:00:0a,id=eth1",
      "tap=fltap-eth2,mac=02:00:00:00:00:0b,id=eth2",
    ]);
    expect(cloudHypervisorNet([])).toEqual([]);
  });

  test("count two queues for each of several descriptors", () => {
    const one = [macvtap({ deviceId: "eth1" })];
    expect(cloudHypervisorNet(one, { fds: { eth1: [3, 4, 7] } })).toEqual([
      "fd=[3,4,7],mac=02:00:00:00:00:0a,num_queues=6,id=eth1",
    ]);
    expect(cloudHypervisorNet(one, { fds: { eth1: [3] } })).toEqual(
      cloudHypervisorNet(one, { fds: { eth1: 3 } }),
    );
  });

  test("have a tap by its descriptor where there is one", () => {
    expect(cloudHypervisorNet([tap({ deviceId: "eth1" })], { fds: { eth1: 5 } })).toEqual([
      "fd=5,mac=02:00:00:00:00:0b,id=eth1",
    ]);
  });
});

describe("descriptors", () => {
  const invalid = (code: string, message: string) =>
    expect.objectContaining({ code, message: expect.stringContaining(message) });

  test("are needed for a macvtap", () => {
    const expected =
      "Expected the descriptor of its queue in the VMM, or a list of them for " +
      "`cloudHypervisorNet` option `fds.eth1` but received undefined";
    expect(() => cloudHypervisorNet(mixed)).toThrow(invalid("ERR_INVALID_ARG_TYPE", expected));
    expect(() => cloudHypervisorNet(mixed, { fds: { eth1: [] } })).toThrow(
      invalid("ERR_INVALID_ARG_VALUE", "`fds.eth1`"),
    );
  });

  test("are above the standard streams'", () => {
    expect(() => cloudHypervisorNet(mixed, { fds: { eth1: 2 } })).toThrow(
      invalid("ERR_OUT_OF_RANGE", "`fds.eth1`"),
    );
    expect(() => cloudHypervisorNet(mixed, { fds: { eth1: [3, 1] } })).toThrow(
      invalid("ERR_OUT_OF_RANGE", "`fds.eth1.1`"),
    );
  });

  test("are for an interface that there is, and for one only", () => {
    expect(() => cloudHypervisorNet(mixed, { fds: { eth1: 3, eth9: 4 } })).toThrow(
      invalid("ERR_INVALID_ARG_VALUE", "an option that exists (eth0, eth1, eth2)"),
    );
    expect(() => cloudHypervisorNet(mixed, { fds: { eth1: 3, eth2: [4, 3] } })).toThrow(
      invalid("ERR_INVALID_ARG_VALUE", "each descriptor once"),
    );
  });
});

describe("a device id", () => {
  test.each(["a,b", "a=b", 'a"b', "a[b", "a]b", "a b", "a\nb", "__eth1"])(
    "that the syntax has no place for is refused: %j",
    (deviceId) => {
      expect(() => cloudHypervisorNet([{ ...tap({ deviceId: "eth1" }), deviceId }])).toThrow(
        "for `cloudHypervisorNet` argument `interfaces[0].deviceId` but received",
      );
    },
  );

  test("is found again in the value, whatever it is, or refused", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (deviceId) => {
        const one = { ...tap({ deviceId: "eth1" }), deviceId };
        let [value]: (string | undefined)[] = [];
        try {
          [value] = cloudHypervisorNet([one]);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        const options = (value ?? "").split(",").map((option) => option.split("="));
        expect(options).toEqual([
          ["tap", "fltap-eth1"],
          ["mac", "02:00:00:00:00:0b"],
          ["id", deviceId],
        ]);
      }),
    );
  });
});

test("a device's name that the syntax has no place for is refused", () => {
  const one = tap({ deviceId: "eth1" });
  expect(() => cloudHypervisorNet([{ ...one, link: { ...one.link, name: "a,ip=b" } }])).toThrow(
    "argument `interfaces[0].link.name`",
  );
});
