/** keepInState: what drifts is told, and put right where that is asked for. */
import { writeFile } from "node:fs/promises";
import { describe, expect } from "vitest";
import {
  apply,
  type DesiredDevice,
  type DesiredTap,
  type Difference,
  type KeepOptions,
  keepInState,
  NetworkNamespace,
  plan,
  type StateKeeper,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { hostOfFile, macvtap, onHost, tap as plainTap } from "../setup/host.js";
import {
  addBridge,
  addParent,
  bridgePort,
  ip,
  ipBatch,
  link,
  links,
  settled,
} from "../setup/iproute2.js";
import { otherNamespace } from "../setup/other-namespace.js";
import { refusal } from "../setup/refusal.js";
import { ReportLog } from "../setup/report-log.js";

const tap = { ...plainTap, isolated: true };
const devices: DesiredDevice[] = [macvtap, tap];

const host = hostOfFile();

/** Devices that are there, and their keeper once it has looked. */
async function kept(
  options: Partial<KeepOptions> = {},
  wanted: DesiredDevice[] = devices,
): Promise<{ keeper: StateKeeper; log: ReportLog }> {
  const { namespace } = host;
  await apply(await plan({ devices: wanted }, { namespace }), { namespace });
  const log = new ReportLog();
  const keeper = keepInState({ devices: wanted }, { namespace, report: log.add, ...options });
  await keeper.ready;
  return { keeper, log };
}

const fieldsOf = ({ changes }: { changes: Difference[] }) => changes.map(({ field }) => field);

/** Before Linux 6.2 a link that is up keeps its name. */
const renaming = needs("tun", "macvtap", "veth", "bridge", "proc-sys", "live-rename");

/** What iproute2 tells of a device, but for what changes by itself. */
async function seen(name: string) {
  const { ifalias, operstate: _, ...rest } = (await link(name)) ?? {};
  return { ...rest, ifalias: ifalias?.replace(/;t=.*/, "") };
}

const openIPv6 = (name: string) => writeFile(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "0");

describe("a keeper that repairs", () => {
  type Drifting = [what: string, device: string, fields: string[], work: () => Promise<unknown>];
  const drifts: Drifting[] = [
    [
      "a port that left its bridge",
      "guest1",
      ["bridge", "isolated"],
      () => ip("link set guest1 nomaster"),
    ],
    [
      "a port on another bridge",
      "guest1",
      ["bridge", "isolated"],
      () => ip("link set guest1 master br1"),
    ],
    [
      "a port setting",
      "guest1",
      ["isolated"],
      () => ip("link set guest1 type bridge_slave isolated off"),
    ],
    ["a macvtap's MAC", "guest0", ["mac"], () => ip("link set guest0 address 02:00:00:00:00:99")],
    ["a tap's MAC", "guest1", ["mac"], () => ip("link set guest1 address 02:00:00:00:00:99")],
    ["an MTU that nobody named", "guest1", ["mtu"], () => ip("link set guest1 mtu 1400")],
    ["a queue length", "guest0", ["txQueueLength"], () => ip("link set guest0 txqueuelen 77")],
    ["a device that was set down", "guest0", ["up"], () => ip("link set guest0 down")],
    ["a lost tag", "guest0", ["tag.owner"], () => ip("link set guest0 alias", "mine")],
    ["the host's IPv6", "guest0", ["hostIPv6"], () => openIPv6("guest0")],
  ];
  for (const [what, device, fields, work] of drifts)
    onHost(`tells and puts right ${what}`, async () => {
      const { keeper, log } = await kept({ repair: true });
      await using _ = keeper;
      const before = await seen(device);
      await work();
      const drift = await log.next("drift");
      expect([drift.device.name, fieldsOf(drift)]).toEqual([device, fields]);
      const repaired = await log.next("repaired");
      expect(repaired).toMatchObject({ action: "repair", changes: drift.changes });
      expect(repaired.device.name).toBe(device);
      expect(await seen(device)).toEqual(before);
      await keeper.look();
      expect(log.rest()).toEqual([]);
    });

  onHost("looks for the host's IPv6 of a tap that nobody has open", async () => {
    const { keeper, log } = await kept({ repair: true });
    await using _ = keeper;
    await openIPv6("guest1");
    await keeper.look();
    expect(fieldsOf(await log.next("drift"))).toEqual(["hostIPv6"]);
    await log.next("repaired");
  });

  renaming("gives a device its name back", async () => {
    const { keeper, log } = await kept({ repair: true });
    await using _ = keeper;
    await ip("link set guest1 name stolen");
    expect(await log.next("drift")).toMatchObject({ changes: [{ field: "name", from: "stolen" }] });
    await log.next("repaired");
    expect(await link("stolen")).toBeUndefined();
    expect(await link("guest1")).toBeDefined();
  });

  renaming("gives two devices their names back that have exchanged them", async () => {
    const other = { ...tap, name: "guest2", tag: { microvm: "ns1/mvm1", interface: "eth3" } };
    const { keeper, log } = await kept({ repair: true }, [tap, other]);
    await using _ = keeper;
    const before = [(await link("guest1"))?.ifindex, (await link("guest2"))?.ifindex];
    await ipBatch([
      "link set guest1 name tmp0",
      "link set guest2 name guest1",
      "link set tmp0 name guest2",
    ]);
    await log.find("repaired");
    await keeper.look();
    const named = ["guest1", "guest2"];
    await expect
      .poll(async () => await Promise.all(named.map(async (name) => (await link(name))?.ifindex)))
      .toEqual(before);
  });

  onHost(
    "makes a device anew that was deleted, and says that its guest needs a descriptor",
    async () => {
      const { keeper, log } = await kept({ repair: true });
      await using _ = keeper;
      const before = await link("guest0");
      await ip("link del guest0");
      expect(await log.next("guest-lost")).toMatchObject({
        device: { tag: { microvm: "ns1/mvm1", interface: "eth1" } },
        link: { index: before?.ifindex },
        needs: "new-fd",
      });
      const drift = await log.next("drift");
      expect([drift.link, drift.changes]).toEqual([undefined, []]);
      const repaired = await log.next("repaired");
      expect(repaired.action).toBe("create");
      expect(await link("guest0")).toMatchObject({ ifindex: repaired.link.index, link: "enp0" });
      expect((await link("guest0"))?.address).toBe(before?.address);
    },
  );

  onHost("names a guest by name that had its tap open, and no other", async () => {
    const { keeper, log } = await kept({ repair: true });
    await using _ = keeper;
    await settled("guest1"); // the kernel tells a while later that it was closed
    await ip("link del guest1");
    await log.next("drift");
    await log.next("repaired");
    const queue = await host.namespace.openTap("guest1");
    await expect.poll(async () => (await link("guest1"))?.flags).toContain("LOWER_UP");
    await ip("link del guest1");
    expect(await log.next("guest-lost")).toMatchObject({ needs: "restart" });
    await log.next("drift");
    await log.next("repaired");
    await queue.close();
  });

  onHost("says the same of a device that was moved to another namespace", async () => {
    await using other = await otherNamespace();
    const { keeper, log } = await kept({ repair: true });
    await using _ = keeper;
    await ip(`link set guest0 netns ${other.pid}`);
    await log.next("guest-lost");
    await log.next("drift");
    expect(await log.next("repaired")).toMatchObject({ action: "create" });
    expect(await link("guest0")).toMatchObject({ link: "enp0" });
  });

  onHost("waits for a parent that is gone, and makes its devices when it is back", async () => {
    const { keeper, log } = await kept({ repair: true });
    await using _ = keeper;
    await ip("link del enp0");
    await log.next("guest-lost");
    expect((await log.next("drift")).link).toBeUndefined();
    const { error, device } = await log.next("failed");
    expect([error.reason, device?.name]).toEqual(["no-such-parent", "guest0"]);
    await keeper.look();
    expect(log.rest()).toEqual([]); // once is enough
    await addParent();
    expect(await log.next("repaired")).toMatchObject({ action: "create" });
    expect(await link("guest0")).toMatchObject({ link: "enp0" });
  });

  onHost("puts ports back on a bridge that was gone", async () => {
    const { keeper, log } = await kept({ repair: true });
    await using _ = keeper;
    await ip("link del br0");
    expect(fieldsOf(await log.next("drift"))).toEqual(["bridge", "isolated"]);
    expect((await log.next("failed")).error.reason).toBe("no-such-bridge");
    await addBridge("br0");
    await log.find("repaired");
    expect(await bridgePort("guest1")).toMatchObject({ master: "br0", isolated: true });
  });

  onHost("is not kept from the others by a device that cannot be repaired", async () => {
    const alone: DesiredTap = { ...tap, name: "guest3", bridge: "br1", tag: { interface: "eth3" } };
    const { keeper, log } = await kept({ repair: true }, [alone, tap]);
    await using _ = keeper;
    await ip("link del br1");
    await log.find("failed");
    await ip("link set guest1 nomaster");
    const repaired = await log.find("repaired");
    expect(repaired.device.name).toBe("guest1");
    await addBridge("br1");
    expect((await log.find("repaired")).device.name).toBe("guest3");
  });

  onHost("leaves it to who writes it again and again, and says who wins", async () => {
    const { keeper, log } = await kept({ repair: true });
    await using _ = keeper;
    for (let round = 0; round < 3; round++) {
      await ip("link set guest1 nomaster");
      await log.next("drift");
      await log.next("repaired");
    }
    await ip("link set guest1 nomaster");
    await log.next("drift");
    expect(await log.next("contested")).toMatchObject({
      device: { name: "guest1" },
      fields: ["bridge", "isolated"],
      wins: "others",
      pause: 1_000,
    });
    expect((await link("guest1"))?.master).toBeUndefined();
    await log.next("repaired");
    expect((await link("guest1"))?.master).toBe("br0");
    expect(await log.next("contested")).toMatchObject({ wins: "keeper", pause: 0 });
  });

  onHost("repairs a bounded number of times against who writes without a pause", async () => {
    const { keeper, log } = await kept({ repair: true });
    await using _ = keeper;
    let isWriting = true;
    const writing = (async () => {
      while (isWriting) await ip("link set guest1 mtu 1400");
    })();
    await log.find("contested");
    isWriting = false;
    await writing;
    const { repaired, drift } = log.counts();
    expect(repaired).toBeLessThanOrEqual(4);
    expect(drift).toBeLessThanOrEqual(5);
  });
});

describe("a keeper", () => {
  onHost("changes nothing unless it is asked to, and tells when others have", async () => {
    const { keeper, log } = await kept();
    await using _ = keeper;
    await ip("link set guest1 mtu 1400");
    expect(await log.next("drift")).toMatchObject({
      changes: [{ field: "mtu", from: 1_400, to: 1_500, repairable: true }],
    });
    await keeper.look();
    expect((await link("guest1"))?.mtu).toBe(1_400);
    expect(log.rest()).toEqual([]);
    await ip("link set guest1 mtu 1500");
    expect(await log.next("settled")).toMatchObject({ device: { name: "guest1" } });
  });

  onHost("finds at its beginning what has drifted before", async () => {
    const { namespace } = host;
    await apply(await plan({ devices }, { namespace }), { namespace });
    await ip("link set guest1 nomaster");
    await ip("link del guest0");
    const log = new ReportLog();
    await using keeper = keepInState({ devices }, { namespace, report: log.add, repair: true });
    await keeper.ready;
    expect(log.counts()).toEqual({ drift: 2, repaired: 2 });
    expect(await link("guest0")).toMatchObject({ link: "enp0" });
    expect((await link("guest1"))?.master).toBe("br0");
  });

  onHost("finds what the kernel does not tell, at its next look", async () => {
    const { keeper, log } = await kept({ repair: true, lookEvery: 50 }, [
      { ...macvtap, up: false },
    ]);
    await using _ = keeper;
    await ip("link set guest0 alias", "mine");
    expect(fieldsOf(await log.next("drift"))).toEqual(["tag.owner"]);
    await log.next("repaired");
  });

  onHost("does not replace a device unless it may", async () => {
    const { namespace } = host;
    const { keeper, log } = await kept({ repair: true });
    await using _ = keeper;
    const moved = { ...macvtap, parent: "enp1" };
    keeper.keep([moved]);
    const [change] = (await log.next("drift")).changes;
    expect(change).toEqual({ field: "parent", from: "enp0", to: "enp1", repairable: false });
    await keeper.look();
    expect(log.rest()).toEqual([]);
    await keeper.close();
    const report = log.add;
    await using bold = keepInState(
      { devices: [moved, tap] },
      { namespace, report, repair: true, replace: true },
    );
    await bold.ready;
    expect((await log.find("repaired")).action).toBe("replace");
    expect(await link("guest0")).toMatchObject({ link: "enp1" });
  });

  onHost("makes no tap that goes with its queues", async () => {
    const { namespace } = host;
    const ephemeral: DesiredTap = { ...tap, persist: false };
    const log = new ReportLog();
    const state = { devices: [ephemeral] };
    await using keeper = keepInState(state, { namespace, report: log.add, repair: true });
    await keeper.ready;
    expect((await log.next("drift")).link).toBeUndefined();
    const { devices: made } = await apply(await plan(state, { namespace }), { namespace });
    expect((await log.next("settled")).device.name).toBe("guest1");
    await made[0]?.queues[0]?.close();
    expect((await log.next("guest-lost")).needs).toBe("new-fd");
    await log.next("drift");
    await keeper.look();
    expect(await links("type tun")).toEqual([]);
  });

  onHost("deletes what prune names and nobody wants, and nothing else", async () => {
    const { namespace } = host;
    const extra: DesiredTap = {
      ...tap,
      name: "guest2",
      tag: { microvm: "ns1/mvm1", interface: "eth9" },
    };
    const foreign: DesiredTap = {
      ...tap,
      name: "guest3",
      tag: { microvm: "ns1/mvm2", interface: "eth1" },
    };
    const all = [...devices, extra, foreign];
    await apply(await plan({ devices: all }, { namespace }), { namespace });
    const log = new ReportLog();
    const state = { devices, prune: [{ microvm: "ns1/mvm1" }] };
    await using keeper = keepInState(state, { namespace, report: log.add, repair: true });
    await keeper.ready;
    expect((await log.next("unwanted")).link.name).toBe("guest2");
    expect((await log.next("removed")).link.name).toBe("guest2");
    expect(await link("guest2")).toBeUndefined();
    expect(await link("guest3")).toBeDefined();
    await keeper.forget({ microvm: "ns1/mvm1" });
    await namespace.deleteLinks(["guest0", "guest1"]);
    await keeper.look();
    expect(log.rest()).toEqual([]);
    expect(await links("type macvtap")).toEqual([]);
  });

  onHost("takes devices and lets go of them while it runs", async () => {
    const { keeper, log } = await kept({ repair: true }, [tap]);
    await using _ = keeper;
    keeper.keep([macvtap]);
    expect((await log.next("drift")).device.name).toBe("guest0");
    expect((await log.next("repaired")).action).toBe("create");
    await keeper.forget({ interface: "eth1" });
    await ip("link del guest0");
    await keeper.look();
    expect(log.rest()).toEqual([]);
  });

  onHost("leaves the devices of another owner of the same microVM", async () => {
    await using namespace = NetworkNamespace.current({ owner: "other" });
    const theirs = { ...tap, name: "theirs", bridge: "br1" };
    await apply(await plan({ devices: [theirs] }, { namespace }), { namespace });
    const { keeper, log } = await kept({ repair: true });
    await using _ = keeper;
    await ip("link set theirs nomaster");
    await ip("link set theirs mtu 1400");
    await keeper.look();
    expect(log.rest()).toEqual([]);
    expect((await link("theirs"))?.mtu).toBe(1_400);
  });

  onHost("ends when it is closed, and when its signal fires", async () => {
    const { keeper, log } = await kept({ repair: true });
    await keeper.close();
    await keeper.done;
    await ip("link set guest1 mtu 1400");
    expect((await refusal(keeper.look())).reason).toBe("closed");
    expect(log.rest()).toEqual([]);
    const ending = new AbortController();
    const another = (await kept({ repair: true, signal: ending.signal })).keeper;
    ending.abort();
    await another.done;
    const late = keepInState({ devices }, { ...host, report: log.add, signal: ending.signal });
    await late.done;
    expect((await refusal(late.ready)).reason).toBe("closed");
  });

  onHost("says so when it can keep nothing any more", async () => {
    const namespace = NetworkNamespace.current();
    const keeper = keepInState({ devices: [] }, { namespace, report: () => {} });
    await keeper.ready;
    await namespace.close();
    keeper.keep([tap]);
    await expect(keeper.done).rejects.toMatchObject({ reason: "closed" });
    const report = () => {
      throw new Error("the report's own");
    };
    const throwing = keepInState({ devices }, { namespace: host.namespace, report });
    await expect(throwing.done).rejects.toThrow("the report's own");
  });

  onHost("refuses what could not be kept, before it begins", () => {
    const { namespace } = host;
    const report = () => {};
    const same = [tap, { ...tap, name: "guest2" }];
    expect(() => keepInState({ devices: same }, { namespace, report })).toThrow(TypeError);
    expect(() => keepInState({ devices: [], prune: [{}] }, { namespace, report })).toThrow(
      TypeError,
    );
    expect(() => keepInState({ devices }, { namespace } as KeepOptions)).toThrow(/report/);
    const twice = [tap, { ...tap, name: "guest2", tag: { ...tap.tag, interface: "eth3" } }];
    expect(() => keepInState({ devices: twice }, { namespace, report })).toThrow(/same MAC|has/);
  });
});
