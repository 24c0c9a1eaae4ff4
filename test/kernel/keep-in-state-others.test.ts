/** keepInState beside others: who provisions, replaces or releases at the same time, and what is in the way. */
import { describe, expect } from "vitest";
import {
  apply,
  createTap,
  type DesiredDevice,
  type DesiredTap,
  FlintapError,
  type KeepOptions,
  keepInState,
  NetworkNamespace,
  plan,
  type StateKeeper,
} from "../../src/index.js";
import { hostOfFile, macvtap, onHost, renaming, tap } from "../setup/host.js";
import { ip, ipBatch, link, links } from "../setup/iproute2.js";
import { ReportLog } from "../setup/report-log.js";

const host = hostOfFile();
const microvm = { microvm: "ns1/mvm1" };

async function applied(devices: DesiredDevice[], replace = false): Promise<void> {
  const { namespace } = host;
  await apply(await plan({ devices }, { namespace, replace }), { namespace });
}

/** A keeper that repairs, once it has looked. */
async function keeping(
  devices: DesiredDevice[],
  options: Partial<KeepOptions> & { prune?: { microvm: string }[] } = {},
): Promise<{ keeper: StateKeeper; log: ReportLog }> {
  const { prune, ...more } = options;
  const log = new ReportLog();
  const { namespace } = host;
  const given = { namespace, report: log.add, repair: true, ...more };
  const keeper = keepInState(prune === undefined ? { devices } : { devices, prune }, given);
  await keeper.ready;
  return { keeper, log };
}

const tapFor = (at: number): DesiredTap & { bridge: string } => ({
  ...tap,
  name: `guest${at}`,
  tag: { microvm: `ns1/mvm${at}`, interface: "eth1" },
});

describe("one device that cannot be had", () => {
  onHost("takes nothing from the others that are made with it", async () => {
    await ip("link add guest1 type bridge");
    const { keeper, log } = await keeping([macvtap, tap]);
    await using _ = keeper;
    const failed = await log.find("failed");
    expect(failed).toMatchObject({ device: { name: "guest1" }, error: { reason: "name-taken" } });
    expect(await link("guest0")).toMatchObject({ link: "enp0" });
    expect(log.counts().repaired).toBe(1);
    await ip("link del guest1");
    await keeper.look();
    await expect.poll(async () => (await link("guest1"))?.master).toBe("br0");
  });

  onHost("keeps nobody waiting, although it seems to be just being made", async () => {
    await applied([macvtap]);
    await using stranger = await createTap({ name: "guest1", persist: false });
    await ip("link set guest1 alias", "");
    const { keeper, log } = await keeping([macvtap, tap]);
    await using _ = keeper;
    await ip("link set guest0 txqueuelen 77");
    await expect.poll(async () => (await link("guest0"))?.txqlen).not.toBe(77);
    expect(log.rest().map(({ type }) => type)).toContain("repaired");
    expect(stranger.name).toBe("guest1");
  });

  onHost(
    "has the rest of it repaired where its parent's MTU is in the way of one field",
    async () => {
      const large = { ...macvtap, mtu: 1_500 };
      await applied([large]);
      const { keeper, log } = await keeping([large]);
      await using _ = keeper;
      await ip("link set enp0 mtu 1400");
      expect((await log.find("failed")).error.reason).toBe("mtu-above-parent");
      await ip("link set guest0 down");
      await expect.poll(async () => (await link("guest0"))?.flags).toContain("UP");
      await ip("link set enp0 mtu 1500");
      await keeper.look();
      await expect.poll(async () => (await link("guest0"))?.mtu, { timeout: 10_000 }).toBe(1_500);
    },
  );

  onHost("has its MTU left as it is with its parent's, where nobody has named one", async () => {
    await applied([macvtap]);
    const { keeper, log } = await keeping([macvtap]);
    await using _ = keeper;
    await ip("link set enp0 mtu 1400");
    await keeper.look();
    expect(log.rest()).toEqual([]);
    await ip("link set enp0 mtu 1500");
    await log.find("repaired");
    expect(await link("guest0")).toMatchObject({ mtu: 1_500 });
  });

  onHost("is put right as far as that goes while its parent is called otherwise", async () => {
    await applied([macvtap]);
    const { keeper, log } = await keeping([macvtap]);
    await using _ = keeper;
    await ipBatch(["link set enp0 down", "link set enp0 name other0", "link set other0 up"]);
    expect((await log.find("failed")).error.reason).toBe("no-such-parent");
    await ip("link set guest0 down");
    await expect.poll(async () => (await link("guest0"))?.flags).toContain("UP");
    await ipBatch(["link set other0 down", "link set other0 name enp0", "link set enp0 up"]);
    await log.find("settled");
  });
});

describe("two devices that have exchanged their names", () => {
  renaming("get them back although many others cannot be repaired", async () => {
    const two = [tapFor(1), tapFor(72)];
    const lost = Array.from({ length: 70 }, (_, at) => ({ ...tapFor(at + 2), bridge: "br9" }));
    await applied(two);
    const before = [(await link("guest1"))?.ifindex, (await link("guest72"))?.ifindex];
    const { keeper } = await keeping([tapFor(1), ...lost, tapFor(72)]);
    await using _ = keeper;
    await ipBatch([
      "link set guest1 name tmp0",
      "link set guest72 name guest1",
      "link set tmp0 name guest72",
    ]);
    const named = ["guest1", "guest72"];
    await expect
      .poll(async () => await Promise.all(named.map(async (name) => (await link(name))?.ifindex)))
      .toEqual(before);
  });
});

