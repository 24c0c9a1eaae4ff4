/** One guest with interfaces of both kinds, by a host's config that has a parent and a bridge. */
import { beforeAll, describe, expect } from "vitest";
import { DhcpServer } from "./kit/dhcp-server.js";
import { Guest } from "./kit/guest.js";
import { host } from "./kit/place.js";
import { networks, sceneOfFile, withGuests } from "./kit/scene.js";
import { microvmOf } from "./kit/specs.js";

const scene = sceneOfFile();
const gateway = `${networks.br1}.1`;

const microvm = microvmOf("mixed", [
  { device_id: "eth1", type: "MACVTAP" },
  { device_id: "eth2", type: "TAP" },
  {
    device_id: "eth3",
    type: "TAP",
    overrides: { bridge_name: "br1" },
    address: {
      address: `${networks.br1}.7/24`,
      gateway: `${gateway}/24`,
      nameservers: ["192.0.2.53"],
    },
  },
  { device_id: "eth4", type: "TAP" },
]);

let onWire: DhcpServer;
let onBridge: DhcpServer;
let guest: Guest;
let macs: (string | undefined)[];

beforeAll(async () => {
  onWire = scene.keep(await DhcpServer.start(scene.peer, "wire0", networks.enp0));
  onBridge = scene.keep(await DhcpServer.start(host, "br0", networks.br0));
  const { interfaces } = await scene.provision(microvm);
  macs = interfaces.map(({ guestMac }) => guestMac);
  const told = interfaces.filter(({ deviceId }) => deviceId !== "eth4");
  guest = scene.keep(await Guest.boot(microvm.id, interfaces, told));
});

describe("a guest with a macvtap and taps", () => {
  withGuests("has its interfaces by the names of its spec, each with its MAC", async () => {
    for (const [at, { deviceId }] of microvm.interfaces.slice(0, 3).entries())
      expect(await guest.interface(deviceId)).toMatchObject({ mac: macs[at], up: true });
  });

  withGuests("has a lease from the wire and one from the bridge", async () => {
    const [wired, bridged] = [await guest.interface("eth1"), await guest.interface("eth2")];
    expect([wired.how, bridged.how]).toEqual(["dhcp", "dhcp"]);
    expect(onWire.leases).toEqual([{ mac: wired.mac, address: await guest.address("eth1") }]);
    expect(onBridge.leases).toEqual([{ mac: bridged.mac, address: await guest.address("eth2") }]);
    expect(await guest.reaches(`${networks.enp0}.1`)).toBe(true);
    expect(await guest.reaches(`${networks.br0}.1`)).toBe(true);
  });

  withGuests("has the address, gateway and name server that its spec says", async () => {
    const { address, how } = await guest.interface("eth3");
    expect({ address, how }).toEqual({ address: `${networks.br1}.7/24`, how: "static" });
    expect(await guest.run("ip route")).toContain(`default via ${gateway} dev eth3`);
    expect(await guest.run("cat /etc/resolv.conf")).toContain("nameserver 192.0.2.53");
    expect(await host.reaches(`${networks.br1}.7`)).toBe(true);
  });

  withGuests("leaves an interface alone that its network config does not name", async () => {
    const name = await guest.run(`grep -l ${macs[3]} /sys/class/net/*/address | cut -d / -f 5`);
    expect(name).toMatch(/^nic\d$/);
    const { address, how, up } = await guest.interface(name);
    expect({ address, how, up }).toEqual({ address: "", how: "none", up: false });
  });
});
