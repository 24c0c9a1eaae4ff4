/** On which of several bridges a tap is wanted, and where it goes when one is full. */
import { describe, expect, test } from "vitest";
import { onRecordedBridge } from "../../../src/desired/bridges.js";
import { apply, type DesiredTap, plan } from "../../../src/desired/index.js";
import type { Link, LinkBase } from "../../../src/link.js";
import { NetworkNamespace } from "../../../src/network-namespace.js";
import { formatTag, parseTag } from "../../../src/tag.js";
import { failure, fakeAddon, fakeLink, type Script } from "../fake-addon.js";
import { fakeHost } from "../fake-host.js";

const longName = "bridge-with-an-alternative-name";
const tap: DesiredTap & { bridge: string; otherBridges: string[] } = {
  kind: "tap",
  name: "guest1",
  bridge: "br0",
  otherBridges: ["br1x", longName],
  tag: { microvm: "ns1/mvm1", interface: "eth1" },
};

/** A tap whose tag records a bridge. */
function recorded(bridge: string | undefined, fields: Partial<LinkBase> = {}): Link {
  const tag = { ...tap.tag, owner: "flintap", createdAt: new Date(0), bridge };
  const alias = formatTag(tag);
  return { ...fakeLink({ alias, tag: parseTag(alias), ...fields }), kind: "tun" } as Link;
}

describe("a tap with other bridges", () => {
  test.each([
    ["its first, where there is none yet", undefined, ["br0", "br1x", longName]],
    ["its first, where the tag records none", recorded(undefined), ["br0", "br1x", longName]],
    ["the recorded one", recorded("br1x"), ["br1x", "br0", longName]],
    ["one that the tag has as a hash", recorded(longName), [longName, "br0", "br1x"]],
    [
      "its first, where the recorded one is none of them",
      recorded("br7"),
      ["br0", "br1x", longName],
    ],
    ["its first, where there is no tag", fakeLink() as Link, ["br0", "br1x", longName]],
  ])("is wanted on %s", (_, link, [bridge, ...otherBridges]) => {
    const placed = onRecordedBridge(tap, link);
    expect(placed).toEqual({ ...tap, bridge, otherBridges, tag: { ...tap.tag, bridge } });
  });

  test("has been made on the recorded one, whatever else its tag was to say", () => {
    const wrong = { ...tap, tag: { ...tap.tag, bridge: "br7" } };
    expect(onRecordedBridge(wrong, recorded("br1x")).tag.bridge).toBe("br1x");
  });

  test("and none other is changed", () => {
    const plain = { ...tap, otherBridges: undefined };
    expect(onRecordedBridge(plain, recorded("br1x"))).toBe(plain);
  });
});

/** A host on which some bridges are full. */
function hostWith(full: string[], changes: Script = {}) {
  const host = fakeHost([]);
  const { createTap } = host.script;
  const refuse = (bridge: string) =>
    failure({ errno: 54, reason: "bridge-full", operation: "createTap", on: bridge });
  const addon = fakeAddon({
    ...host.script,
    createTap: (request) => {
      const { name = "" } = request.bridge ?? {};
      if (full.includes(name)) throw refuse(name);
      return createTap?.(request) ?? {};
    },
    ...changes,
  });
  return { addon, namespace: new NetworkNamespace(addon, "flintap"), links: host.links };
}

async function make(namespace: NetworkNamespace) {
  return await apply(await plan({ devices: [tap] }, { namespace }), { namespace });
}

describe("where the first bridge is full", () => {
  test("the next is taken, recorded, and part of the guest's MAC's name", async () => {
    const { addon, namespace, links } = hostWith(["br0"]);
    const { devices } = await make(namespace);
    expect(devices).toMatchObject([
      { action: "create", device: { bridge: "br1x" }, link: { tag: { bridge: "br1x" } } },
    ]);
    expect(links).toMatchObject([{ master: "br1x".length }]);
    expect(links[0]?.altNames).toContainEqual(expect.stringMatching(/^flmac-4-/));
    const places = addon.calls.filter(({ operation }) => operation === "getPlace");
    expect(places.map(({ request }) => request.link)).not.toContainEqual({ name: longName });
  });

  test("and all others too, the refusal names them", async () => {
    const { namespace, links } = hostWith(["br0", "br1x", longName]);
    const making = make(namespace);
    await expect(making).rejects.toMatchObject({
      reason: "bridge-full",
      on: longName,
      alsoFull: ["br0", "br1x"],
    });
    await expect(making).rejects.toThrow("; also full: br0, br1x (EXFULL");
    expect(links).toEqual([]);
  });

  test("and the next is not there, that is told", async () => {
    const { namespace } = hostWith(["br0"], {
      getPlace: ({ link: { name = "" } }) => {
        if (name === "br0") return { links: [fakeLink({ name, index: 3 })] };
        throw failure({ reason: "no-such-bridge", operation: "getPlace", device: name });
      },
    });
    await expect(make(namespace)).rejects.toMatchObject({
      reason: "no-such-bridge",
      operation: "apply",
      device: "br1x",
    });
  });
});
