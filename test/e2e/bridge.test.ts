/** Guests on taps of a bridge: what the host's own namespace gives them, and who reaches whom. */
import { beforeAll, describe, expect } from "vitest";
import { DhcpServer } from "./kit/dhcp-server.js";
import { Guest } from "./kit/guest.js";
import { type GuestDevice, ofQemu } from "./kit/on-devices.js";
import { host } from "./kit/place.js";
import { networks, sceneOfFile, withGuests } from "./kit/scene.js";
import { microvmOf } from "./kit/specs.js";
import { expectTakeover } from "./kit/virtual-ip.js";

const scene = sceneOfFile();
const gateway = `${networks.br0}.1`;
const isolatedAddress = (number: number): string => `${networks.br1}.${number + 10}`;

let dhcp: DhcpServer;
let first: Guest;
let second: Guest;

/** A second interface on a port that other isolated ports of its bridge do not reach. */
async function isolatedTap(number: number): Promise<GuestDevice> {
  const guestMac = `02:00:00:00:01:0${number}`;
  const { queues, ...link } = scene.keep(
    await scene.namespace.createTap({ ...ofQemu, bridge: "br1", isolated: true }),
  );
  const address = { address: `${isolatedAddress(number)}/24` };
  return { deviceId: "eth2", type: "tap", link, guestMac, address, queues };
}

async function boot(number: number): Promise<Guest> {
  const microvm = microvmOf(`bridged${number}`, [
    { device_id: "eth1", type: "TAP", guest_mac: `02:00:00:00:00:0${number}` },
  ]);
  const { interfaces } = await scene.provision(microvm);
  const devices = [...interfaces, await isolatedTap(number)];
  return scene.keep(await Guest.boot(microvm.id, devices));
}

beforeAll(async () => {
  dhcp = scene.keep(await DhcpServer.start(host, "br0", networks.br0));
  [first, second] = (await Promise.all([boot(1), boot(2)])) as [Guest, Guest];
});

describe("guests on taps of a bridge", () => {
  withGuests("have the addresses that the DHCP server on it has leased to them", async () => {
    for (const [at, guest] of [first, second].entries()) {
      const { mac, address, how, up } = await guest.interface("eth1");
      expect({ mac, how, up }).toEqual({ mac: `02:00:00:00:00:0${at + 1}`, how: "dhcp", up: true });
      expect(dhcp.leases).toContainEqual({ mac, address: address.replace("/24", "") });
    }
    expect(dhcp.leases).toHaveLength(2);
  });

  withGuests("reach each other and the bridge's address", async () => {
    expect(await first.reaches(await second.address("eth1"))).toBe(true);
    expect(await second.reaches(await first.address("eth1"))).toBe(true);
    expect(await first.reaches(gateway)).toBe(true);
    expect(await host.reaches(await second.address("eth1"))).toBe(true);
  });

  withGuests("hand a virtual IP over to each other by a gratuitous ARP", async () => {
    const vip = `${networks.br0}.200`;
    await expectTakeover({ vip, from: first, to: second, user: host, userAddress: gateway });
  });

  withGuests("reach the host by isolated ports, and not each other", async () => {
    for (const guest of [first, second]) {
      expect(await guest.interface("eth2")).toMatchObject({ how: "static", up: true });
      expect(await guest.reaches(`${networks.br1}.1`)).toBe(true);
    }
    expect(await first.reaches(isolatedAddress(2), 2)).toBe(false);
  });
});
