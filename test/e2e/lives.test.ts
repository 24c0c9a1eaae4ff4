/**
 * What becomes of devices and guests when one of them ends before the other. Each test goes on with the
 * guest that the one before it has left, or boots it.
 */
import { beforeAll, describe, expect } from "vitest";
import { release } from "../../src/flintlock/index.js";
import type { EphemeralTap, LinkWatch } from "../../src/index.js";
import { ip, link, links } from "../setup/iproute2.js";
import { within } from "./kit/deadline.js";
import { DhcpServer } from "./kit/dhcp-server.js";
import { Guest } from "./kit/guest.js";
import { ofQemu, type ProvisionedForQemu } from "./kit/on-devices.js";
import { host } from "./kit/place.js";
import { networks, sceneOfFile, withGuests } from "./kit/scene.js";
import { microvmOf } from "./kit/specs.js";

const scene = sceneOfFile();
const microvm = microvmOf("lives", [
  { device_id: "eth1", type: "MACVTAP" },
  { device_id: "eth2", type: "MACVTAP" },
  { device_id: "eth3", type: "TAP" },
]);

let onWire: DhcpServer;
let onBridge: DhcpServer;
let provisioned: ProvisionedForQemu;
let tap: EphemeralTap;
let guest: Guest | undefined;

/** Boots the guest on its devices of the spec, made or adopted, and on a new tap of the VMM's own. */
async function boot(): Promise<Guest> {
  provisioned = await scene.provision(microvm);
  tap = await scene.namespace.createTap({ ...ofQemu, bridge: "br0" });
  const { queues, ...link } = tap;
  const ephemeral = { deviceId: "eth4", type: "tap" as const, link, queues };
  const guestMac = "02:00:00:00:04:04";
  return scene.keep(
    await Guest.boot(microvm.id, [...provisioned.interfaces, { ...ephemeral, guestMac }]),
  );
}

/** The guest, which runs. */
async function running(): Promise<Guest> {
  if (!guest?.isRunning) guest = await boot();
  return guest;
}

/** Waits until a watch has told that these links are gone. */
async function removed(watch: LinkWatch, names: readonly string[]): Promise<void> {
  const waiting = new Set(names);
  const all = async (): Promise<void> => {
    for await (const event of watch) {
      if (event.type === "removed") waiting.delete(event.link.name);
      if (waiting.size === 0) return;
    }
  };
  await within(20, "links to be removed", all(), () => `not yet: ${[...waiting].join(", ")}`);
}

const macvtaps = () => provisioned.interfaces.filter(({ type }) => type === "macvtap");
const macvtapNames = (): string[] => macvtaps().map((entry) => entry.link.name);

beforeAll(async () => {
  onWire = scene.keep(await DhcpServer.start(scene.peer, "wire0", networks.enp0));
  onBridge = scene.keep(await DhcpServer.start(host, "br0", networks.br0));
});

describe("a guest", () => {
  withGuests("that is killed takes its VMM's own tap with it, and no macvtap", async () => {
    const killed = await running();
    await using watch = scene.namespace.watchLinks({ kind: "tun" });
    await watch.ready;
    expect(await link(tap.name)).toMatchObject({ flags: expect.arrayContaining(["LOWER_UP"]) });
    await killed.kill();
    expect(await link(tap.name)).toBeUndefined();
    await removed(watch, [tap.name]);
    for (const name of macvtapNames()) expect(await link(name)).toBeDefined();
  });

  withGuests("that is started again has the same devices and the same leases", async () => {
    const before = await running();
    const indexes = macvtaps().map((entry) => entry.link.index);
    const leases = [onWire.leases, onBridge.leases];
    expect(leases.map(({ length }) => length)).toEqual([2, 2]);
    await before.powerOff();

    const again = await running();
    expect(macvtaps().map(({ action }) => action)).toEqual(["adopt", "adopt"]);
    expect(macvtaps().map((entry) => entry.link.index)).toEqual(indexes);
    expect([onWire.leases, onBridge.leases]).toEqual(leases);
    const own = ["eth1", "eth2", "eth3", "eth4"].map(async (deviceId) => ({
      mac: (await again.interface(deviceId)).mac,
      address: await again.address(deviceId),
    }));
    expect(await Promise.all(own)).toEqual(expect.arrayContaining(leases.flat()));
  });

  withGuests(
    "lives on without a parent, of which a watch tells, and is mended by a start",
    async () => {
      const cutOff = await running();
      await using watch = scene.namespace.watchLinks({ kind: "macvtap", owner: "flintap" });
      await watch.ready;
      const lost = macvtapNames();
      await ip("link del enp0");
      await removed(watch, lost);
      expect(await cutOff.reaches(`${networks.enp0}.1`, 1)).toBe(false);
      expect(await cutOff.reaches(`${networks.br0}.1`)).toBe(true);
      await cutOff.powerOff();

      await scene.addWire("enp0");
      const mended = await running();
      expect(macvtaps().map(({ action }) => action)).toEqual(["create", "create"]);
      const { mac, how } = await mended.interface("eth1");
      expect(how).toBe("dhcp");
      expect(onWire.addressOf(mac)).toBe(await mended.address("eth1"));
      expect(await mended.reaches(`${networks.enp0}.1`)).toBe(true);
    },
  );

  withGuests("runs on when its devices are released, until it is told to end", async () => {
    const stripped = await running();
    const released = await release(microvm, { namespace: scene.namespace });
    expect(released.map(({ deleted }) => deleted)).toEqual([true, true, true]);
    expect(await links("type macvtap")).toEqual([]);
    expect((await links("type tun")).map(({ ifname }) => ifname)).toEqual([tap.name]);
    expect(stripped.isRunning).toBe(true);
    expect(await stripped.run("echo here")).toBe("here");
    expect(await stripped.reaches(`${networks.enp0}.1`, 1)).toBe(false);
    await stripped.powerOff();
    expect(await links("type tun")).toEqual([]);
  });
});
