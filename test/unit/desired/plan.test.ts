/** What can be said of plans without a kernel. */
import { describe, expect, test } from "vitest";
import { apply, type DesiredDevice, type Plan, plan } from "../../../src/desired/index.js";
import type { LinkBase } from "../../../src/link.js";
import { NetworkNamespace } from "../../../src/network-namespace.js";
import { failure, fakeAddon, fakeLink, type Script } from "../fake-addon.js";
import { fakeHost } from "../fake-host.js";

const tap: DesiredDevice = {
  kind: "tap",
  name: "guest1",
  bridge: "br0",
  tag: { microvm: "ns1/mvm1", interface: "eth1" },
};

function scripted(changes: Script = {}, links: LinkBase[] = []) {
  const addon = fakeAddon(fakeHost(links, changes).script);
  return { addon, namespace: new NetworkNamespace(addon, "flintap") };
}

const planned = (devices: unknown, script?: Script): Promise<Plan> => {
  const { namespace } = scripted(script);
  return plan({ devices: devices as DesiredDevice[] }, { namespace });
};

describe("a device that is wanted", () => {
  test.each([
    ["no array", tap, "ERR_INVALID_ARG_TYPE", "devices"],
    ["nothing", [undefined], "ERR_INVALID_ARG_TYPE", "0"],
    ["no name", [{ ...tap, name: undefined }], "ERR_INVALID_ARG_TYPE", "0.name"],
    ["no tag", [{ ...tap, tag: undefined }], "ERR_INVALID_ARG_TYPE", "0.tag.interface"],
    ["another kind", [{ ...tap, kind: "bridge" }], "ERR_INVALID_ARG_VALUE", "0.kind"],
    ["odd other names", [{ ...tap, otherNames: ["a/b"] }], "ERR_INVALID_ARG_VALUE", "otherNames.0"],
    [
      "other bridges without a first",
      [{ ...tap, bridge: undefined, otherBridges: ["br1"] }],
      "ERR_INVALID_ARG_VALUE",
      "0.otherBridges",
    ],
    [
      "a bridge among the others",
      [{ ...tap, otherBridges: ["br1", "br0"] }],
      "ERR_INVALID_ARG_VALUE",
      "0.otherBridges.1",
    ],
    [
      "another bridge twice",
      [{ ...tap, otherBridges: ["br1", "br1"] }],
      "ERR_INVALID_ARG_VALUE",
      "0.otherBridges.1",
    ],
    ["no list", [{ ...tap, otherBridges: "br1" }], "ERR_INVALID_ARG_TYPE", "0.otherBridges"],
    [
      "an odd bridge",
      [{ ...tap, otherBridges: ["a/b"] }],
      "ERR_INVALID_ARG_VALUE",
      "0.otherBridges.0",
    ],
    [
      "other bridges for a macvtap",
      [{ kind: "macvtap", name: "g0", parent: "enp0", tag: tap.tag, otherBridges: ["br1"] }],
      "ERR_INVALID_ARG_VALUE",
      "otherBridges",
    ],
    ["an option that a tap has not", [{ ...tap, mode: "bridge" }], "ERR_INVALID_ARG_VALUE", "mode"],
    ["the same name", [tap, { ...tap, tag: { interface: "x" } }], "ERR_INVALID_ARG_VALUE", "1"],
    ["the same tag", [tap, { ...tap, name: "guest2" }], "ERR_INVALID_ARG_VALUE", "1"],
    [
      "a macvtap with another MAC than its guest's",
      [
        {
          kind: "macvtap",
          name: "guest0",
          parent: "enp0",
          mac: "02:00:00:00:00:01",
          tag: { interface: "eth0", guestMac: "02:00:00:00:00:02" },
        },
      ],
      "ERR_INVALID_ARG_VALUE",
      "tag.guestMac",
    ],
  ])("is refused with %s, before anything is sent", async (_, devices, code, place) => {
    const { addon, namespace } = scripted();
    const refused = plan({ devices: devices as DesiredDevice[] }, { namespace });
    await expect(refused).rejects.toMatchObject({ code });
    await expect(refused).rejects.toThrow(`${place}\``);
    expect(addon.calls).toEqual([]);
  });

  test("is copied: what its caller changes later does not count", async () => {
    const mine = structuredClone(tap);
    const found = await planned([mine]);
    mine.name = "other";
    mine.tag.interface = "other";
    expect(found.steps).toMatchObject([{ device: { name: "guest1", tag: { interface: "eth1" } } }]);
  });

  test("may not share its guest's MAC with another on the same bridge, however it is spelt", async () => {
    const one = { ...tap, tag: { ...tap.tag, guestMac: "02:00:00:00:00:0A" } };
    const two = { ...tap, name: "g2", tag: { interface: "e2", guestMac: "02-00-00-00-00-0a" } };
    await expect(planned([one, two])).rejects.toMatchObject({
      reason: "duplicate-guest-mac",
      device: "g2",
      on: "br0",
    });
    const elsewhere = { ...two, bridge: "br1" };
    expect((await planned([one, elsewhere])).steps).toHaveLength(2);
  });
});

