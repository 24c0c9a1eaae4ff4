/** apply: all of a plan or nothing of it, and what happened since the plan was made. */
import { tracingChannel } from "node:diagnostics_channel";
import { describe, expect } from "vitest";
import {
  apply,
  changesNothing,
  type DesiredDevice,
  type DesiredState,
  type DesiredTap,
  type FlintapError,
  NetworkNamespace,
  type OperationTrace,
  type Plan,
  plan,
} from "../../src/index.js";
import { missing, needs } from "../setup/capabilities.js";
import { hostOfFile, macvtap, onHost, tap } from "../setup/host.js";
import { addBridge, ip, link, links, rename } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";
import { stateOfLinks } from "../setup/state.js";
import { marked, traceModule } from "../setup/strace.js";

const prune = [{ microvm: "ns1/mvm1" }];

const host = hostOfFile();

const planned = (state: DesiredState, replace = false): Promise<Plan> =>
  plan(state, { namespace: host.namespace, replace });
const applyTo = async (state: DesiredState, replace = false) =>
  await apply(await planned(state, replace), { namespace: host.namespace });

describe("a plan of which a step fails", () => {
  /** guest0 is replaced, guest1 repaired, guest2 made, guest9 removed, and guest3 cannot be had. */
  const wanted: DesiredDevice[] = [
    { ...macvtap, parent: "enp1" },
    { ...tap, isolated: true, mtu: 1_400 },
    { ...tap, name: "guest2", tag: { microvm: "ns1/mvm1", interface: "eth3" } },
    { ...tap, name: "guest3", tag: { microvm: "ns1/mvm1", interface: "eth4" } },
  ];
  const unwanted: DesiredDevice = {
    ...macvtap,
    name: "guest9",
    mac: "02:00:00:00:00:09",
    tag: { microvm: "ns1/mvm1", interface: "eth9" },
  };

  onHost("is taken back: what was repaired, made, and set aside", async () => {
    await applyTo({ devices: [macvtap, tap, unwanted] });
    await ip("link add guest3 type bridge");
    const before = await stateOfLinks();
    const found = await planned({ devices: wanted, prune }, true);
    expect(found.steps.map(({ action }) => action)).toEqual([
      "replace",
      "repair",
      "create",
      "create",
      "remove",
    ]);
    const error = await refusal(apply(found, { namespace: host.namespace }));
    expect(error).toMatchObject({ reason: "name-taken", device: "guest3" });
    expect(await stateOfLinks()).toEqual(before);

    await ip("link del guest3");
    await applyTo({ devices: wanted, prune }, true);
    expect(await link("guest9")).toBeUndefined();
    expect(await link("guest0")).toMatchObject({ link: "enp1" });
    expect(changesNothing(await planned({ devices: wanted, prune }))).toBe(true);
  });

  onHost("takes another name where it has one to take", async () => {
    await ip("link add guest3 type bridge");
    const device = { ...tap, name: "guest3", otherNames: ["guest4"] };
    const { devices } = await applyTo({ devices: [device] });
    expect(devices[0]?.link.name).toBe("guest4");
    expect(changesNothing(await planned({ devices: [device] }))).toBe(true);
  });
});

