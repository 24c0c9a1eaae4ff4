import { describe, expect, test } from "vitest";
import type { Microvm } from "../../../src/flintlock/microvm.js";
import { desiredNetwork, provision, release } from "../../../src/flintlock/service.js";
import type { LinkBase } from "../../../src/link.js";
import { NetworkNamespace } from "../../../src/network-namespace.js";
import { formatTag } from "../../../src/tag.js";
import { type FakeAddon, failure, fakeAddon, fakeLink, type Script } from "../fake-addon.js";
import { fakeHost } from "../fake-host.js";

const config = { parentIface: "enp0", bridgeName: "br0" };
const microvm: Microvm = {
  id: "mvm1",
  namespace: "ns1",
  interfaces: [
    { deviceId: "eth1", type: "macvtap", guestMac: "02:00:00:00:00:0a" },
    { deviceId: "eth2", type: "tap", guestMac: "02:00:00:00:00:0b" },
  ],
};
const [macvtapName, tapName] = ["flvtap9c329ce52", "fltap3d4cf40d2c"];

function scripted(
  changes: Script = {},
  links: LinkBase[] = [],
): { addon: FakeAddon; namespace: NetworkNamespace } {
  const addon = fakeAddon(fakeHost(links, changes).script);
  return { addon, namespace: new NetworkNamespace(addon, "flintap") };
}

function tagged(name: string, deviceId: string, owner = "flintap"): LinkBase {
  const tag = { owner, createdAt: new Date(0), microvm: "ns1/mvm1", interface: deviceId };
  const index = name.length * 1_000 + Number(deviceId.at(-1));
  const link = fakeLink({ index, name, alias: formatTag(tag), identity: `flintap-${name}` });
  return Object.assign(link, { details: { type: "tap", persistent: true } });
}

const asked = (addon: FakeAddon, operation: string) =>
  addon.calls.filter((call) => call.operation === operation).map(({ request }) => request);

describe("provision", () => {
  test("asks for derived names, the places of the config, and the guest's MAC for a macvtap only", async () => {
    const { addon, namespace } = scripted();
    await provision(microvm, { config, namespace });
    expect(asked(addon, "createMacvtap")).toMatchObject([
      { parent: { name: "enp0" }, link: { name: macvtapName, mac: "02:00:00:00:00:0a" } },
    ]);
    expect(asked(addon, "createTap")).toMatchObject([
      { bridge: { name: "br0" }, link: { name: tapName, mac: expect.stringMatching(/^fe:/) } },
    ]);
  });

  test("looks for all devices in one go, by names that no other link can have", async () => {
    const { addon, namespace } = scripted();
    await provision(microvm, { config, namespace });
    const [{ names = [] } = {}] = asked(addon, "findLinks") as { names?: string[] }[];
    for (const operation of ["createMacvtap", "createTap"]) {
      const [{ link }] = asked(addon, operation) as [{ link: { altNames: string[] } }];
      const [key = "", mac] = link.altNames;
      expect(key).toMatch(/^flvm-[0-9a-f]{32}$/);
      expect(mac).toMatch(/^flmac-\d+-[0-9a-f]{12}$/);
      expect(names).toContain(key);
    }
    // What is listed is the ports of the bridge on which one was made, to tell how full that is.
    expect(asked(addon, "listLinks")).toMatchObject([{ master: { index: 3 } }]);
  });

  test("gives flintlock's status, with the guests' MACs in upper case", async () => {
    const { status } = await provision(microvm, { config, ...scripted() });
    expect(status).toEqual({
      eth1: { host_device_name: macvtapName, index: 1_000_001, mac_address: "02:00:00:00:00:0A" },
      eth2: { host_device_name: tapName, index: 1_000_002, mac_address: "02:00:00:00:00:0B" },
    });
  });

  test("makes up the MACs that the spec leaves out, the same every time, two for a tap", async () => {
    const interfaces = microvm.interfaces.map((entry) => ({ ...entry, guestMac: undefined }));
    const unnamed = { ...microvm, interfaces };
    const first = await provision(unnamed, { config, ...scripted() });
    const second = await provision(unnamed, { config, ...scripted() });
    expect(second.status).toEqual(first.status);
    const [macvtap, tap] = first.interfaces;
    expect(macvtap?.guestMac).toBe(macvtap?.link.mac);
    expect(tap?.guestMac).toBe(tap?.link.mac?.replace(/^fe/, "02"));
  });

  test("gives no tap its guest's MAC, also where that begins as a tap's does", async () => {
    const { addon, namespace } = scripted();
    const interfaces = [{ deviceId: "eth1", type: "tap" as const, guestMac: "fe:00:00:00:00:0b" }];
    const { status } = await provision({ ...microvm, interfaces }, { config, namespace });
    const [{ link }] = asked(addon, "createTap") as [{ link: { mac: string } }];
    expect(link.mac).not.toBe("fe:00:00:00:00:0b");
    expect(status.eth1).toMatchObject({ mac_address: "FE:00:00:00:00:0B" });
  });

  test("prefers a tap's own bridge to the config's, and does not need the config's then", async () => {
    const { addon, namespace } = scripted();
    const interfaces = [{ deviceId: "eth1", type: "tap" as const, bridgeName: "br7" }];
    await provision({ ...microvm, interfaces }, { config: {}, namespace });
    expect(asked(addon, "createTap")).toMatchObject([{ bridge: { name: "br7" } }]);
  });

  test("adds the metadata interface if asked: on no bridge, and with no name of its MAC", async () => {
    const { addon, namespace } = scripted();
    const whole = { ...microvm, interfaces: [] };
    const { interfaces } = await provision(whole, {
      config: {},
      namespace,
      metadataInterface: true,
    });
    expect(interfaces).toMatchObject([{ deviceId: "eth0", guestMac: "aa:ff:00:00:00:01" }]);
    const [request] = asked(addon, "createTap") as [{ link: { altNames: string[] } }];
    expect(request).not.toHaveProperty("bridge");
    expect(request.link.altNames).toHaveLength(1);
  });

  test("refuses a config without the keys it needs, and sends nothing", async () => {
    const { addon, namespace } = scripted();
    await expect(provision(microvm, { config: {}, namespace })).rejects.toMatchObject({
      code: "ERR_INVALID_DOCUMENT",
      issues: [{ path: "parent-iface" }, { path: "bridge-name" }],
    });
    expect(addon.calls).toEqual([]);
  });

  test("refuses a bridge or a parent that is not there before anything is made", async () => {
    const { addon, namespace } = scripted({
      getPlace: ({ role }) => {
        if (role === "bridge") throw failure({ reason: "no-such-bridge", operation: "getPlace" });
        return { links: [fakeLink({ name: "enp0" })] };
      },
    });
    await expect(provision(microvm, { config, namespace })).rejects.toMatchObject({
      reason: "no-such-bridge",
      operation: "plan",
    });
    expect(addon.operations().filter((name) => name.startsWith("create"))).toEqual([]);
  });

  test("undoes what was made when one fails, by identity, and keeps the error", async () => {
    const { addon, namespace } = scripted({
      createTap: () => {
        throw failure({ errno: 54, reason: "bridge-full", operation: "createTap" });
      },
    });
    await expect(provision(microvm, { config, namespace })).rejects.toMatchObject({
      reason: "bridge-full",
      code: "EXFULL",
    });
    expect(asked(addon, "deleteLink").map(({ link }) => link)).toEqual([
      { identity: `flintap-${macvtapName}`, name: macvtapName },
    ]);
  });

  test("keeps the first of several errors, in the spec's order", async () => {
    const { namespace } = scripted({
      createMacvtap: () => Promise.reject(failure({ reason: "parent-busy" })),
      createTap: () => {
        throw failure({ reason: "bridge-full" });
      },
    });
    await expect(provision(microvm, { config, namespace })).rejects.toMatchObject({
      reason: "parent-busy",
    });
  });

  test("names what it could not undo, beside what a create could not", async () => {
    const { namespace } = scripted({
      createTap: () => {
        throw failure({ reason: "bridge-full", leftBehind: ["link fltap0 (index 7)"] });
      },
      deleteLink: () => {
        throw failure({ errno: 1, reason: "no-permission" });
      },
    });
    await expect(provision(microvm, { config, namespace })).rejects.toMatchObject({
      leftBehind: ["link fltap0 (index 7)", `link ${macvtapName} (index 1000001)`],
    });
  });

  test("counts a device that is gone as undone", async () => {
    const { namespace } = scripted({
      createTap: () => {
        throw failure({ reason: "bridge-full" });
      },
      deleteLink: () => {
        throw failure();
      },
    });
    const error = await provision(microvm, { config, namespace }).catch((thrown) => thrown);
    expect(error.leftBehind).toBeUndefined();
  });
});

