import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cloudHypervisorNetwork } from "../../../src/flintlock/cloud-hypervisor.js";
import { macvtap, metadata, mixed, opened, tap } from "./provisioned.js";

describe("what Cloud Hypervisor is told", () => {
  test("has a persistent tap by its name, and what has a queue by its descriptor", () => {
    const [eth0, eth1, eth2] = [metadata, opened(macvtap({ deviceId: "eth1" })), mixed[2]];
    const network = cloudHypervisorNetwork([eth0, eth1, eth2 ?? eth0]);
    expect(network.args).toEqual([
      "--net",
      "tap=fltap-eth0,mac=aa:ff:00:00:00:01,id=eth0",
      "fd=3,mac=02:00:00:00:00:0a,id=eth1",
      "tap=fltap-eth2,mac=02:00:00:00:00:0b,id=eth2",
    ]);
    expect(network.queues).toEqual(eth1.queues);
    expect(network.netFds).toEqual([{ id: "eth1", num_fds: 1 }]);
  });

  test("is nothing where there is no interface", () => {
    expect(cloudHypervisorNetwork([])).toEqual({ args: [], queues: [], addNet: [], netFds: [] });
  });

  test("numbers the queues one after the other, and counts two for each of several", () => {
    const entries = [
      opened(tap({ deviceId: "eth1" }), 2),
      opened(macvtap({ deviceId: "eth2" })),
      opened(macvtap({ deviceId: "eth3" }), 3),
    ];
    const { args, queues, netFds } = cloudHypervisorNetwork(entries, { firstFd: 5 });
    expect(args).toEqual([
      "--net",
      "fd=[5,6],mac=02:00:00:00:00:0b,num_queues=4,id=eth1",
      "fd=7,mac=02:00:00:00:00:0a,id=eth2",
      "fd=[8,9,10],mac=02:00:00:00:00:0a,num_queues=6,id=eth3",
    ]);
    expect(queues).toEqual(entries.flatMap((entry) => entry.queues ?? []));
    expect(netFds.map(({ num_fds }) => num_fds)).toEqual([2, 1, 3]);
  });

  test("is for a guest that runs a body without descriptors, which go beside it", () => {
    const entry = opened(tap({ deviceId: "eth1" }), 2);
    const { addNet } = cloudHypervisorNetwork([entry, metadata]);
    expect(addNet).toEqual([
      { body: { id: "eth1", mac: "02:00:00:00:00:0b", num_queues: 4 }, queues: entry.queues },
      { body: { id: "eth0", mac: "aa:ff:00:00:00:01", tap: "fltap-eth0" }, queues: [] },
    ]);
  });
});

test.each([macvtap({ deviceId: "eth1" }), opened(macvtap({ deviceId: "eth1" }), 0)])(
  "a macvtap without a queue is refused: it cannot be opened by name",
  (entry) => {
    expect(() => cloudHypervisorNetwork([entry])).toThrow(
      expect.objectContaining({ reason: "no-queues", device: "flvtap9c329ce52" }),
    );
  },
);

test("a queue that was closed is none", async () => {
  const entry = opened(macvtap({ deviceId: "eth1" }));
  await entry.queues?.[0]?.close();
  expect(() => cloudHypervisorNetwork([entry])).toThrow("Expected queues that are open");
});

test("the first number is above the standard streams'", () => {
  expect(() => cloudHypervisorNetwork([], { firstFd: 2 })).toThrow(
    expect.objectContaining({ code: "ERR_OUT_OF_RANGE" }),
  );
});

describe("a device id", () => {
  test.each(["a,b", "a=b", 'a"b', "a[b", "a]b", "a b", "a\nb", "__eth1"])(
    "that the syntax has no place for is refused: %j",
    (deviceId) => {
      expect(() => cloudHypervisorNetwork([{ ...tap({ deviceId: "eth1" }), deviceId }])).toThrow(
        "for `cloudHypervisorNetwork` argument `interfaces[0].deviceId` but received",
      );
    },
  );

  test("is found again in the value, whatever it is, or refused", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (deviceId) => {
        const one = { ...tap({ deviceId: "eth1" }), deviceId };
        let value: string | undefined;
        try {
          [, value] = cloudHypervisorNetwork([one]).args;
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
  expect(() => cloudHypervisorNetwork([{ ...one, link: { ...one.link, name: "a,ip=b" } }])).toThrow(
    "argument `interfaces[0].link.name`",
  );
});
