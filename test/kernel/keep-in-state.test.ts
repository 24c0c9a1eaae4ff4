/** keepInState: what it tells and when, what it takes, and how it ends. */
import { describe, expect } from "vitest";
import {
  apply,
  type DesiredTap,
  type KeepOptions,
  keepInState,
  NetworkNamespace,
  plan,
} from "../../src/index.js";
import { hostOfFile, macvtap, onHost } from "../setup/host.js";
import { ip, link, links } from "../setup/iproute2.js";
import { devices, fieldsOf, keptOn, tap } from "../setup/kept.js";
import { refusal } from "../setup/refusal.js";
import { ReportLog } from "../setup/report-log.js";

const host = hostOfFile();
const kept = keptOn(host);

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