describe("a plan that is given up", () => {
  onHost("is taken back, and rejects with the signal's reason", async () => {
    const before = await stateOfLinks();
    const reason = new Error("no more");
    const controller = new AbortController();
    const devices = Array.from({ length: 20 }, (_, at) => ({
      ...tap,
      name: `guest${at}`,
      tag: { microvm: "ns1/mvm1", interface: `eth${at}` },
    }));
    const found = await planned({ devices });
    let made = 0;
    const giveUp = (trace: unknown): void => {
      if ((trace as OperationTrace).operation === "createTap") made += 1;
      if (made === 3) controller.abort(reason);
    };
    const { asyncEnd } = tracingChannel("flintap:operation");
    asyncEnd.subscribe(giveUp);
    const applied = apply(found, { namespace: host.namespace, signal: controller.signal });
    await applied.catch(() => {});
    asyncEnd.unsubscribe(giveUp);
    expect(made).toBeGreaterThan(2);
    await expect(applied).rejects.toBe(reason);
    expect(await stateOfLinks()).toEqual(before);
  });

  onHost("before it begins sends nothing", async () => {
    const found = await planned({ devices: [tap] });
    const reason = new Error("no more");
    await expect(
      apply(found, { namespace: host.namespace, signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    expect(await link("guest1")).toBeUndefined();
  });
});

describe("what happened since the plan was made", () => {
  onHost("a device that another process has made is adopted", async () => {
    const state = { devices: [macvtap, tap] };
    const [mine, theirs] = [await planned(state), await planned(state)];
    const made = await apply(theirs, { namespace: host.namespace });
    const adopted = await apply(mine, { namespace: host.namespace });
    expect(adopted.devices.map(({ action }) => action)).toEqual(["adopt", "adopt"]);
    expect(adopted.devices.map(({ link: { identity } }) => identity)).toEqual(
      made.devices.map(({ link: { identity } }) => identity),
    );
  });

  onHost("one that another process has made otherwise is repaired, or refused", async () => {
    const mine = await planned({ devices: [tap] });
    await applyTo({ devices: [{ ...tap, bridge: "br1" }] });
    const { devices } = await apply(mine, { namespace: host.namespace });
    expect(devices).toMatchObject([{ action: "repair" }]);
    expect(await link("guest1")).toMatchObject({ master: "br0" });

    const other = await planned({ devices: [macvtap] });
    await applyTo({ devices: [{ ...macvtap, parent: "enp1" }] });
    const error = await refusal(apply(other, { namespace: host.namespace }));
    expect(error).toMatchObject({ reason: "not-repairable", attribute: "parent" });
  });

  onHost("a guest on the same bridge that has got the MAC is told of, with its owner", async () => {
    const mine = await planned({ devices: [tap] });
    const same = { ...tap, name: "guest7", tag: { ...tap.tag, microvm: "ns1/mvm7" } };
    await applyTo({ devices: [same] });
    const error = await refusal(apply(mine, { namespace: host.namespace }));
    expect(error.reason).toBe("duplicate-guest-mac");
    expect(error.message).toMatch(/guest7.*ns1\/mvm7/);
    expect(await refusal(planned({ devices: [tap] }))).toMatchObject({
      reason: "duplicate-guest-mac",
    });
    await applyTo({ devices: [{ ...tap, bridge: "br1" }] });
  });

  onHost("a device that is gone, detached or down by then is had all the same", async () => {
    await applyTo({ devices: [macvtap, tap] });
    const adopting = await planned({ devices: [macvtap, tap] });
    expect(changesNothing(adopting)).toBe(true);
    await ip("link del guest0");
    await ip("link set guest1 nomaster down");
    const { devices } = await apply(adopting, { namespace: host.namespace });
    expect(devices.map(({ action }) => action)).toEqual(["create", "repair"]);
    expect(await link("guest0")).toMatchObject({ ifindex: devices[0]?.link.index });
    expect(await link("guest1")).toMatchObject({ master: "br0" });
    expect(devices[1]?.link).toMatchObject({ up: true, master: (await link("br0"))?.ifindex });
  });

  onHost("a device that was to be repaired or removed, and is gone, is no failure", async () => {
    await applyTo({ devices: [macvtap, tap] });
    await ip("link set guest1 mtu 1300");
    const repairing = await planned({ devices: [{ ...tap, mtu: 1_500 }] });
    await ip("link del guest1");
    const { devices } = await apply(repairing, { namespace: host.namespace });
    expect(devices).toMatchObject([{ action: "create", link: { mtu: 1_500 } }]);
    const removing = await planned({ devices: [], prune });
    await ip("link del guest1");
    await apply(removing, { namespace: host.namespace });
    expect(await link("guest0")).toBeUndefined();
  });

  onHost("a bridge that was made anew is the one that is meant", async () => {
    await applyTo({ devices: [tap] });
    const adopting = await planned({ devices: [tap] });
    await ip("link del br0");
    await addBridge("br0");
    const { devices } = await apply(adopting, { namespace: host.namespace });
    expect(devices).toMatchObject([{ action: "repair" }]);
    expect(await link("guest1")).toMatchObject({ master: "br0" });
  });
});

describe("a replacement that was interrupted", () => {
  const moved = { ...macvtap, parent: "enp1" };

  /** The new device is there, and the old one not yet deleted. */
  async function interrupted(): Promise<FlintapError> {
    await applyTo({ devices: [macvtap] });
    const found = await planned({ devices: [moved] }, true);
    const controller = new AbortController();
    const giveUp = (trace: unknown): void => {
      if ((trace as OperationTrace).operation === "deleteLink") controller.abort();
    };
    const { start } = tracingChannel("flintap:operation");
    start.subscribe(giveUp);
    const { signal } = controller;
    try {
      await apply(found, { namespace: host.namespace, signal });
    } catch (error) {
      return error as FlintapError;
    } finally {
      start.unsubscribe(giveUp);
    }
    throw new Error("It was not given up");
  }

  onHost("says which device is left: the old one, and not the new", async () => {
    const { reason, leftBehind = [] } = await interrupted();
    expect(reason).toBe("aborted");
    const [, name, index] = /^link (\S+) \(index (\d+)\)$/.exec(leftBehind[0] ?? "") ?? [];
    expect(await link(name ?? "")).toMatchObject({ ifindex: Number(index), link: "enp0" });
    expect(await link("guest0")).toMatchObject({ link: "enp1" });
  });

  onHost("is finished by the next plan, also by one that wants another place", async () => {
    await interrupted();
    await applyTo({ devices: [moved] });
    expect(await links("type macvtap")).toHaveLength(1);
    await applyTo({ devices: [], prune });
    await interrupted();
    await applyTo({ devices: [macvtap] }, true);
    expect(await links("type macvtap")).toMatchObject([{ ifname: "guest0", link: "enp0" }]);
  });

  onHost("leaves no device behind that has lost its identity", async () => {
    await applyTo({ devices: [macvtap] });
    const { altnames = [] } = (await link("guest0")) ?? {};
    const identity = altnames.find((name) => name.startsWith("flintap-"));
    await ip(`link property del dev guest0 altname ${identity}`);
    await applyTo({ devices: [moved] }, true);
    expect(await links("type macvtap")).toMatchObject([{ ifname: "guest0", link: "enp1" }]);
  });
});

describe("devices that exchange something", () => {
  const other: DesiredTap & { bridge: string } = {
    ...tap,
    name: "guest2",
    tag: { microvm: "ns1/mvm1", interface: "eth3", guestMac: "02:00:00:00:00:0c" },
  };

  onHost("can exchange their names", async () => {
    const { devices: before } = await applyTo({ devices: [tap, other] });
    const swapped = [
      { ...tap, name: "guest2" },
      { ...other, name: "guest1" },
    ];
    if (missing("live-rename") !== undefined) {
      const state = await stateOfLinks();
      await expect(applyTo({ devices: swapped })).rejects.toMatchObject({ reason: "link-is-up" });
      expect(await stateOfLinks()).toEqual(state);
      for (const name of ["guest1", "guest2"]) await ip(`link set ${name} down`);
    }
    await applyTo({ devices: swapped });
    expect(await link("guest2")).toMatchObject({ ifindex: before[0]?.link.index });
    expect(await link("guest1")).toMatchObject({ ifindex: before[1]?.link.index });
    expect(changesNothing(await planned({ devices: swapped }))).toBe(true);
  });

  onHost("can exchange their guests' MACs", async () => {
    await applyTo({ devices: [tap, other] });
    const swapped = [
      { ...tap, tag: { ...tap.tag, guestMac: "02:00:00:00:00:0c" } },
      { ...other, tag: { ...other.tag, guestMac: "02:00:00:00:00:0b" } },
    ];
    await applyTo({ devices: swapped });
    expect(changesNothing(await planned({ devices: swapped }))).toBe(true);
  });

  onHost("can hand a name down to one that is new", async () => {
    await applyTo({ devices: [tap] });
    const heir = { ...tap, tag: { ...tap.tag, interface: "eth9" } };
    await applyTo({ devices: [heir], prune });
    expect(await links("type tun")).toHaveLength(1);
    expect((await host.namespace.getLink("guest1")).tag?.interface).toBe("eth9");
  });
});

describe("no two guests on a bridge have the same MAC", () => {
  const stranger = (guestMac: string, bridge = "br0"): DesiredTap & { bridge: string } => ({
    ...tap,
    name: "guest7",
    bridge,
    tag: { microvm: "ns1/mvm7", interface: "eth1", guestMac },
  });
  const refused = async (device: DesiredDevice) =>
    expect(await refusal(planned({ devices: [device] }))).toMatchObject({
      reason: "duplicate-guest-mac",
    });

  onHost("when its spec says none any more, and it goes on using the one it had", async () => {
    await applyTo({ devices: [tap] });
    const silent = { ...tap, tag: { microvm: "ns1/mvm1", interface: "eth2" } };
    expect(changesNothing(await planned({ devices: [silent] }))).toBe(true);
    await refused(stranger("02:00:00:00:00:0b"));
  });

  onHost("when one was made up, and is said for the other", async () => {
    const silent = { ...tap, tag: { microvm: "ns1/mvm1", interface: "eth2" } };
    const { devices } = await applyTo({ devices: [silent] });
    await refused(stranger(devices[0]?.link.tag?.guestMac ?? ""));
  });

  onHost("whatever the bridge is called", async () => {
    await ip("link property add dev br0 altname brx");
    await applyTo({ devices: [tap] });
    await refused(stranger("02:00:00:00:00:0b", "brx"));
    expect(changesNothing(await planned({ devices: [{ ...tap, bridge: "brx" }] }))).toBe(true);
    await rename("br0", "bry");
    await refused(stranger("02:00:00:00:00:0b", "bry"));
    await rename("bry", "br0");
    await ip("link property del dev br0 altname brx");
  });

  onHost("when one of them is a macvtap on the bridge", async () => {
    await applyTo({ devices: [tap] });
    await refused({
      kind: "macvtap",
      name: "guest8",
      parent: "br0",
      mac: "02:00:00:00:00:0b",
      tag: { interface: "eth1" },
    });
  });
});

describe("a link of another owner", () => {
  onHost("is not taken for a device, though it has its alt name", async () => {
    await applyTo({ devices: [tap] });
    const { altNames } = await host.namespace.getLink("guest1");
    const key = altNames.find((name) => name.startsWith("flvm-")) ?? "";
    await ip("link del guest1");
    await using other = NetworkNamespace.current({ owner: "other" });
    await other.createTap({ name: "theirs", altNames: [key] });
    const before = await stateOfLinks();
    const error = await refusal(planned({ devices: [tap] }, true));
    expect(error).toMatchObject({ reason: "not-ours", holder: "owner 'other'" });
    expect(await stateOfLinks()).toEqual(before);
  });
});

describe("applied twice", () => {
  needs(
    "strace",
    "tun",
    "macvtap",
    "veth",
    "bridge",
    "proc-sys",
  )("a plan sends nothing that changes anything, and one look for all devices", async () => {
    const trace = await traceModule(`
        const devices = ${JSON.stringify([macvtap, tap])};
        const once = async () => {
          const { plan, apply } = flintap;
          return await apply(await plan({ devices }, { namespace }), { namespace });
        };
        ${marked("first", "await once()")}
        ${marked("second", "await once()")}
        await namespace.close();
      `);
    const sends = (name: string) =>
      trace
        .between(name)
        .filter(({ name: call, text }) => call.startsWith("send") && text.includes("nlmsg"));
    const changing = /RTM_(NEW|SET|DEL)LINK/;
    expect(sends("first").filter(({ text }) => changing.test(text)).length).toBeGreaterThan(2);
    expect(sends("second").filter(({ text }) => changing.test(text))).toEqual([]);
    // The two places, and the two devices by one.
    expect(sends("second")).toHaveLength(4);
    expect(trace.between("second").filter(({ name }) => name === "ioctl")).toEqual([]);
  });
});
