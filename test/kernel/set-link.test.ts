/** Changes to links that are there: all or nothing, and what holds through them. */
import { readFile } from "node:fs/promises";
import { beforeEach, describe, expect } from "vitest";
import { type LinkChanges, NetworkNamespace } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { addParent, ip, link, linkNames } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";

const test = needs("veth", "macvtap", "tun", "proc-sys");

let namespace: NetworkNamespace;

beforeEach(async () => {
  namespace = NetworkNamespace.current();
  const before = await linkNames();
  return async () => {
    await namespace.close();
    for (const name of await linkNames())
      if (!before.includes(name)) await ip("link del", name).catch(() => {});
  };
});

const disableIpv6 = (name: string): Promise<string> =>
  readFile(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "utf8");

describe("setLink", () => {
  test("changes everything that is named, and nothing else", async () => {
    const tap = await namespace.createTap({ name: "tap0" });
    const changed = await namespace.setLink(tap, {
      name: "guest0",
      addAltNames: ["guest-of-somebody", "second"],
      mac: "02:00:00:00:00:07",
      mtu: 1400,
      txQueueLength: 500,
      up: false,
      promiscuous: true,
    });
    expect(changed).toMatchObject({
      name: "guest0",
      index: tap.index,
      mtu: 1400,
      mac: "02:00:00:00:00:07",
      txQueueLength: 500,
      up: false,
      promiscuous: true,
      tag: tap.tag,
    });
    expect(await link("guest0")).toMatchObject({
      ifindex: tap.index,
      address: "02:00:00:00:00:07",
      mtu: 1400,
      txqlen: 500,
      altnames: [tap.identity, "guest-of-somebody", "second"],
      ifalias: tap.alias,
      flags: expect.arrayContaining(["PROMISC"]),
    });
    // The link that was held before goes on working.
    const back = await namespace.setLink(tap, { removeAltNames: ["second"], up: true });
    expect(back).toMatchObject({ name: "guest0", up: true });
    expect(back.altNames).not.toContain("second");
    await namespace.deleteLink(tap);
  });

  test("leaves the alias of a tagged link alone, unless forced", async () => {
    const tap = await namespace.createTap({ name: "tap0" });
    expect(await refusal(namespace.setLink(tap, { alias: "mine" }))).toMatchObject({
      reason: "tagged",
    });
    expect(await link("tap0")).toMatchObject({ ifalias: tap.alias });
    expect(await namespace.setLink(tap, { alias: "mine" }, { force: true })).toMatchObject({
      alias: "mine",
    });
    expect(await namespace.setLink(tap, { alias: "" })).not.toHaveProperty("alias");
    await namespace.deleteLink(tap, { force: true });
  });

  test("changes links that others made, and leaves their IPv6 to the kernel", async () => {
    await ip("link add a0 type veth peer name b0");
    await ip("link set a0 mtu 1000");
    expect(await namespace.setLink("a0", { mtu: 1500, up: true, alias: "uplink" })).toMatchObject({
      mtu: 1500,
      alias: "uplink",
      ipv6: { state: "open" },
    });
  });
});

describe("the host's IPv6", () => {
  test("stays closed through an MTU without IPv6", async () => {
    const tap = await namespace.createTap({ name: "tap0", persist: true });
    expect(await namespace.setLink(tap, { mtu: 1000 })).toMatchObject({ mtu: 1000 });
    const raised = await namespace.setLink(tap, { mtu: 1500 });
    expect(raised).toMatchObject({ mtu: 1500, up: true, ipv6: { state: "closed" } });
    expect(await disableIpv6("tap0")).toBe("1\n");
    await namespace.setLink(tap, { mtu: 1000 });
    await namespace.setLink(tap, { mtu: 1500, up: false, name: "tap1" });
    expect(await disableIpv6("tap1")).toBe("1\n");
    expect((await link("tap1"))?.flags).not.toContain("UP");
    await namespace.deleteLink(tap);
  });

  test("is opened, reduced and closed on a link that is up", async () => {
    const [veth] = await namespace.createVeth({ hostIPv6: "closed" });
    for (const hostIPv6 of ["open", "reduced", "closed", "reduced", "open"] as const) {
      expect(await namespace.setLink(veth, { hostIPv6 })).toMatchObject({
        ipv6: { state: hostIPv6 },
      });
      expect(await disableIpv6(veth.name)).toBe(hostIPv6 === "closed" ? "1\n" : "0\n");
      const seen = await link(veth.name);
      if (hostIPv6 === "reduced") expect(seen).toMatchObject({ inet6_addr_gen_mode: "none" });
      if (hostIPv6 === "open") expect(seen).toMatchObject({ inet6_addr_gen_mode: "eui64" });
    }
    await namespace.deleteLink(veth);
  });
});

