/** plan and apply: what is done for devices that drifted, with iproute2 doing the drifting. */
import { writeFileSync } from "node:fs";
import { describe, expect } from "vitest";
import {
  apply,
  changesNothing,
  type DesiredDevice,
  formatPlan,
  NetworkNamespace,
  type Plan,
  plan,
} from "../../src/index.js";
import { missing } from "../setup/capabilities.js";
import { hostOfFile, onHost } from "../setup/host.js";
import { bridgePort, ip, link, rename } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";
import { stateOfLinks } from "../setup/state.js";

const macvtap: DesiredDevice = {
  kind: "macvtap",
  name: "guest0",
  parent: "enp0",
  mac: "02:00:00:00:00:0A",
  mtu: 1_400,
  tag: { microvm: "ns1/mvm1", interface: "eth1" },
};
const tap: DesiredDevice = {
  kind: "tap",
  name: "guest1",
  bridge: "br0",
  isolated: true,
  tag: { microvm: "ns1/mvm1", interface: "eth2", guestMac: "02:00:00:00:00:0b", bridge: "br0" },
};
const devices = [macvtap, tap];

const host = hostOfFile();

const planned = (wanted: readonly DesiredDevice[], replace = false): Promise<Plan> =>
  plan({ devices: wanted }, { namespace: host.namespace, replace });

async function makeAll(): Promise<void> {
  await apply(await planned(devices), { namespace: host.namespace });
}

/** The actions of a plan, and the fields of its changes. */
const summary = ({ steps }: Plan) =>
  steps.map((step) => [step.action, "changes" in step ? step.changes.map((one) => one.field) : []]);

describe("a plan", () => {
  onHost("of what is not there makes it, and then adopts it", async () => {
    const first = await planned(devices);
    expect(summary(first)).toEqual([
      ["create", []],
      ["create", []],
    ]);
    expect(changesNothing(first)).toBe(false);
    const made = await apply(first, { namespace: host.namespace });
    expect(made.devices.map(({ action }) => action)).toEqual(["create", "create"]);
    expect(await link("guest0")).toMatchObject({
      link: "enp0",
      address: "02:00:00:00:00:0a",
      mtu: 1_400,
    });
    expect(await bridgePort("guest1")).toMatchObject({ master: "br0", isolated: true });

    const second = await planned(devices);
    expect(changesNothing(second)).toBe(true);
    const adopted = await apply(second, { namespace: host.namespace });
    expect(adopted.devices.map(({ link: { index } }) => index)).toEqual(
      made.devices.map(({ link: { index } }) => index),
    );
  });

  onHost("can be printed", async () => {
    await makeAll();
    await ip("link set guest1 nomaster");
    await ip("link set guest0 mtu 1300");
    const wanted = [...devices, { ...tap, name: "guest2", tag: { interface: "eth9" } }];
    expect(formatPlan(await planned(wanted))).toBe(`\
~ repair guest0 (macvtap on enp0) for ns1/mvm1 eth1
    mtu: 1300 -> 1400
~ repair guest1 (tap on br0) for ns1/mvm1 eth2
    bridge: nothing -> br0
    isolated: nothing -> true
+ create guest2 (tap on br0) for eth9`);
  });

  onHost("made and applied by another owner is not of these devices", async () => {
    await makeAll();
    await using other = NetworkNamespace.current({ owner: "other" });
    const elsewhere = [{ ...macvtap, name: "guest5", parent: "enp1" }];
    const theirs = await plan({ devices: elsewhere }, { namespace: other });
    expect(summary(theirs)).toEqual([["create", []]]);
    await expect(apply(theirs, { namespace: host.namespace })).rejects.toMatchObject({
      code: "ERR_INVALID_ARG_VALUE",
    });
  });
});

