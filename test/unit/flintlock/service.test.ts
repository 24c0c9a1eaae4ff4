import { describe, expect, test } from "vitest";
import type { Microvm } from "../../../src/flintlock/microvm.js";
import { provision, release } from "../../../src/flintlock/service.js";
import type { LinkBase } from "../../../src/link.js";
import { NetworkNamespace } from "../../../src/network-namespace.js";
import { formatTag } from "../../../src/tag.js";
import { type FakeAddon, failure, fakeAddon, fakeLink, type Script } from "../fake-addon.js";

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

function scripted(script: Script = {}): { addon: FakeAddon; namespace: NetworkNamespace } {
  const addon = fakeAddon(script);
  return { addon, namespace: new NetworkNamespace(addon, "flintap") };
}

function tagged(name: string, deviceId: string, owner = "flintap"): LinkBase {
  const tag = { owner, createdAt: new Date(0), microvm: "ns1/mvm1", interface: deviceId };
  return fakeLink({ name, alias: formatTag(tag), identity: `flintap-${name}` });
}

describe("provision", () => {
  test("asks for derived names, the places of the config, and the guest's MAC for a macvtap only", async () => {
    const { addon, namespace } = scripted();
    await provision(microvm, { config, namespace });
    const [, macvtap, tap] = addon.calls;
    expect(macvtap?.operation).toBe("createMacvtap");
    expect(macvtap?.request).toMatchObject({
      parent: { name: "enp0" },
      link: { name: macvtapName, mac: "02:00:00:00:00:0a" },
    });
    expect(tap?.operation).toBe("createTap");
    expect(tap?.request).toMatchObject({ bridge: { name: "br0" }, link: { name: tapName } });
    expect(tap?.request).toMatchObject({ link: { mac: expect.stringMatching(/^fe:/) } });
  });

  test("gives flintlock's status, with the guests' MACs in upper case", async () => {
    const { status } = await provision(microvm, { config, ...scripted() });
    expect(status).toEqual({
      eth1: { host_device_name: macvtapName, index: 1_000_001, mac_address: "02:00:00:00:00:0A" },
      eth2: { host_device_name: tapName, index: 1_000_001, mac_address: "02:00:00:00:00:0B" },
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
    expect(addon.calls.at(-1)?.request).toMatchObject({ link: { mac: "fa:00:00:00:00:0b" } });
    expect(status.eth1).toMatchObject({ mac_address: "FE:00:00:00:00:0B" });
  });

  test("prefers a tap's own bridge to the config's, and does not need the config's then", async () => {
    const { addon, namespace } = scripted();
    const interfaces = [{ deviceId: "eth1", type: "tap" as const, bridgeName: "br7" }];
    await provision({ ...microvm, interfaces }, { config: {}, namespace });
    expect(addon.calls.at(-1)?.request).toMatchObject({ bridge: { name: "br7" } });
  });

  test("refuses a config without the keys it needs, and sends nothing", async () => {
    const { addon, namespace } = scripted();
    await expect(provision(microvm, { config: {}, namespace })).rejects.toMatchObject({
      code: "ERR_INVALID_DOCUMENT",
      issues: [{ path: "parent-iface" }, { path: "bridge-name" }],
    });
    expect(addon.calls).toEqual([]);
  });

  test("undoes what was made when one fails, by identity, and keeps the error", async () => {
    const { addon, namespace } = scripted({
      createTap: () => {
        throw failure({ reason: "no-such-bridge", operation: "createTap" });
      },
    });
    await expect(provision(microvm, { config, namespace })).rejects.toMatchObject({
      reason: "no-such-bridge",
    });
    const deletes = addon.calls.filter(({ operation }) => operation === "deleteLink");
    expect(deletes.map(({ request }) => request.link)).toEqual([
      { identity: `flintap-${macvtapName}`, name: macvtapName },
    ]);
  });

  test("keeps the first of several errors, in the spec's order", async () => {
    const { namespace } = scripted({
      createMacvtap: () => Promise.reject(failure({ reason: "no-such-parent" })),
      createTap: () => {
        throw failure({ reason: "no-such-bridge" });
      },
    });
    await expect(provision(microvm, { config, namespace })).rejects.toMatchObject({
      reason: "no-such-parent",
    });
  });

  test("names what it could not undo, beside what a create could not", async () => {
    const { namespace } = scripted({
      createTap: () => {
        throw failure({ errno: 19, reason: "no-such-bridge", leftBehind: ["fltap0"] });
      },
      deleteLink: () => {
        throw failure({ errno: 1, reason: "no-permission" });
      },
    });
    await expect(provision(microvm, { config, namespace })).rejects.toMatchObject({
      reason: "no-such-bridge",
      leftBehind: ["fltap0", macvtapName],
      message: expect.stringContaining(`left behind: fltap0, ${macvtapName}`),
    });
  });

  test("counts a device that is gone as undone", async () => {
    const { namespace } = scripted({
      createTap: () => {
        throw failure({ reason: "no-such-bridge" });
      },
      deleteLink: () => {
        throw failure({ reason: "no-such-link" });
      },
    });
    const error = await provision(microvm, { config, namespace }).catch((thrown) => thrown);
    expect(error.reason).toBe("no-such-bridge");
    expect(error.leftBehind).toBeUndefined();
  });

  test.each([
    ["this microVM's, it is provisioned already", "flintap", "eth1", "already-provisioned"],
    ["another owner's, the name is taken", "other", "eth1", "name-taken"],
    ["another interface's, the name is taken", "flintap", "eth9", "name-taken"],
  ])("when a device of the name is %s", async (_, owner, deviceId, reason) => {
    const { namespace } = scripted({
      createMacvtap: () => {
        throw failure({ errno: 17, reason: "name-taken", operation: "createMacvtap" });
      },
      getLink: () => ({ links: [tagged(macvtapName, deviceId, owner)] }),
    });
    await expect(provision(microvm, { config, namespace })).rejects.toMatchObject({
      code: "EEXIST",
      reason,
    });
  });
});

describe("release", () => {
  test("deletes the devices by their derived names, and then by identity", async () => {
    const { addon, namespace } = scripted({
      getLink: ({ link }) => ({
        links: [tagged(`${link.name}`, link.name === macvtapName ? "eth1" : "eth2")],
      }),
    });
    expect(await release(microvm, { namespace })).toEqual([
      { deviceId: "eth1", hostDeviceName: macvtapName, deleted: true },
      { deviceId: "eth2", hostDeviceName: tapName, deleted: true },
    ]);
    const deletes = addon.calls.filter(({ operation }) => operation === "deleteLink");
    expect(deletes.map(({ request }) => request.link)).toEqual([
      { identity: `flintap-${macvtapName}`, name: macvtapName },
      { identity: `flintap-${tapName}`, name: tapName },
    ]);
  });

  test("takes a device that is gone, before or after it was looked at, for a success", async () => {
    const { namespace } = scripted({
      getLink: ({ link }) => {
        if (link.name === macvtapName) throw failure();
        return { links: [tagged(tapName, "eth2")] };
      },
      deleteLink: () => {
        throw failure({ operation: "deleteLink" });
      },
    });
    const released = await release(microvm, { namespace });
    expect(released.map(({ deleted }) => deleted)).toEqual([false, false]);
  });

  test("never takes an error for a device that is gone, and deletes the others", async () => {
    const { addon, namespace } = scripted({
      getLink: ({ link }) => {
        if (link.name === macvtapName) throw failure({ errno: 1, reason: "no-permission" });
        return { links: [tagged(tapName, "eth2")] };
      },
    });
    await expect(release(microvm, { namespace })).rejects.toMatchObject({
      code: "EPERM",
      leftBehind: [macvtapName],
    });
    expect(addon.operations()).toContain("deleteLink");
  });

  test("leaves a device of that name alone that is somebody else's", async () => {
    const { addon, namespace } = scripted({ getLink: () => ({ links: [fakeLink()] }) });
    await expect(release(microvm, { namespace })).rejects.toMatchObject({ reason: "not-ours" });
    expect(addon.operations()).not.toContain("deleteLink");
  });
});
