/** createTap, with iproute2 as the witness. */
import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import {
  type BridgePortSettings,
  createBridge,
  createTap,
  openTap,
  parseTag,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { runNode } from "../setup/child.js";
import { everybody, receiveUntil, send } from "../setup/frames.js";
import {
  addBridge,
  type BridgePort,
  bridgePort,
  link,
  linkNames,
  links,
  qdiscs,
} from "../setup/iproute2.js";
import { stage } from "../setup/stage.js";

const withTap = needs("tun", "proc-sys");
const withBridge = needs("tun", "proc-sys", "bridge");

stage(() => addBridge());

/** What iproute2 tells of a tap alone. */
async function tunData(name: string): Promise<Record<string, unknown> | undefined> {
  return (await link(name))?.linkinfo?.info_data;
}

describe("createTap by default", () => {
  withTap("makes a persistent tap that nobody holds, and sets it up", async () => {
    const made = await createTap();
    expect(made).toMatchObject({
      kind: "tun",
      up: true,
      carrier: false,
      mtu: 1500,
      txQueueLength: 1000,
      details: { type: "tap", persistent: true, multiQueue: false, vnetHeader: false },
    });
    expect(made.name).toMatch(/^fltap[0-9a-f]{10}$/);
    expect(made.index).toBeGreaterThan(1_000_000);
    const seen = await link(made.name);
    expect(seen).toMatchObject({
      ifindex: made.index,
      mtu: 1500,
      txqlen: 1000,
      linkinfo: {
        info_kind: "tun",
        info_data: { type: "tap", pi: false, vnet_hdr: false, multi_queue: false, persist: true },
      },
    });
    expect(seen?.flags).toContain("UP");
    expect(seen?.flags).not.toContain("LOWER_UP");
  });

  withTap("chooses a MAC that begins with fe and stays", async () => {
    const { name, mac } = await createTap();
    expect(mac).toMatch(/^fe:/);
    expect(await link(name)).toMatchObject({ address: mac });
    expect(readFileSync(`/sys/class/net/${name}/addr_assign_type`, "utf8")).toBe("3\n");
  });

  withTap("marks the tap by an alt name of its own and by its tag", async () => {
    const made = await createTap({ tag: { microvm: "ns1/vm1", interface: "eth2" } });
    const seen = await link(made.name);
    expect(made.identity).toMatch(/^flintap-[0-9a-f]{32}$/);
    expect(seen?.altnames).toEqual([made.identity]);
    expect(parseTag(seen?.ifalias)).toEqual(made.tag);
    expect(made.tag).toMatchObject({ microvm: "ns1/vm1", interface: "eth2" });
  });

  withTap("closes the host's IPv6 on it", async () => {
    const { name, ipv6 } = await createTap();
    expect(ipv6?.state).toBe("closed");
    expect(readFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "utf8")).toBe("1\n");
  });
});