describe("what is forgotten", () => {
  onHost("stays, although prune names its microVM", async () => {
    await applied([macvtap, tap]);
    const { keeper, log } = await keeping([macvtap, tap], { prune: [microvm] });
    await using _ = keeper;
    await keeper.forget({ ...microvm, interface: "eth2" });
    await ip("link set guest1 mtu 1400");
    await keeper.look();
    expect(log.rest()).toEqual([]);
    expect(await link("guest1")).toMatchObject({ mtu: 1_400 });
    keeper.keep([tap]);
    await keeper.look();
    expect(await link("guest1")).toBeDefined();
  });

  onHost("is not made again by a repair that has begun when it was", async () => {
    await applied([tap]);
    const forgotten: Promise<void>[] = [];
    const log = new ReportLog();
    const { namespace } = host;
    const { keeper } = await keeping([tap], {
      report: (told) => {
        log.add(told);
        if (told.type === "drift") forgotten.push(keeper.forget(microvm));
      },
    });
    await using _ = keeper;
    await ip("link set guest1 nomaster");
    await log.next("drift");
    await Promise.all(forgotten);
    await namespace.deleteLink("guest1");
    await keeper.look();
    expect(await links("type tun")).toEqual([]);
    expect(log.rest()).toEqual([]);
  });
});

describe("beside a keeper", () => {
  onHost("somebody else can replace a device", async () => {
    await applied([tap, macvtap]);
    const { keeper } = await keeping([tap, macvtap]);
    await using _ = keeper;
    await using other = NetworkNamespace.current();
    for (const anyUser of [true, false, true, false]) {
      const devices = [anyUser ? { ...tap, anyUser } : { ...tap, uid: 0, gid: 0 }];
      const todo = await plan({ devices }, { namespace: other, replace: true });
      expect(todo.steps.map(({ action }) => action)).toEqual(["replace"]);
      await apply(todo, { namespace: other });
      expect(await links("type tun")).toHaveLength(1);
    }
  });

  onHost("a device is never there twice, whoever makes it", async () => {
    const { keeper } = await keeping([macvtap, tap]);
    await using _ = keeper;
    await using other = NetworkNamespace.current();
    for (let round = 0; round < 20; round += 1) {
      await ip(`link del ${round % 2 === 0 ? "guest0" : "guest1"}`);
      const todo = await plan({ devices: [macvtap, tap] }, { namespace: other });
      const { devices } = await apply(todo, { namespace: other });
      const [one, two] = [await links("type macvtap"), await links("type tun")];
      expect([...one, ...two].map(({ ifindex }) => ifindex)).toEqual(
        devices.map(({ link: { index } }) => index),
      );
    }
  });
});

describe("a device that is not wanted", () => {
  onHost("is found although the kernel does not tell of its tag", async () => {
    const { keeper, log } = await keeping([], { prune: [microvm] });
    await using _ = keeper;
    await host.namespace.createMacvtap({ parent: "enp0", up: false, tag: { ...microvm } });
    await keeper.look();
    await log.next("unwanted");
    await log.next("removed");
    expect(await links("type macvtap")).toEqual([]);
  });

  onHost("may be a second one for the same, and is looked at twice then", async () => {
    await applied([tap]);
    const { keeper, log } = await keeping([tap], { prune: [microvm] });
    await using _ = keeper;
    await host.namespace.createTap({ name: "second", tag: { ...tap.tag } });
    await keeper.look();
    expect(log.rest()).toEqual([]);
    await keeper.look();
    expect((await log.next("unwanted")).link.name).toBe("second");
    expect((await log.next("removed")).link.name).toBe("second");
    expect(await link("guest1")).toBeDefined();
  });
});

describe("a keeper", () => {
  onHost("ends by what its report throws, also where the kernel could have said it", async () => {
    await applied([tap]);
    const facts = { errno: 19, operation: "mine", step: "own", reason: "no-such-link" } as const;
    const error = new FlintapError(facts);
    const { keeper } = await keeping([tap], {
      report: () => {
        throw error;
      },
    });
    await ip("link set guest1 nomaster");
    await expect(keeper.done).rejects.toBe(error);
  });

  onHost("takes nothing that it could not have begun with", async () => {
    const { keeper } = await keeping([tap]);
    await using _ = keeper;
    const sameName = { ...tapFor(7), name: "guest1" };
    expect(() => keeper.keep([sameName])).toThrow(TypeError);
    const sameMac = { ...tapFor(7), tag: { ...tapFor(7).tag, guestMac: "02:00:00:00:00:0b" } };
    expect(() => keeper.keep([sameMac])).toThrow(/MAC/);
    expect(() => keeper.keep([{ ...tapFor(7), mtu: 0 }])).toThrow(RangeError);
    expect(() => keeper.forget({})).toThrow(TypeError);
    await keeper.look();
    expect(await links("type tun")).toHaveLength(1);
  });

  onHost("goes on as it was where the same is wanted once more", async () => {
    await applied([tap]);
    const { keeper, log } = await keeping([tap], { repair: false });
    await using _ = keeper;
    await ip("link set guest1 mtu 1400");
    await log.next("drift");
    keeper.keep([structuredClone(tap)]);
    await keeper.look();
    expect(log.rest()).toEqual([]);
    await ip("link set guest1 mtu 1500");
    await log.next("settled");
  });
});