describe("an error while planning", () => {
  test("is never taken for a device that is not there", async () => {
    const refuse = () => {
      throw failure({ errno: 1, reason: "no-permission", operation: "findLinks" });
    };
    await expect(planned([tap], { findLinks: refuse })).rejects.toMatchObject({
      code: "EPERM",
      operation: "plan",
    });
  });
});

describe("an applied plan", () => {
  const made = (name: string, fields: Partial<LinkBase> = {}): LinkBase =>
    fakeLink({ name, identity: `flintap-${name}`, alias: "flintap1;flintap;t=1", ...fields });
  const pair = () => [made("guest1", { index: 11 }), made("guest2", { index: 12 })];

  test("of which a delete fails says what is still there, and takes nothing back", async () => {
    const links = pair();
    const { addon, namespace } = scripted(
      {
        deleteLink: ({ link }) => {
          if (link.name === "guest1") throw failure({ errno: 1, reason: "no-permission" });
          return {};
        },
      },
      links,
    );
    const steps = links.map((link) => ({ action: "remove", link }));
    const removing = apply({ owner: "flintap", steps } as Plan, { namespace });
    await expect(removing).rejects.toMatchObject({
      code: "EPERM",
      leftBehind: ["link guest1 (index 11)"],
    });
    expect(addon.operations().filter((name) => name !== "deleteLink")).toEqual([]);
  });

  test("of which the undoing fails says what could not be undone", async () => {
    const links = pair();
    const { namespace } = scripted(
      {
        setLink: ({ changes }) => {
          if (changes.mtu === 1_500) throw failure({ errno: 1, reason: "no-permission" });
          return { links: [made("guest1", { index: 11 })] };
        },
        createTap: () => {
          throw failure({ errno: 54, reason: "bridge-full", operation: "createTap" });
        },
      },
      links,
    );
    const changes = [{ field: "mtu", from: 1_500, to: 1_400, repairable: true }];
    const another = { ...tap, name: "guest2", tag: { interface: "eth2" } };
    const steps = [
      { action: "repair", device: { ...tap, mtu: 1_400 }, link: links[0], changes },
      { action: "create", device: another },
    ];
    const applying = apply({ owner: "flintap", steps } as Plan, { namespace });
    await expect(applying).rejects.toMatchObject({
      reason: "bridge-full",
      leftBehind: ["link guest1 (index 11)"],
    });
  });

  test("that was given up and could not be undone is no success of the signal's", async () => {
    const controller = new AbortController();
    const reason = new Error("no more");
    const { namespace } = scripted({
      createTap: ({ link: { name } }) => {
        controller.abort(reason);
        return { links: [made(name)] };
      },
      deleteLink: () => {
        throw failure({ errno: 1, reason: "no-permission" });
      },
    });
    const steps = [{ action: "create", device: tap }];
    const { signal } = controller;
    const applying = apply({ owner: "flintap", steps } as Plan, { namespace, signal });
    await expect(applying).rejects.toMatchObject({
      reason: "aborted",
      leftBehind: ["link guest1 (index 1000001)"],
    });
  });

  test.each([
    ["nothing", undefined],
    ["no steps", { owner: "flintap" }],
    ["a hole", { owner: "flintap", steps: [null] }],
    ["an unknown action", { owner: "flintap", steps: [{ action: "delete", link: made("x") }] }],
    ["no link", { owner: "flintap", steps: [{ action: "remove" }] }],
    ["no device", { owner: "flintap", steps: [{ action: "create" }] }],
    ["another owner", { owner: "other", steps: [] }],
  ])("that is none is a mistake: %s", async (_, given) => {
    const { addon, namespace } = scripted();
    await expect(apply(given as unknown as Plan, { namespace })).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_INVALID_ARG_/),
    });
    expect(addon.calls).toEqual([]);
  });
});