describe("createTap", () => {
  withTap("makes one as it is asked to", async () => {
    const wanted = {
      name: "guest8",
      index: 1_234_568,
      mac: "02:00:00:00:00:08",
      mtu: 9000,
      txQueueLength: 333,
      up: false,
    };
    expect(await createTap(wanted)).toMatchObject(wanted);
    const seen = await link("guest8");
    expect(seen).toMatchObject({
      ifindex: 1_234_568,
      address: "02:00:00:00:00:08",
      mtu: 9000,
      txqlen: 333,
    });
    expect(seen?.flags).not.toContain("UP");
  });

  withTap("lets a user and a group open it", async () => {
    const { name, details } = await createTap({ uid: 65_534, gid: 65_533 });
    expect(details).toMatchObject({ uid: 65_534, gid: 65_533 });
    const read = (file: string): string =>
      readFileSync(`/sys/class/net/${name}/${file}`, "utf8").trim();
    expect([read("owner"), read("group")]).toEqual(["65534", "65533"]);
  });

  withTap("is this process's user's, here root's, which is not the same as nobody's", async () => {
    const rooted = await createTap();
    expect(rooted.details.uid).toBe(0);
    expect(rooted.details.gid).toBeUndefined();
    expect(readFileSync(`/sys/class/net/${rooted.name}/owner`, "utf8")).toBe("0\n");
    const nobodys = await createTap({ anyUser: true });
    expect(nobodys.details.uid).toBeUndefined();
    expect(readFileSync(`/sys/class/net/${nobodys.name}/owner`, "utf8")).toBe("-1\n");
  });

  withTap("makes many queues without a queueing discipline for each", async () => {
    const made = await createTap({ multiQueue: true });
    expect(made).toMatchObject({ qdisc: "noqueue", txQueueLength: 1000 });
    expect(await tunData(made.name)).toMatchObject({ multi_queue: true, numqueues: 0 });
    expect(await qdiscs(made.name)).toEqual(["noqueue"]);
  });

  withTap("says how the tap is once nobody holds it", async () => {
    const { name, carrier, flags, details } = await createTap({ multiQueue: true });
    const seen = await link(name);
    expect(details.queues ?? 0).toBe(seen?.linkinfo?.info_data?.numqueues);
    expect(carrier).toBe(false);
    const lowerUp = 0x10000;
    expect((flags & lowerUp) !== 0).toBe(seen?.flags.includes("LOWER_UP"));
  });

  withTap("makes a hundred at once, no two alike", async () => {
    const made = await Promise.all(Array.from({ length: 100 }, () => createTap()));
    for (const key of ["name", "index", "mac", "identity"] as const)
      expect(new Set(made.map((one) => one[key])).size).toBe(100);
    expect((await links("type tun")).map(({ ifname }) => ifname).toSorted()).toEqual(
      made.map(({ name }) => name).toSorted(),
    );
  });
});

describe("createTap with a virtio-net header", () => {
  for (const size of [10, 12] as const) {
    withBridge(`of ${size} bytes gives frames that have one`, async () => {
      const bridge = await createBridge();
      const options = { bridge, persist: false, vnetHeader: true, vnetHeaderSize: size } as const;
      await using left = await createTap(options);
      await using right = await createTap(options);
      expect(await tunData(left.name)).toMatchObject({ vnet_hdr: true });
      const [from, to] = [left.queues[0]?.fd ?? -1, right.queues[0]?.fd ?? -1];
      send(from, { to: everybody, from: "02:00:00:00:00:01", text: "hello" }, size);
      expect(await receiveUntil(to, "hello", size)).toEqual(["hello"]);
    });
  }

  withTap("has one of 10 bytes by default, for whoever opens it", async () => {
    const tap = await createTap({ vnetHeader: true });
    expect(tap.details.vnetHeader).toBe(true);
    await using queue = await openTap(tap);
    expect(queue.fd).toBeGreaterThan(2);
    expect(await tunData(tap.name)).toMatchObject({ vnet_hdr: true });
  });
});

describe("createTap on a bridge", () => {
  withBridge("makes it a port with the kernel's settings", async () => {
    const made = await createTap({ bridge: "br0" });
    expect(made.master).toBe((await link("br0"))?.ifindex);
    expect(made.port).toMatchObject({ isolated: false, learning: true });
    expect(await bridgePort(made.name)).toMatchObject({
      master: "br0",
      isolated: false,
      hairpin: false,
      learning: true,
      flood: true,
      mcast_flood: true,
      bcast_flood: true,
      neigh_suppress: false,
    });
  });

  const settings: [keyof BridgePortSettings, keyof BridgePort, boolean][] = [
    ["isolated", "isolated", true],
    ["hairpin", "hairpin", true],
    ["learning", "learning", false],
    ["flood", "flood", false],
    ["mcastFlood", "mcast_flood", false],
    ["bcastFlood", "bcast_flood", false],
    ["neighSuppress", "neigh_suppress", true],
  ];
  for (const [setting, seenAs, value] of settings) {
    withBridge(`sets its port's ${setting}, and nothing else`, async () => {
      const plain = await bridgePort((await createTap({ bridge: "br0" })).name);
      const { name, port } = await createTap({ bridge: "br0", [setting]: value });
      expect(port).toMatchObject({ [setting]: value });
      const { isolated, hairpin, learning, flood, mcast_flood, bcast_flood, neigh_suppress } =
        plain as BridgePort;
      expect(await bridgePort(name)).toMatchObject({
        ...{ isolated, hairpin, learning, flood, mcast_flood, bcast_flood, neigh_suppress },
        [seenAs]: value,
      });
    });
  }

  withBridge("does not forward until a VMM opens it", async () => {
    const bridge = await createBridge();
    const tap = await createTap({ bridge });
    // At once on newer kernels; Linux 6.1 looks at carriers a moment later, when nobody holds it.
    const portState = async () => (await bridgePort(tap.name))?.state;
    await expect.poll(portState, { timeout: 10_000 }).toBe("disabled");
    await using queue = await openTap(tap);
    expect(queue.fd).toBeGreaterThan(2);
    await expect.poll(portState, { timeout: 10_000 }).toBe("forwarding");
  });
});