describe("what drifted is repaired in place", () => {
  const macOf = async (name: string) => (await link(name))?.address;
  const drifts: [string, string, string[], (() => Promise<void>)?][] = [
    ["a port that lost its bridge", "link set guest1 nomaster", ["bridge", "isolated"]],
    ["a port on another bridge", "link set guest1 master br1", ["bridge", "isolated"]],
    ["port settings", "link set guest1 type bridge_slave isolated off", ["isolated"]],
    ["an MTU", "link set guest0 mtu 1200", ["mtu"]],
    ["a device that is down", "link set guest1 down", ["up"]],
    ["a macvtap's MAC", "link set guest0 address 02:00:00:00:00:99", ["mac"]],
  ];
  for (const [what, command, fields] of drifts) {
    onHost(what, async () => {
      await makeAll();
      const before = await stateOfLinks();
      await ip(command);
      const found = await planned(devices);
      expect(summary(found)).toContainEqual(["repair", fields]);
      const { devices: repaired } = await apply(found, { namespace: host.namespace });
      expect(repaired.map(({ action }) => action).sort()).toEqual(["adopt", "repair"]);
      expect(await stateOfLinks()).toEqual(before);
      expect(changesNothing(await planned(devices))).toBe(true);
    });
  }

  onHost("a name, while it is down where the kernel renames no other", async () => {
    await makeAll();
    const before = await stateOfLinks();
    await rename("guest1", "other1");
    const found = await planned(devices);
    expect(summary(found)).toContainEqual(["repair", ["name"]]);
    const applied = apply(found, { namespace: host.namespace });
    if (missing("live-rename") === undefined) await applied;
    else {
      await expect(applied).rejects.toMatchObject({ reason: "link-is-up", device: "other1" });
      await ip("link set other1 down");
      await apply(await planned(devices), { namespace: host.namespace });
    }
    expect(await stateOfLinks()).toEqual(before);
    expect(changesNothing(await planned(devices))).toBe(true);
  });

  onHost("a tag that was overwritten", async () => {
    await makeAll();
    const { tag } = await host.namespace.getLink("guest1");
    await ip("link set guest1 alias mine");
    const found = await planned(devices);
    expect(summary(found)).toContainEqual(["repair", ["tag.owner"]]);
    await apply(found, { namespace: host.namespace });
    const now = (await host.namespace.getLink("guest1")).tag;
    expect({ ...now, createdAt: 0, bootId: "" }).toEqual({ ...tag, createdAt: 0, bootId: "" });
    expect(changesNothing(await planned(devices))).toBe(true);
  });

  onHost("the host's IPv6 that came back", async () => {
    await makeAll();
    writeFileSync("/proc/sys/net/ipv6/conf/guest1/disable_ipv6", "0");
    const found = await planned(devices);
    expect(summary(found)).toContainEqual(["repair", ["hostIPv6"]]);
    await apply(found, { namespace: host.namespace });
    expect((await host.namespace.getLink("guest1")).ipv6?.state).toBe("closed");
  });

  onHost("the alt name by which it is known, where its tag tells what it is", async () => {
    await makeAll();
    const { altnames = [] } = (await link("guest1")) ?? {};
    for (const name of altnames.filter((one) => !one.startsWith("flintap-")))
      await ip(`link property del dev guest1 altname ${name}`);
    await apply(await planned(devices), { namespace: host.namespace });
    expect((await link("guest1"))?.altnames?.sort()).toEqual(altnames.sort());
  });

  onHost("a guest's MAC that the spec changed, on a tap: its device stays", async () => {
    await makeAll();
    const index = (await link("guest1"))?.ifindex;
    const mac = await macOf("guest1");
    const changed = { ...tap, tag: { ...tap.tag, guestMac: "02:00:00:00:00:0c" } };
    await apply(await planned([macvtap, changed]), { namespace: host.namespace });
    const now = await host.namespace.getLink("guest1");
    expect(now).toMatchObject({ index, mac, tag: { guestMac: "02:00:00:00:00:0c" } });
    expect(changesNothing(await planned([macvtap, changed]))).toBe(true);
  });
});

