/** createVeth, with iproute2 as the witness. */
import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import { createVeth, deleteLink, parseTag } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { ip, link, linkNames } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const withVeth = needs("veth", "proc-sys");

stage(async () => {});

describe("createVeth by default", () => {
  withVeth("makes two ends that are each other's parent, both up", async () => {
    const [one, other] = await createVeth();
    for (const [end, peer] of [
      [one, other],
      [other, one],
    ] as const) {
      expect(end).toMatchObject({ kind: "veth", up: true, parent: peer.index, mtu: 1500 });
      expect(end.name).toMatch(/^flveth[0-9a-f]{9}$/);
      expect(end.index).toBeGreaterThan(1_000_000);
      expect(await link(end.name)).toMatchObject({
        ifindex: end.index,
        link: peer.name,
        address: end.mac,
        flags: expect.arrayContaining(["UP", "LOWER_UP"]),
        linkinfo: { info_kind: "veth" },
      });
    }
  });

  withVeth("gives each end a MAC of its own that stays", async () => {
    const ends = await createVeth();
    expect(ends[0].mac).not.toBe(ends[1].mac);
    for (const { name, mac } of ends) {
      expect(mac).toMatch(/^[0-9a-f][26ae]:/);
      expect(readFileSync(`/sys/class/net/${name}/addr_assign_type`, "utf8")).toBe("3\n");
    }
  });

  withVeth("marks each end by an alt name of its own and by the same tag", async () => {
    const ends = await createVeth({ tag: { interface: "uplink" } });
    expect(ends[0].identity).not.toBe(ends[1].identity);
    for (const end of ends) {
      const seen = await link(end.name);
      expect(end.identity).toMatch(/^flintap-[0-9a-f]{32}$/);
      expect(seen?.altnames).toEqual([end.identity]);
      expect(parseTag(seen?.ifalias)).toEqual(end.tag);
      expect(end.tag?.interface).toBe("uplink");
    }
  });

  withVeth("leaves the host's IPv6 on both ends alone", async () => {
    for (const { name, ipv6 } of await createVeth()) {
      expect(ipv6?.state).toBe("open");
      expect(readFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "utf8")).toBe("0\n");
    }
  });
});

describe("createVeth", () => {
  withVeth("makes each end as it is asked to", async () => {
    const near = { name: "near", index: 1_234_570, mac: "02:00:00:00:00:0a", mtu: 9000 };
    const far = { name: "far", index: 1_234_571, mac: "02:00:00:00:00:0b", mtu: 1400 };
    const made = await createVeth({
      ...near,
      txQueueLength: 100,
      tag: { interface: "a" },
      peer: { ...far, txQueueLength: 200, up: false, tag: { interface: "b" } },
    });
    expect(made).toMatchObject([
      { ...near, txQueueLength: 100, up: true, tag: { interface: "a" } },
      { ...far, txQueueLength: 200, up: false, tag: { interface: "b" } },
    ]);
    const [seenNear, seenFar] = [await link("near"), await link("far")];
    expect(seenNear).toMatchObject({
      ifindex: 1_234_570,
      address: "02:00:00:00:00:0a",
      mtu: 9000,
      txqlen: 100,
      flags: expect.arrayContaining(["UP"]),
    });
    expect(seenFar).toMatchObject({
      ifindex: 1_234_571,
      address: "02:00:00:00:00:0b",
      mtu: 1400,
      txqlen: 200,
    });
    expect(seenFar?.flags).not.toContain("UP");
    expect(parseTag(seenFar?.ifalias)?.interface).toBe("b");
  });

  withVeth("closes the host's IPv6 on both ends when asked to", async () => {
    for (const { name, ipv6 } of await createVeth({ hostIPv6: "closed" })) {
      expect(ipv6?.state).toBe("closed");
      expect(readFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "utf8")).toBe("1\n");
      expect(JSON.parse(await ip(`-json address show dev ${name}`))[0].addr_info).toEqual([]);
    }
  });

  withVeth("makes nothing when only the other end cannot be", async () => {
    await ip("link add taken type veth peer name taken1");
    const before = await linkNames();
    const seen = await ip("-details link show dev taken");
    const failures = [
      [{ peer: { name: "taken" } }, "name-taken", "taken"],
      [{ peer: { index: (await link("taken"))?.ifindex } }, "index-taken"],
      [{ index: 1_234_572, peer: { index: 1_234_572 } }, "index-taken"],
      [{ name: "same", peer: { name: "same" } }, "name-taken", "same"],
    ] as const;
    for (const [options, reason, device] of failures) {
      const error = await refusal(createVeth(options));
      expect(error).toMatchObject({ code: "EEXIST", reason });
      if (device !== undefined) expect(error.device).toBe(device);
      expect(await linkNames()).toEqual(before);
    }
    expect(await ip("-details link show dev taken")).toBe(seen);
  });

  withVeth("makes a pair that goes as one", async () => {
    const before = await linkNames();
    const [, far] = await createVeth();
    await deleteLink(far);
    expect(await linkNames()).toEqual(before);
  });
});
