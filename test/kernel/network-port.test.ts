/** Flintlock's port for network devices, with iproute2 as the witness. */
import { beforeAll, describe, expect } from "vitest";
import { type NetworkPort, networkPort } from "../../src/flintlock/index.js";
import { NetworkNamespace } from "../../src/index.js";
import { hostOfFile, onHost } from "../setup/host.js";
import { ip, link, linkNames, rename } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";
import { stateOfLinks } from "../setup/state.js";

const host = hostOfFile();
let port: NetworkPort;
beforeAll(() => {
  port = networkPort({ parentIface: "enp0", bridgeName: "br0" }, host.namespace);
});

describe("create", () => {
  onHost("makes a macvtap with its guest's MAC", async () => {
    const made = await port.create({
      deviceName: "flvtap1",
      type: "macvtap",
      mac: "02:00:00:00:00:0a",
    });
    const seen = await link("flvtap1");
    expect(seen).toMatchObject({ link: "enp0", address: "02:00:00:00:00:0a" });
    expect(made).toEqual({
      deviceName: "flvtap1",
      type: "macvtap",
      mac: "02:00:00:00:00:0A",
      index: seen?.ifindex,
    });
  });

  onHost("attaches a tap unless told not to, and prefers its own bridge", async () => {
    const tap = { type: "tap", mac: "02:00:00:00:00:0b" } as const;
    const made = await port.create({ deviceName: "fltap1", ...tap });
    expect(made.mac).toBe("02:00:00:00:00:0B");
    expect(await link("fltap1")).toMatchObject({
      master: "br0",
      address: expect.stringMatching(/^fe:/),
    });
    await port.create({ deviceName: "fltap2", ...tap, bridgeName: "br1" });
    expect((await link("fltap2"))?.master).toBe("br1");
    await port.create({ deviceName: "fltap3", ...tap, attach: false });
    expect((await link("fltap3"))?.master).toBeUndefined();
  });

  onHost("gives the device that is there already, with the MAC that was made up", async () => {
    const first = await port.create({ deviceName: "fltap1", type: "tap" });
    const before = await stateOfLinks();
    expect(await port.create({ deviceName: "fltap1", type: "tap" })).toEqual(first);
    expect(await stateOfLinks()).toEqual(before);
  });

  onHost("refuses what the config has no place for, and makes nothing", async () => {
    const bare = networkPort({}, host.namespace);
    for (const type of ["macvtap", "tap"] as const)
      await expect(bare.create({ deviceName: "fl1", type })).rejects.toMatchObject({
        code: "ERR_INVALID_DOCUMENT",
      });
    expect(await linkNames()).not.toContain("fl1");
  });
});

describe("exists, details and delete", () => {
  onHost("know what create made, and what is gone", async () => {
    const made = await port.create({ deviceName: "fltap1", type: "tap" });
    expect(await port.exists("fltap1")).toBe(true);
    expect(await port.details("fltap1")).toEqual(made);
    await port.delete("fltap1");
    expect(await link("fltap1")).toBeUndefined();
    expect(await port.exists("fltap1")).toBe(false);
    expect(await refusal(port.details("fltap1"))).toMatchObject({ reason: "no-such-link" });
    await port.delete("fltap1");
  });

  onHost("know a device also by another name", async () => {
    const made = await port.create({ deviceName: "fltap1", type: "tap" });
    await rename("fltap1", "renamed");
    expect(await port.exists("fltap1")).toBe(true);
    expect(await port.details("fltap1")).toMatchObject({ index: made.index });
    await port.delete("fltap1");
    expect(await link("renamed")).toBeUndefined();
  });

  onHost("take no other link of the owner's for a device", async () => {
    await host.namespace.createBridge({ name: "flbr1" });
    for (const call of [port.exists, port.details, port.delete])
      expect(await refusal(call("flbr1"))).toMatchObject({ reason: "not-ours" });
  });

  onHost("refuse a link that somebody else has made", async () => {
    await ip("link add fltap1 type bridge");
    for (const call of [port.exists, port.details, port.delete])
      expect(await refusal(call("fltap1"))).toMatchObject({ reason: "not-ours" });
    expect(await link("fltap1")).toBeDefined();
  });

  onHost("take a signal", async () => {
    const reason = new Error("no more");
    const options = { signal: AbortSignal.abort(reason) };
    await expect(port.create({ deviceName: "fl1", type: "tap" }, options)).rejects.toBe(reason);
    for (const call of [port.exists, port.details, port.delete])
      await expect(call("fl1", options)).rejects.toBe(reason);
  });

  onHost("never take a failure for an answer", async () => {
    const closed = NetworkNamespace.current();
    await closed.close();
    const gone = networkPort({}, closed);
    for (const call of [gone.exists, gone.details, gone.delete])
      await expect(call("fltap1")).rejects.toMatchObject({ reason: "closed" });
  });
});