describe("createTap with persist: false", () => {
  withTap("hands its queue out, close-on-exec", async () => {
    await using tap = await createTap({ persist: false });
    const [queue] = tap.queues;
    expect(tap.details.persistent).toBe(false);
    expect(await tunData(tap.name)).toMatchObject({ persist: false });
    const fdinfo = readFileSync(`/proc/self/fdinfo/${queue?.fd}`, "utf8");
    expect(Number.parseInt(/flags:\s*(\d+)/.exec(fdinfo)?.[1] ?? "0", 8) & 0o2000000).not.toBe(0);
    expect(fdinfo).toMatch(new RegExp(`^iff:\\s*${tap.name}$`, "m"));
  });

  withTap("removes the tap when its queue is closed", async () => {
    const before = await linkNames();
    const tap = await createTap({ persist: false });
    await tap.close();
    expect(await linkNames()).toEqual(before);
    await tap.close();
  });

  withTap("removes the tap at the end of the block that declared it", async () => {
    const before = await linkNames();
    {
      await using tap = await createTap({ persist: false });
      expect(await link(tap.name)).toBeDefined();
    }
    expect(await linkNames()).toEqual(before);
  });

  withTap("hands out as many queues as asked for, and the last one keeps the tap", async () => {
    const tap = await createTap({ persist: false, multiQueue: true, queues: 3 });
    expect(new Set(tap.queues.map(({ fd }) => fd)).size).toBe(3);
    expect(tap.details.queues).toBe(3);
    expect(await tunData(tap.name)).toMatchObject({ multi_queue: true, numqueues: 3 });
    expect(await qdiscs(tap.name)).toEqual(["noqueue"]);
    await tap.queues[0]?.close();
    await tap.queues[1]?.close();
    expect(await tunData(tap.name)).toMatchObject({ numqueues: 1 });
    await tap.queues[2]?.close();
    expect(await link(tap.name)).toBeUndefined();
  });

  withTap("hands out 256 queues, the most the kernel has", async () => {
    await using tap = await createTap({ persist: false, multiQueue: true, queues: 256 });
    expect(await tunData(tap.name)).toMatchObject({ numqueues: 256 });
  });

  withTap("closes a tap that was collected unclosed, with a warning", async () => {
    const source = `
      import { setImmediate } from "node:timers/promises";
      import { createTap, listLinks } from "flintap";
      let warning;
      process.on("warning", (given) => { warning = given; });
      await (async () => { await createTap({ persist: false, name: "forgotten" }); })();
      while (warning === undefined) { globalThis.gc(); await setImmediate(); }
      const names = (await listLinks({ kind: "tun" })).map(({ name }) => name);
      console.log(JSON.stringify({ code: warning.code, names }));
    `;
    const args = ["--expose-gc", "--input-type=module", "--eval", source];
    const { code, stdout, stderr } = await runNode(args);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ code: "FLINTAP_QUEUE_NOT_CLOSED", names: [] });
    expect(stderr).toContain("A queue of forgotten was collected without being closed");
  });

  withTap("leaves no tap behind when the process ends without a close", async () => {
    const source = `
      import { createTap } from "flintap";
      await createTap({ persist: false });
      process.exit();
    `;
    const before = await linkNames();
    expect((await runNode(["--input-type=module", "--eval", source])).code).toBe(0);
    expect(await linkNames()).toEqual(before);
  });
});
