/** What holds for any config and any spec, valid or not. */
import { tracingChannel } from "node:diagnostics_channel";
import fc from "fast-check";
import { expect } from "vitest";
import {
  type HostConfig,
  type Microvm,
  parseConfig,
  parseSpec,
  provision,
  release,
} from "../../src/flintlock/index.js";
import type { OperationTrace } from "../../src/index.js";
import { hostOfFile, onHost } from "../setup/host.js";
import { stateOfLinks } from "../setup/state.js";

const host = hostOfFile();

/** Each runs with a spec of its own, so that no two are the same microVM. */
const ids = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,40}$/);
const macs = fc
  .uint8Array({ minLength: 5, maxLength: 5 })
  .map((bytes) =>
    ["02", ...Array.from(bytes, (one) => one.toString(16).padStart(2, "0"))].join(":"),
  );

const interfaces = fc.uniqueArray(
  fc.record(
    {
      device_id: fc.stringMatching(/^[a-z][a-z0-9]{0,14}$/),
      type: fc.constantFrom(0, 1, "MACVTAP", "TAP"),
      guest_mac: fc.oneof(macs, fc.constant("")),
      address: fc.constant({ gateway: "10.0.0.1/24" }),
      overrides: fc.constantFrom({}, { bridge_name: "br1" }),
    },
    { requiredKeys: ["device_id"] },
  ),
  { maxLength: 4, selector: ({ device_id }) => device_id },
);

type Entry = (typeof interfaces extends fc.Arbitrary<infer All extends unknown[]>
  ? All
  : never)[number];

/** A macvtap has no bridge, and no two guests the same address. */
const possible = ({ overrides, address, ...entry }: Entry, at: number) => ({
  ...entry,
  ...(address === undefined ? {} : { address: { ...address, address: `10.0.0.${at + 2}/24` } }),
  ...(entry.type === 1 || entry.type === "TAP" ? { overrides } : {}),
});

/** A spec that can be had. */
const specs = fc
  .record({ id: ids, namespace: ids, uid: ids, interfaces }, { requiredKeys: ["id", "interfaces"] })
  .map((spec) => ({ ...spec, interfaces: spec.interfaces.map(possible) }));

const configs = fc.record({
  "parent-iface": fc.constantFrom("enp0", "enp1"),
  "bridge-name": fc.constantFrom("br0", "br1"),
});

/** What makes a spec and a config that can be had into such that cannot. */
type Both = { config: Record<string, unknown>; spec: { interfaces: Record<string, unknown>[] } };
const mistakes: Record<string, (both: Both) => void> = {
  "a multicast MAC": ({ spec }) =>
    spec.interfaces.push({ device_id: "x0", guest_mac: "e7:00:00:00:00:01" }),
  "a repeated MAC": ({ spec }) =>
    spec.interfaces.push(
      { device_id: "x0", guest_mac: "02:00:00:00:00:01" },
      { device_id: "x1", guest_mac: "02:00:00:00:00:01" },
    ),
  "a repeated id": ({ spec }) => spec.interfaces.push({ device_id: "x0" }, { device_id: "x0" }),
  "an unknown type": ({ spec }) => spec.interfaces.push({ device_id: "x0", type: 2 }),
  "an unknown field": ({ spec }) => spec.interfaces.push({ device_id: "x0", mtu: 9000 }),
  "a bridge that is not there": ({ spec }) =>
    spec.interfaces.push({ device_id: "x0", type: 1, overrides: { bridge_name: "br9" } }),
  "a bridge that is none": ({ spec }) =>
    spec.interfaces.push({ device_id: "x0", type: 1, overrides: { bridge_name: "enp1" } }),
  "a parent that is not there": ({ spec, config }) => {
    config["parent-iface"] = "enp9";
    spec.interfaces.push({ device_id: "x0" });
  },
  "lo for a parent": ({ spec, config }) => {
    config["parent-iface"] = "lo";
    spec.interfaces.push({ device_id: "x0" });
  },
  "no parent": ({ spec, config }) => {
    delete config["parent-iface"];
    spec.interfaces.push({ device_id: "x0" });
  },
  "a name that no link can have": ({ spec, config }) => {
    config["bridge-name"] = "br/0";
    spec.interfaces.push({ device_id: "x0", type: 1 });
  },
};

/** What is sent while something happens, as far as it changes anything. */
async function changesBy(what: () => Promise<unknown>): Promise<string[]> {
  const sent: string[] = [];
  const listener = (trace: unknown): void => {
    const { operation } = trace as OperationTrace;
    if (!/^(getLink|getPlace|findLinks|listLinks)$/.test(operation)) sent.push(operation);
  };
  const { start } = tracingChannel("flintap:operation");
  start.subscribe(listener);
  try {
    await what();
  } finally {
    start.unsubscribe(listener);
  }
  return sent;
}

const read = ({ config, spec }: { config: object; spec: object }): [HostConfig, Microvm] => [
  parseConfig(JSON.stringify(config)),
  parseSpec(JSON.stringify(spec)),
];

onHost("a microVM provisioned, listed and released leaves the kernel as it was", async () => {
  const before = await stateOfLinks();
  await fc.assert(
    fc.asyncProperty(configs, specs, async (given, spec) => {
      const [config, microvm] = read({ config: given, spec });
      const { interfaces, status } = await provision(microvm, {
        config,
        namespace: host.namespace,
      });
      expect(Object.keys(status)).toEqual(microvm.interfaces.map(({ deviceId }) => deviceId));
      const listed = await host.namespace.listLinks({ owner: host.namespace.owner });
      expect(listed.map(({ name }) => name).sort()).toEqual(
        interfaces.map(({ link }) => link.name).sort(),
      );
      const released = await release(microvm, { namespace: host.namespace });
      expect(released.every(({ deleted }) => deleted)).toBe(true);
      expect(await stateOfLinks()).toEqual(before);
    }),
    { numRuns: 30 },
  );
});

onHost("what cannot be had is refused before anything that changes state is sent", async () => {
  const before = await stateOfLinks();
  await fc.assert(
    fc.asyncProperty(
      configs,
      specs,
      fc.constantFrom(...Object.keys(mistakes)),
      async (config, spec, mistake) => {
        const both = structuredClone({ config, spec });
        mistakes[mistake]?.(both);
        const sent = await changesBy(async () => {
          await expect(
            (async () => {
              const [asked, microvm] = read(both);
              await provision(microvm, { config: asked, namespace: host.namespace });
            })(),
            mistake,
          ).rejects.toThrow();
        });
        expect(sent, mistake).toEqual([]);
      },
    ),
    { numRuns: 100 },
  );
  expect(await stateOfLinks()).toEqual(before);
});
