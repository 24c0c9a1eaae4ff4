/** provision and release against the kernel: one microVM, several, and several processes at once. */
import { describe, expect } from "vitest";
import {
  type Microvm,
  type ProvisionOptions,
  provision,
  release,
} from "../../src/flintlock/index.js";
import { NetworkNamespace } from "../../src/index.js";
import { Conversation } from "../setup/conversation.js";
import { config, hostOfFile, microvm, onHost } from "../setup/host.js";
import { ip, link, linkNames, links, rename } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";
import { repetitions } from "../setup/repetitions.js";
import { stateOfLinks } from "../setup/state.js";

const host = hostOfFile();

const give = (to: Microvm = microvm, options: Partial<ProvisionOptions> = {}) =>
  provision(to, { config, namespace: host.namespace, ...options });

describe("provision", () => {
  onHost("again gives the same devices, with the same MACs, and changes nothing", async () => {
    const first = await give();
    const before = await stateOfLinks();
    const second = await give();
    expect(second.status).toEqual(first.status);
    expect(await stateOfLinks()).toEqual(before);
  });

  onHost("makes a missing MAC up so that it is the same for the next device", async () => {
    const first = await give();
    await release(microvm, { namespace: host.namespace });
    const second = await give();
    const macs = ({ status }: typeof first) => Object.values(status).map((one) => one.mac_address);
    expect(macs(second)).toEqual(macs(first));
    expect(second.status.eth2?.index).not.toBe(first.status.eth2?.index);
  });

  onHost("puts back on its bridge what has left it, and nothing else", async () => {
    const { status } = await give();
    const tap = status.eth2?.host_device_name ?? "";
    await ip(`link set ${tap} nomaster`);
    expect((await give()).status).toEqual(status);
    expect(await link(tap)).toMatchObject({ master: "br0", ifindex: status.eth2?.index });
  });

  onHost(
    "names a bridge or parent that is not there, lists those that are, makes none",
    async () => {
      const before = await stateOfLinks();
      const bridgeless = await refusal(give(microvm, { config: { ...config, bridgeName: "br9" } }));
      expect(bridgeless).toMatchObject({ reason: "no-such-bridge", existing: ["br0", "br1"] });
      expect(bridgeless.message).toMatch(/br9.*there are: br0, br1/);
      const parentless = await refusal(
        give(microvm, { config: { ...config, parentIface: "enp9" } }),
      );
      expect(parentless).toMatchObject({ reason: "no-such-parent" });
      expect(parentless.existing).toContain("enp0");
      const none = { ...microvm, interfaces: [{ deviceId: "e", type: "tap", bridgeName: "enp0" }] };
      expect(await refusal(give(none as Microvm))).toMatchObject({ reason: "not-a-bridge" });
      expect(await stateOfLinks()).toEqual(before);
    },
  );

  onHost("leaves the metadata interface on no bridge, for every microVM", async () => {
    const options = { metadataInterface: true };
    const other = { ...microvm, id: "mvm2", interfaces: microvm.interfaces.slice(1) };
    for (const one of [microvm, other]) {
      const { interfaces } = await give(one, options);
      const [first] = interfaces;
      expect(first).toMatchObject({ deviceId: "eth0", guestMac: "aa:ff:00:00:00:01" });
      expect((await link(first?.link.name ?? ""))?.master).toBeUndefined();
      expect((await give(one, options)).status).toHaveProperty("eth0");
    }
    await release(microvm, { namespace: host.namespace });
    await release(other, { namespace: host.namespace });
    expect(await links("type tun")).toEqual([]);
  });

  onHost("takes the next name where a stranger has the one that it would take", async () => {
    const { status } = await give();
    const name = status.eth2?.host_device_name ?? "";
    await release(microvm, { namespace: host.namespace });
    await ip(`link add ${name} type bridge`);
    const taken = await give();
    expect(taken.status.eth2?.host_device_name).toMatch(/^fltap[0-9a-f]{10}$/);
    expect(taken.status.eth2?.host_device_name).not.toBe(name);
    expect((await give()).status).toEqual(taken.status);
    await release(microvm, { namespace: host.namespace });
    expect(await links("type tun")).toEqual([]);
    // Nothing of the microVM's is left, and who has its name is a stranger: that is not "gone".
    expect(await refusal(release(microvm, { namespace: host.namespace }))).toMatchObject({
      reason: "not-ours",
    });
  });

  onHost("lets no two guests on a bridge have the same MAC", async () => {
    const spec = (id: string): Microvm => ({
      id,
      namespace: "ns1",
      interfaces: [{ deviceId: "eth1", type: "tap", guestMac: "02:00:00:00:00:0c" }],
    });
    await give(spec("a"));
    const error = await refusal(give(spec("b")));
    expect(error.reason).toBe("duplicate-guest-mac");
    expect(error.message).toContain("microVM 'ns1/a'");
    await give(spec("b"), { config: { bridgeName: "br1" } });
  });

  onHost("and release, called at once, take turns in the order of the calls", async () => {
    const before = await stateOfLinks();
    const [first, , second] = await Promise.all([
      give(),
      release(microvm, { namespace: host.namespace }),
      give(),
    ]);
    expect(second.status.eth1?.index).not.toBe(first.status.eth1?.index);
    expect(await links("type macvtap")).toHaveLength(1);
    await Promise.all([give(), release(microvm, { namespace: host.namespace })]);
    expect(await stateOfLinks()).toEqual(before);
  });

  onHost("that is given up takes nothing from another of the same microVM", async () => {
    const reason = new Error("no more");
    const controller = new AbortController();
    const both = [give(microvm, { signal: controller.signal }), give()];
    queueMicrotask(() => controller.abort(reason));
    await Promise.allSettled(both);
    await expect(both[0]).rejects.toBe(reason);
    expect(await links("type macvtap")).toHaveLength(1);
  });

  onHost("that is given up leaves nothing", async () => {
    const before = await stateOfLinks();
    const reason = new Error("no more");
    await expect(give(microvm, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const giving = give(microvm, { signal: controller.signal });
    queueMicrotask(() => controller.abort(reason));
    await expect(giving).rejects.toBe(reason);
    expect(await stateOfLinks()).toEqual(before);
  });
});

describe("release", () => {
  onHost("finds devices whose interface the spec has no more, and renamed ones", async () => {
    const before = await linkNames();
    const { status } = await give();
    await rename(status.eth2?.host_device_name ?? "", "renamed0");
    const released = await release({ ...microvm, interfaces: [] }, { namespace: host.namespace });
    expect(released.map(({ deviceId, deleted }) => [deviceId, deleted]).sort()).toEqual([
      ["eth1", true],
      ["eth2", true],
    ]);
    expect(await linkNames()).toEqual(before);
  });

  onHost("finds a device that was renamed and has lost its tag", async () => {
    const { status } = await give();
    const name = status.eth2?.host_device_name ?? "";
    await rename(name, "renamed0");
    await ip("link set renamed0 alias", "");
    expect(await release(microvm, { namespace: host.namespace })).toHaveLength(2);
    expect(await links("type tun")).toEqual([]);
  });

  onHost("knows an interface again whose name is too long for a tag", async () => {
    const deviceId = "a-very-long-name-of-an-interface-in-the-guest";
    const long: Microvm = { ...microvm, interfaces: [{ deviceId, type: "tap" }] };
    await give(long);
    expect((await give(long)).interfaces).toMatchObject([{ action: "adopt" }]);
    expect(await release(long, { namespace: host.namespace })).toMatchObject([
      { deviceId, deleted: true },
    ]);
  });

  onHost("leaves another microVM's and another owner's devices", async () => {
    await using other = NetworkNamespace.current({ owner: "other" });
    await give({ ...microvm, uid: "u" });
    await give({ ...microvm, id: "mvm2", interfaces: microvm.interfaces.slice(1) });
    await give(
      { ...microvm, id: "mvm3", interfaces: microvm.interfaces.slice(1) },
      { namespace: other },
    );
    const before = await stateOfLinks();
    await release(microvm, { namespace: host.namespace });
    expect(await stateOfLinks()).toEqual(before);
  });
});

describe("two processes that provision the same microVM at once", () => {
  const rounds = repetitions(200);

  onHost(
    `end with one set of devices, each of ${rounds} times`,
    async () => {
      // Both wait for a line, so that they begin together, and print what they were given.
      const program = `
        import { tracingChannel } from "node:diagnostics_channel";
        import { createInterface } from "node:readline";
        import { NetworkNamespace } from "flintap";
        import { provision } from "flintap/flintlock";
        const namespace = NetworkNamespace.current();
        let taken = 0;
        tracingChannel("flintap:operation").error.subscribe(({ error }) => {
          if (/taken/.test(error?.reason)) taken += 1;
        });
        await namespace.getLink("lo");
        console.log("ready");
        for await (const line of createInterface({ input: process.stdin })) {
          if (line === "taken") {
            console.log(taken);
            continue;
          }
          const microvm = { ...${JSON.stringify(microvm)}, id: line };
          const { status } = await provision(microvm, { config: ${JSON.stringify(config)}, namespace });
          console.log(JSON.stringify(status));
        }
        await namespace.close();
      `;
      const before = await linkNames();
      const pair = [new Conversation(program), new Conversation(program)];
      await Promise.all(pair.map((one) => one.answer()));
      for (let round = 0; round < rounds; round += 1) {
        const answers = pair.map((one) => one.ask(`mvm${round}`));
        const [first = "", second = ""] = await Promise.all(answers);
        expect(second, `round ${round}`).toBe(first);
        const names = Object.values<{ host_device_name: string }>(JSON.parse(first)).map(
          (one) => one.host_device_name,
        );
        expect(await linkNames(), `round ${round}`).toEqual([...before, ...names].sort());
        expect(await link(names[1] ?? "")).toMatchObject({ master: "br0" });
        await release({ ...microvm, id: `mvm${round}` }, { namespace: host.namespace });
      }
      const taken = await Promise.all(pair.map((one) => one.ask("taken")));
      // They did meet.
      expect(Number(taken[0]) + Number(taken[1])).toBeGreaterThan(0);
      await Promise.all(pair.map((one) => one.end()));
      expect(await linkNames()).toEqual(before);
    },
    300_000,
  );
});
