/** Guests on macvtaps of one parent: what the wire gives them, and what of their talk it sees. */
import { beforeAll, describe, expect } from "vitest";
import type { ProvisionedInterface } from "../../src/flintlock/index.js";
import { DhcpServer } from "./kit/dhcp-server.js";
import { Guest } from "./kit/guest.js";
import { withQueue } from "./kit/on-devices.js";
import { networks, sceneOfFile, withGuests } from "./kit/scene.js";
import { microvmOf } from "./kit/specs.js";
import { expectTakeover } from "./kit/virtual-ip.js";
import { isArpFor, isDhcp, isUnicast, Witness } from "./kit/witness.js";

const scene = sceneOfFile();
const peerAddress = `${networks.enp0}.1`;
const mac = (number: number): string => `02:00:00:00:02:0${number}`;

let dhcp: DhcpServer;
let privateDhcp: DhcpServer;
let witness: Witness;
let first: Guest;
let second: Guest;

/** A second interface, on another wire, which keeps it from the other guests there. */
async function privateMacvtap(number: number): Promise<ProvisionedInterface> {
  const guestMac = `02:00:00:00:03:0${number}`;
  const { namespace } = scene;
  const link = await namespace.createMacvtap({ parent: "enp1", mode: "private", mac: guestMac });
  scene.keep({ [Symbol.asyncDispose]: () => namespace.deleteLink(link) });
  return await withQueue({ deviceId: "eth2", type: "macvtap", link, guestMac }, namespace);
}

async function boot(number: number): Promise<Guest> {
  const microvm = microvmOf(`wired${number}`, [
    { device_id: "eth1", type: "MACVTAP", guest_mac: mac(number) },
  ]);
  const { interfaces } = await scene.provision(microvm);
  const devices = [...interfaces, await privateMacvtap(number)];
  return scene.keep(await Guest.boot(microvm.id, devices));
}

beforeAll(async () => {
  witness = scene.keep(await Witness.start(scene.peer, "wire0"));
  dhcp = scene.keep(await DhcpServer.start(scene.peer, "wire0", networks.enp0));
  privateDhcp = scene.keep(await DhcpServer.start(scene.peer, "wire1", networks.enp1));
  [first, second] = (await Promise.all([boot(1), boot(2)])) as [Guest, Guest];
});

describe("guests on macvtaps of one parent", () => {
  withGuests("have the addresses that a DHCP server on the wire has leased to them", async () => {
    for (const [at, guest] of [first, second].entries()) {
      const own = await guest.interface("eth1");
      expect(own).toMatchObject({ mac: mac(at + 1), how: "dhcp", up: true });
      expect(dhcp.leases).toContainEqual({ mac: own.mac, address: await guest.address("eth1") });
      await witness.sees(`DHCP of ${own.mac}`, (frame) => frame.from === own.mac && isDhcp(frame));
    }
    expect(dhcp.leases).toHaveLength(2);
  });

  withGuests("reach each other, of which the wire sees no unicast frame", async () => {
    expect(await first.reaches(await second.address("eth1"))).toBe(true);
    expect(await second.reaches(await first.address("eth1"))).toBe(true);
    // What they send to the wire itself it does see, also unicast.
    expect(await first.reaches(peerAddress)).toBe(true);
    await witness.sees(
      "a guest's ping",
      (frame) => frame.from === mac(1) && isUnicast(frame) && frame.payload[9] === 1,
    );
    // And what comes last tells that it has seen all that came before.
    const absent = `${networks.enp0}.222`;
    for (const guest of [first, second]) {
      await guest.try(`arping -c 1 -w 1 -I eth1 ${absent}`);
      const { mac: from } = await guest.interface("eth1");
      const isLast = isArpFor(absent);
      await witness.sees("the last frame", (frame) => frame.from === from && isLast(frame));
    }
    const macs = [mac(1), mac(2)];
    const between = witness.frames.filter(
      ({ to, from }) => macs.includes(to) && macs.includes(from),
    );
    expect(between).toEqual([]);
  });

  withGuests("hand a virtual IP over to each other by a gratuitous ARP", async () => {
    const vip = `${networks.enp0}.200`;
    const user = scene.peer;
    await expectTakeover({ vip, from: first, to: second, user, userAddress: peerAddress });
  });

  withGuests("in private mode reach the wire, and not each other", async () => {
    for (const guest of [first, second]) {
      const { mac, how } = await guest.interface("eth2");
      expect(how).toBe("dhcp");
      expect(privateDhcp.addressOf(mac)).toBe(await guest.address("eth2"));
      expect(await guest.reaches(`${networks.enp1}.1`)).toBe(true);
    }
    expect(await first.reaches(await second.address("eth2"), 2)).toBe(false);
  });

  withGuests("get no lease with another MAC than their macvtap's", async () => {
    const own = await second.interface("eth2");
    const other = "02:00:00:00:03:99";
    const become = (address: string): Promise<string> =>
      second.run(`ip link set eth2 down && ip link set eth2 address ${address} up`);
    await become(other);
    expect((await second.try("dhcp eth2 3")).code).not.toBe(0);
    expect(await second.interface("eth2")).toMatchObject({ mac: other, address: "", how: "none" });
    // It was asked, and it has answered.
    expect(privateDhcp.log).toContain(`DHCPDISCOVER(wire1) ${other}`);
    expect(privateDhcp.log).toMatch(new RegExp(`DHCPOFFER\\(wire1\\) \\S+ ${other}`));

    await become(own.mac);
    await second.run("dhcp eth2");
    expect(await second.interface("eth2")).toEqual(own);
  });
});
