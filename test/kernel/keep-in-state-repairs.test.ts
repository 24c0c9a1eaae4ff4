/** keepInState that repairs: what drifts is told and put right, up to who writes without a pause. */
import { writeFile } from "node:fs/promises";
import { describe, expect } from "vitest";
import type { DesiredTap } from "../../src/index.js";
import { hostOfFile, onHost, renaming } from "../setup/host.js";
import { addBridge, addParent, bridgePort, ip, ipBatch, link, settled } from "../setup/iproute2.js";
import { fieldsOf, keptOn, tap } from "../setup/kept.js";
import { otherNamespace } from "../setup/other-namespace.js";

const host = hostOfFile();
const kept = keptOn(host);

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