describe("the state that is wanted of some microVMs", () => {
  test("has all their devices, and says that each is complete", () => {
    const other = { ...microvm, id: "mvm2", uid: "u" };
    const { devices, prune } = desiredNetwork([microvm, other], { config });
    expect(devices.map(({ kind }) => kind)).toEqual(["macvtap", "tap", "macvtap", "tap"]);
    expect(new Set(devices.map(({ name }) => name)).size).toBe(4);
    expect(prune).toEqual([{ microvm: "ns1/mvm1" }, { microvm: "ns1/mvm2/u" }]);
  });
});

describe("release", () => {
  const devices = [tagged(macvtapName, "eth1"), tagged("fltap7777777777", "eth7")];

  test("deletes what the tags say, by identity, also of interfaces that the spec has no more", async () => {
    const { addon, namespace } = scripted({ listLinks: () => ({ links: devices }) });
    expect(await release(microvm, { namespace })).toEqual([
      { deviceId: "eth1", hostDeviceName: macvtapName, deleted: true },
      { deviceId: "eth2", hostDeviceName: tapName, deleted: false },
      { deviceId: "eth7", hostDeviceName: "fltap7777777777", deleted: true },
    ]);
    expect(asked(addon, "deleteLink").map(({ link }) => link)).toEqual(
      devices.map(({ name }) => ({ identity: `flintap-${name}`, name })),
    );
  });

  test("takes a device that has gone since it was looked at for a success", async () => {
    const { namespace } = scripted({
      listLinks: () => ({ links: devices }),
      deleteLink: () => {
        throw failure({ operation: "deleteLink" });
      },
    });
    expect(await release(microvm, { namespace })).toHaveLength(3);
  });

  test("never takes an error for a device that is gone, and deletes the others", async () => {
    const { addon, namespace } = scripted({
      listLinks: () => ({ links: devices }),
      deleteLink: ({ link }) => {
        if (link.name === macvtapName) throw failure({ errno: 1, reason: "no-permission" });
        return {};
      },
    });
    await expect(release(microvm, { namespace })).rejects.toMatchObject({
      code: "EPERM",
      leftBehind: [`link ${macvtapName} (index 15001)`],
    });
    expect(asked(addon, "deleteLink")).toHaveLength(2);
  });

  test("refuses where a device of that name is somebody else's, and says whose", async () => {
    const { addon, namespace } = scripted({
      findLinks: () => ({ links: [tagged(tapName, "eth2", "other")] }),
    });
    await expect(release(microvm, { namespace })).rejects.toMatchObject({
      reason: "not-ours",
      holder: expect.stringContaining("'other'"),
    });
    expect(addon.operations()).not.toContain("deleteLink");
  });
});