describe("a change that is refused leaves the link as it was", () => {
  const cases = [
    ["a name that is taken", { mtu: 1400, name: "lo" }, "name-taken"],
    ["an alt name that is taken", { mtu: 1400, addAltNames: ["free", "enp0"] }, "alt-name-taken"],
    ["an MTU above the parent's", { promiscuous: true, mtu: 9000 }, "mtu-above-parent"],
    ["a MAC that a neighbour has", { mac: "02:00:00:00:00:01", mtu: 1400 }, "duplicate-mac"],
    ["an alt name that it does not have", { mtu: 1400, removeAltNames: ["x"] }, "no-such-alt-name"],
  ] as const;
  for (const [what, changes, reason] of cases)
    test(`as with ${what}`, async () => {
      await addParent();
      await namespace.createMacvtap({ parent: "enp0", mac: "02:00:00:00:00:01" });
      const guest = await namespace.createMacvtap({ parent: "enp0", name: "guest0" });
      const before = await link("guest0");
      const error = await refusal(namespace.setLink(guest, changes as LinkChanges));
      expect(error).toMatchObject({ reason, operation: "setLink" });
      expect(await link("guest0")).toEqual(before);
    });

  test("as with a link that has gone", async () => {
    const tap = await namespace.createTap();
    await namespace.deleteLink(tap);
    expect(await refusal(namespace.setLink(tap, { mtu: 1400 }))).toMatchObject({ code: "ENODEV" });
  });

  test("as with mistakes that are seen before anything is sent", async () => {
    for (const changes of [{}, { mtu: 0 }, { txQueueLength: 0 }, { mac: "01:00:00:00:00:00" }])
      await expect(namespace.setLink("lo", changes)).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_/),
      });
    for (const names of [{ addAltNames: ["flintap-0"] }, { removeAltNames: ["flintap-0"] }])
      await expect(namespace.setLink("lo", names)).rejects.toThrow("flintap's own mark");
  });
});

describe("deleteLinks", () => {
  test("deletes what it can, and says of each what became of it", async () => {
    const taps = await Promise.all([namespace.createTap(), namespace.createTap()]);
    await ip("link add strange0 type bridge");
    const results = await namespace.deleteLinks([taps[0], "strange0", "none0", taps[1], taps[0]]);
    expect(results).toEqual([
      { link: taps[0], deleted: true },
      { link: "strange0", deleted: false, error: expect.objectContaining({ reason: "not-ours" }) },
      { link: "none0", deleted: false, error: expect.objectContaining({ code: "ENODEV" }) },
      { link: taps[1], deleted: true },
      { link: taps[0], deleted: false, error: expect.objectContaining({ code: "ENODEV" }) },
    ]);
    expect(await linkNames()).toContain("strange0");
  });

  test("stops when its signal fires, and says of the rest that they stay", async () => {
    const taps = await Promise.all(Array.from({ length: 10 }, () => namespace.createTap()));
    const controller = new AbortController();
    const deleting = namespace.deleteLinks(taps, { signal: controller.signal });
    await expect(namespace.getLink("none0", { signal: AbortSignal.timeout(30) })).rejects.toThrow();
    controller.abort();
    const results = await deleting;
    const left = results.flatMap((result) => (result.deleted ? [] : [result]));
    expect(left.length).toBeGreaterThan(0);
    for (const { error } of left) expect(error).toBe(controller.signal.reason);
    const names = await linkNames();
    for (const { link: named, deleted } of results)
      expect(names.includes((named as { name: string }).name)).toBe(!deleted);
    await namespace.deleteLinks(taps);
  });
});
