/** How guests are spread over several bridges. */
import { describe, expect, test } from "vitest";
import { bridgesOf, inOrderFor } from "../../../src/flintlock/bridges.js";
import { desiredDevices } from "../../../src/flintlock/devices.js";
import type { Microvm } from "../../../src/flintlock/microvm.js";

const bridges = ["br0", "br1", "br2", "br3"];
const purposes = Array.from({ length: 4_000 }, (_, at) => [`default/mvm${at}`, "eth1"]);
const firstOf = (list: readonly string[]) =>
  purposes.map((purpose) => inOrderFor(purpose, list)[0]);

test("a config names none, one or several bridges", () => {
  expect(bridgesOf({})).toEqual([]);
  expect(bridgesOf({ bridgeName: "br0" })).toEqual(["br0"]);
  expect(bridgesOf({ bridgeName: bridges })).toEqual(bridges);
});

describe("the order of an interface's bridges", () => {
  test("is the one that it has always been", () => {
    expect(inOrderFor(["ns1/mvm1", "eth2"], bridges)).toEqual(["br2", "br1", "br3", "br0"]);
  });

  test("has each bridge once, and does not depend on the order of the list", () => {
    for (const purpose of purposes.slice(0, 100)) {
      const order = inOrderFor(purpose, bridges);
      expect(order.toSorted()).toEqual(bridges);
      expect(inOrderFor(purpose, bridges.toReversed())).toEqual(order);
    }
  });

  test("spreads interfaces evenly", () => {
    const firsts = firstOf(bridges);
    for (const bridge of bridges) {
      const share = firsts.filter((one) => one === bridge).length / purposes.length;
      expect(share).toBeGreaterThan(0.22);
      expect(share).toBeLessThan(0.28);
    }
  });

  test("gives a bridge that is added its share, and moves nobody between the others", () => {
    const before = firstOf(bridges);
    const after = firstOf([...bridges, "br4"]);
    const moved = after.filter((bridge, at) => bridge !== before[at]);
    expect(new Set(moved)).toEqual(new Set(["br4"]));
    expect(moved.length / purposes.length).toBeGreaterThan(0.17);
    expect(moved.length / purposes.length).toBeLessThan(0.23);
  });

  test("leaves the rest of it as it is when a bridge is taken away", () => {
    for (const purpose of purposes.slice(0, 100)) {
      const rest = inOrderFor(purpose, bridges).filter((one) => one !== "br2");
      expect(inOrderFor(purpose, ["br0", "br1", "br3"])).toEqual(rest);
    }
  });
});

describe("a microVM's taps", () => {
  const microvm: Microvm = {
    id: "mvm1",
    namespace: "ns1",
    interfaces: [
      { deviceId: "eth1", type: "tap" },
      { deviceId: "eth2", type: "tap", bridgeName: "br9" },
      { deviceId: "eth0", type: "tap", metadata: true },
    ],
  };

  test("have the first bridge of their order, recorded, and the others behind it", () => {
    const [first, ...others] = inOrderFor(["ns1/mvm1", "eth1"], bridges);
    const [spread, own, metadata] = desiredDevices(microvm, { bridgeName: bridges });
    expect(spread).toMatchObject({ bridge: first, otherBridges: others, tag: { bridge: first } });
    expect(own).toMatchObject({ bridge: "br9", tag: { bridge: "br9" } });
    expect(own).not.toHaveProperty("otherBridges");
    expect(metadata).not.toHaveProperty("bridge");
  });

  test("of a list of one are as of that one", () => {
    expect(desiredDevices(microvm, { bridgeName: ["br0"] })).toEqual(
      desiredDevices(microvm, { bridgeName: "br0" }),
    );
  });

  test("need a bridge, which an empty list is not", () => {
    expect(() => desiredDevices(microvm, { bridgeName: [] })).toThrow(/bridge-name: .*eth1/);
  });
});
