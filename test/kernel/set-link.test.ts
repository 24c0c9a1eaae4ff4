/** setLink: every change of a link, and what is put back when one of them is refused. */
import { describe, expect } from "vitest";
import {
  createBridge,
  createMacvtap,
  createTap,
  createVeth,
  deleteLink,
  getLink,
  type LinkChanges,
  NetworkNamespace,
  setLink,
} from "../../src/index.js";
import { missing, needs } from "../setup/capabilities.js";
import { addParent, ip, link, settled } from "../setup/iproute2.js";
import { argumentError, refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const anywhere = needs("veth");
const withBridge = needs("veth", "bridge", "proc-sys");
const withTap = needs("tun", "proc-sys");
const withMacvtap = needs("veth", "macvtap", "proc-sys");

stage(async () => {
  await addParent();
});

/** What iproute2 tells of a link: equal before and after where nothing may have happened to it. */
function seen(name: string): Promise<string> {
  return ip(`-details link show dev ${name}`);
}

/** A veth end of somebody else's. */
async function stranger(name = "theirs", settings = ""): Promise<void> {
  await ip(`link add ${name} ${settings} type veth peer name ${name}-far`);
}

describe("setLink changes", () => {
  const cases: [string, LinkChanges, object][] = [
    ["the MAC", { mac: "02:00:00:00:0a:01" }, { address: "02:00:00:00:0a:01" }],
    ["the MTU", { mtu: 1_400 }, { mtu: 1_400 }],
    ["the queue's length", { txQueueLength: 77 }, { txqlen: 77 }],
    ["alt names", { addAltNames: ["one", "n".repeat(127)] }, { altnames: expect.any(Array) }],
    [
      "promiscuous mode",
      { promiscuous: true },
      { flags: expect.arrayContaining(["PROMISC"]), promiscuity: 1 },
    ],
  ];
  for (const [what, changes, expected] of cases) {
    withTap(`${what} of a device of ours, and tells it as it is`, async () => {
      const tap = await createTap();
      await settled(tap.name);
      const { addAltNames = [], ...fields } = changes;
      const changed = await setLink(tap, changes);
      expect(changed).toMatchObject({
        ...fields,
        index: tap.index,
        identity: tap.identity,
        tag: tap.tag,
        ipv6: { state: "closed" },
        up: true,
      });
      expect(changed.altNames).toEqual(expect.arrayContaining(addAltNames));
      expect(await link(tap.identity ?? "")).toMatchObject({ ifindex: tap.index, ...expected });
      expect(await getLink(tap)).toEqual(changed);
    });
  }

  anywhere("anything of a link of somebody else's, in one call", async () => {
    await stranger();
    const changed = await setLink("theirs", {
      name: "ours",
      addAltNames: ["theirs"],
      alias: "the uplink, größer",
      mac: "02:00:00:00:0a:02",
      mtu: 1_300,
      txQueueLength: 5,
      up: true,
      promiscuous: true,
    });
    expect(changed).toMatchObject({ name: "ours", altNames: ["theirs"], up: true });
    expect(await link("ours")).toMatchObject({
      altnames: ["theirs"],
      ifalias: "the uplink, größer",
      address: "02:00:00:00:0a:02",
      mtu: 1_300,
      txqlen: 5,
      flags: expect.arrayContaining(["UP", "PROMISC"]),
    });
  });

  anywhere("what was set back again", async () => {
    await stranger();
    await setLink("theirs", { alias: "something", promiscuous: true, up: true });
    const changed = await setLink("theirs", { alias: "", promiscuous: false, up: false });
    expect(changed).not.toHaveProperty("alias");
    expect(changed).toMatchObject({ promiscuous: false, up: false });
    expect((await link("theirs"))?.ifalias).toBeUndefined();
    expect((await link("theirs"))?.flags).not.toContain("UP");
  });

  anywhere("nothing where the name is the one that it has", async () => {
    await stranger();
    const before = await seen("theirs");
    expect(await setLink("theirs", { name: "theirs" })).toMatchObject({ name: "theirs" });
    expect(await seen("theirs")).toBe(before);
  });

  withBridge("a bridge's MAC for good, also to the one that it has", async () => {
    await ip("link add floating type bridge");
    await ip("link add end0 type veth peer name end1");
    const { mac } = await getLink("floating");
    await setLink("floating", { mac });
    await ip("link set end0 master floating");
    await ip("link set end0 nomaster");
    expect((await link("floating"))?.address).toBe(mac);
  });
});

describe("a link that is renamed", () => {
  withTap("is found by who holds it under its old name", async () => {
    const tap = await createTap({ name: "before", up: false });
    await setLink(tap, { name: "after" });
    expect(await setLink(tap, { name: "later", mtu: 1_400 })).toMatchObject({ name: "later" });
    expect(await getLink(tap)).toMatchObject({ name: "later", mtu: 1_400 });
    expect(await link("before")).toBeUndefined();
    await deleteLink(tap);
  });

  withTap("while it is up is told as it is, or refused where the kernel refuses it", async () => {
    const tap = await createTap();
    await settled(tap.name);
    if (missing("live-rename") === undefined) {
      const renamed = await setLink(tap, { name: "renamed" });
      expect(renamed).toEqual({ ...(await getLink(tap)), name: "renamed", up: true });
      expect(await link("renamed")).toMatchObject({ ifindex: tap.index });
      return;
    }
    const before = await seen(tap.name);
    const error = await refusal(setLink(tap, { name: "renamed", mtu: 1_400 }));
    expect(error).toMatchObject({ code: "EBUSY", reason: "link-is-up", step: "rename to renamed" });
    expect(await seen(tap.name)).toBe(before);
    const renamed = await setLink(tap, { name: "renamed", up: false });
    expect(renamed).toMatchObject({ name: "renamed", up: false, ipv6: { state: "closed" } });
    expect(await setLink(tap, { up: true })).toMatchObject({ name: "renamed", up: true });
  });

  anywhere("can swap its name and an alt name", async () => {
    await stranger();
    await ip("link property add dev theirs altname other");
    const swap = { name: "other", removeAltNames: ["other"], addAltNames: ["theirs"] };
    expect(await setLink("theirs", swap)).toMatchObject({ name: "other", altNames: ["theirs"] });
  });

  anywhere("and not ours is found by the link that the call gave", async () => {
    await stranger();
    const held = await getLink("theirs");
    const renamed = await setLink(held, { name: "other" });
    expect((await refusal(setLink(held, { mtu: 1_400 }))).code).toBe("ENODEV");
    expect(await setLink(renamed, { mtu: 1_400 })).toMatchObject({ name: "other", mtu: 1_400 });
  });

  for (const [which, taken, reason] of [
    ["name", "wire0", "name-taken"],
    ["alt name", "alternative", "alt-name-taken"],
  ] as const) {
    anywhere(`to another's ${which} is refused, and both stay as they are`, async () => {
      await ip("link property add dev wire0 altname alternative");
      await stranger("theirs", "mtu 1400");
      const before = [await seen("theirs"), await seen("wire0")];
      const error = await refusal(setLink("theirs", { name: taken, mtu: 1_300, up: true }));
      expect(error).toMatchObject({ code: "EEXIST", reason, device: "theirs" });
      expect(error.step).toBe(`rename to ${taken}`);
      expect([await seen("theirs"), await seen("wire0")]).toEqual(before);
      await ip("link property del dev wire0 altname alternative");
    });
  }
});

describe("alt names", () => {
  for (const [which, taken, reason] of [
    ["name", "wire0", "name-taken"],
    ["alt name", "alternative", "alt-name-taken"],
  ] as const) {
    anywhere(`that are another's ${which} are not added, nor any other`, async () => {
      await ip("link property add dev wire0 altname alternative");
      await stranger();
      const before = await seen("theirs");
      const error = await refusal(setLink("theirs", { addAltNames: ["free", taken, "freer"] }));
      expect(error).toMatchObject({ code: "EEXIST", reason, step: `add the alt name ${taken}` });
      expect(await seen("theirs")).toBe(before);
      await ip("link property del dev wire0 altname alternative");
    });
  }

  anywhere("that the link does not have cannot be removed, and no other is", async () => {
    await stranger();
    await ip("link property add dev theirs altname mine");
    const before = await seen("theirs");
    const error = await refusal(setLink("theirs", { removeAltNames: ["mine", "nothing"] }));
    expect(error).toMatchObject({
      code: "ENOENT",
      reason: "no-such-alt-name",
      step: "remove the alt name nothing",
    });
    expect(await seen("theirs")).toBe(before);
  });

  withTap("that are identities are neither added nor removed", async () => {
    const tap = await createTap();
    for (const changes of [
      { addAltNames: ["flintap-0123"] },
      { removeAltNames: [tap.identity ?? ""] },
    ]) {
      const error = await argumentError(setLink(tap, changes));
      expect(error).toMatchObject({ code: "ERR_INVALID_ARG_VALUE" });
    }
    expect((await link(tap.name))?.altnames).toEqual([tap.identity]);
  });
});

describe("the alias of a tagged link", () => {
  withTap("stays unless it is forced, whoever its owner is", async () => {
    await using other = NetworkNamespace.current({ owner: "other" });
    for (const tap of [await createTap(), await other.createTap()]) {
      const error = await refusal(setLink(tap, { alias: "mine", mtu: 1_400 }));
      expect(error).toMatchObject({ code: "ERR_FLINTAP_REFUSED", reason: "tagged" });
      expect(await link(tap.name)).toMatchObject({ ifalias: tap.alias, mtu: 1_500 });
      const forced = await setLink(tap, { alias: "mine" }, { force: true });
      expect(forced).toMatchObject({ alias: "mine" });
      expect(forced).not.toHaveProperty("tag");
    }
  });
});

describe("a change that is refused says why, and changes nothing", () => {
  withMacvtap("an MTU above the parent's", async () => {
    const nic = await createMacvtap({ parent: "enp0", mtu: 1_400 });
    const before = await seen(nic.name);
    const error = await refusal(setLink(nic, { mtu: 1_501, txQueueLength: 9 }));
    expect(error).toMatchObject({ code: "EINVAL", reason: "mtu-above-parent", device: nic.name });
    expect(await seen(nic.name)).toBe(before);
  });

  withMacvtap("an MTU that the driver does not take", async () => {
    const nic = await createMacvtap({ parent: "enp0" });
    for (const mtu of [1, 70_000]) {
      const error = await refusal(setLink(nic, { mtu, mac: "02:00:00:00:0a:03" }));
      expect(error).toMatchObject({ code: "EINVAL", reason: "mtu-out-of-range" });
      expect(error.kernelMessage).toMatch(/^mtu /);
      expect(await link(nic.name)).toMatchObject({ address: nic.mac, mtu: 1_500 });
    }
  });

  withMacvtap("the MAC of another macvtap", async () => {
    const [one, other] = [
      await createMacvtap({ parent: "enp0" }),
      await createMacvtap({ parent: "enp0" }),
    ];
    const before = await seen(other.name);
    const error = await refusal(
      setLink(other, { mac: one.mac, addAltNames: ["spare"], txQueueLength: 9 }),
    );
    expect(error).toMatchObject({ code: "EADDRINUSE", reason: "duplicate-mac" });
    expect(error.step).toBe("set the MAC");
    expect(await seen(other.name)).toBe(before);
  });

  withMacvtap("going up with the MAC of another macvtap, even at the end", async () => {
    const one = await createMacvtap({ parent: "enp0" });
    await ip(`link add link enp0 name theirs address ${one.mac} type macvtap`);
    const before = await seen("theirs");
    const changes = { name: "mine", addAltNames: ["spare"], mtu: 1_400, alias: "mine" };
    const error = await refusal(setLink("theirs", { ...changes, up: true }));
    expect(error).toMatchObject({ code: "EADDRINUSE", reason: "duplicate-mac", step: "set up" });
    expect(await seen("theirs")).toBe(before);
  });

  anywhere("a link that is gone, or another one by now", async () => {
    expect(await refusal(setLink("nothing", { mtu: 1_400 }))).toMatchObject({
      code: "ENODEV",
      reason: "no-such-link",
    });
    const [veth] = await createVeth({ name: "held0", index: 1_234_580 });
    await ip("link del held0");
    await ip("link add held0 index 1234580 type veth peer name held1");
    const before = await seen("held0");
    expect((await refusal(setLink(veth, { name: "mine", mtu: 1_400 }))).code).toBe("ENODEV");
    expect(await seen("held0")).toBe(before);
  });
});

describe("a wrong change", () => {
  const wrong: [string, unknown, string][] = [
    ["none at all", {}, "ERR_INVALID_ARG_VALUE"],
    ["none that is one", { addAltNames: [], mtu: undefined }, "ERR_INVALID_ARG_VALUE"],
    ["a queue's length of 0", { txQueueLength: 0 }, "ERR_OUT_OF_RANGE"],
    ["a multicast MAC", { mac: "01:00:00:00:00:01" }, "ERR_INVALID_ARG_VALUE"],
    ["a long alias", { alias: "a".repeat(256) }, "ERR_INVALID_ARG_VALUE"],
    ["an alias with NUL", { alias: "a\0b" }, "ERR_INVALID_ARG_VALUE"],
    ["a name with a slash", { name: "a/b" }, "ERR_INVALID_ARG_VALUE"],
    ["an index", { index: 7 }, "ERR_INVALID_ARG_VALUE"],
    [
      "the same name both ways",
      { addAltNames: ["a"], removeAltNames: ["a"] },
      "ERR_INVALID_ARG_VALUE",
    ],
  ];
  for (const [what, changes, code] of wrong)
    anywhere(`is refused before anything is sent: ${what}`, async () => {
      const error = await argumentError(setLink("enp0", changes as LinkChanges));
      expect(error.code).toBe(code);
    });
});

withBridge("a bridge of ours may have its MTU changed, with a port on it", async () => {
  const bridge = await createBridge();
  expect(await setLink(bridge, { mtu: 9_000 })).toMatchObject({ mtu: 9_000 });
});