describe("what cannot be changed while the device lives", () => {
  const others: [string, DesiredDevice, string[]][] = [
    ["another parent", { ...macvtap, parent: "enp1" }, ["parent"]],
    ["another mode", { ...macvtap, mode: "private" }, ["mode"]],
    ["another MAC of a macvtap's guest", { ...macvtap, mac: "02:00:00:00:00:0e" }, ["mac"]],
    ["several queues", { ...tap, multiQueue: true }, ["multiQueue"]],
    ["another user", { ...tap, uid: 4_711 }, ["uid"]],
    ["another kind", { ...macvtap, name: "guest1", mac: undefined, tag: tap.tag }, ["kind"]],
  ];
  for (const [what, wanted, fields] of others) {
    onHost(`is refused with the difference, and replaced if asked: ${what}`, async () => {
      await makeAll();
      const before = await stateOfLinks();
      const refused = await planned([wanted]);
      const [step] = refused.steps;
      const changes = step && "changes" in step ? step.changes : [];
      expect(step?.action).toBe("refuse");
      expect(changes.filter(({ repairable }) => !repairable).map(({ field }) => field)).toEqual(
        fields,
      );
      expect(formatPlan(refused)).toContain("(not while the device lives)");
      const error = await refusal(apply(refused, { namespace: host.namespace }));
      expect(error).toMatchObject({ reason: "not-repairable", attribute: fields.join(", ") });
      expect(await stateOfLinks()).toEqual(before);

      const applied = await apply(await planned([wanted], true), { namespace: host.namespace });
      expect(applied.devices).toMatchObject([{ action: "replace" }]);
      const old = before.find(({ ifname }) => ifname === wanted.name);
      const now = await link(wanted.name);
      expect(now?.ifindex).not.toBe(old?.ifindex);
      expect(await stateOfLinks()).toHaveLength(before.length);
      expect(changesNothing(await planned([wanted]))).toBe(true);
    });
  }
});

describe("what is not wanted", () => {
  onHost("is removed only where the state says that it is complete", async () => {
    await makeAll();
    const rest = { ...tap, name: "guest3", tag: { microvm: "ns1/mvm2", interface: "eth2" } };
    await apply(await planned([rest]), { namespace: host.namespace });
    await using other = NetworkNamespace.current({ owner: "other" });
    await other.createTap({ name: "guest4", tag: { microvm: "ns1/mvm1", interface: "eth2" } });

    const state = { devices: [tap], prune: [{ microvm: "ns1/mvm1" }] };
    const found = await plan(state, { namespace: host.namespace });
    expect(summary(found)).toEqual([
      ["adopt", []],
      ["remove", []],
    ]);
    expect(formatPlan(found)).toContain("- remove guest0 (macvtap) for ns1/mvm1 eth1");
    const { removed } = await apply(found, { namespace: host.namespace });
    expect(removed.map(({ name }) => name)).toEqual(["guest0"]);
    expect(await link("guest0")).toBeUndefined();
    for (const name of ["guest1", "guest3", "guest4"]) expect(await link(name)).toBeDefined();
  });

  onHost("makes room for what is: its MAC goes over to another interface", async () => {
    await makeAll();
    const renamed = { ...macvtap, name: "guest7", tag: { ...macvtap.tag, interface: "net0" } };
    const both = { ...tap, name: "guest8", tag: { ...tap.tag, interface: "net1" } };
    const state = { devices: [renamed, both], prune: [{ microvm: "ns1/mvm1" }] };
    await apply(await plan(state, { namespace: host.namespace }), { namespace: host.namespace });
    expect(await link("guest7")).toMatchObject({ address: "02:00:00:00:00:0a" });
    expect(await link("guest0")).toBeUndefined();
    expect(await link("guest1")).toBeUndefined();
  });

  onHost("and has no part named is a mistake", async () => {
    await expect(
      plan({ devices: [], prune: [{}] }, { namespace: host.namespace }),
    ).rejects.toMatchObject({
      code: "ERR_INVALID_ARG_VALUE",
    });
  });
});
