/**
 * What the host's own IPv6 does on a guest's device when a router advertisement comes, from the
 * wire or from a guest. Each test has a device beside that is open to it, to show that the
 * advertisement was one and has been attended to.
 */
import { writeFileSync } from "node:fs";
import { describe, expect } from "vitest";
import {
  createBridge,
  createMacvtap,
  createTap,
  type HostIPv6,
  openMacvtap,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { macvtapHeader } from "../setup/frames.js";
import { addParent, addresses, ip, routes } from "../setup/iproute2.js";
import { advertise, advertisedPrefix, router } from "../setup/router-advertisement.js";
import { stage } from "../setup/stage.js";

const withNode = needs("veth", "macvtap", "proc-sys", "macvtap-queue");
const withTap = needs("tun", "bridge", "proc-sys", "veth");

stage(async () => {
  await addParent();
  // The host's IPv6 on the interface itself is not what is looked at here.
  for (const name of ["enp0", "wire0"])
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "1");
});

/** What an advertisement has given the host on a device. */
async function gains(device: string): Promise<{ addresses: string[]; gateways: unknown[] }> {
  const [found, all] = [await addresses(device), await routes(6)];
  return {
    addresses: found.map(({ local }) => local).filter((one) => one.startsWith(advertisedPrefix)),
    gateways: all
      .filter(({ dst, dev }) => dst === "default" && dev === device)
      .map(({ gateway }) => gateway),
  };
}

const nothing = { addresses: [], gateways: [] };
const addressAndRoute = {
  addresses: [expect.stringContaining(advertisedPrefix)],
  gateways: [router],
};

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not within 10 s: ${holds}`);
  }
}

/**
 * Waits until the kernel listens on devices that have just been made. Before that it drops every
 * advertisement, which would prove nothing.
 */
async function listening(...devices: string[]): Promise<void> {
  const listensOn = (table: string, device: string): boolean =>
    new RegExp(`^multicast ff00::/8 dev ${device} `, "m").test(table);
  await until(async () => {
    const table = await ip("-6 route show table local");
    return devices.every((device) => listensOn(table, device));
  });
}

/** Waits until the advertisement has been attended to on a device that is open to it. */
async function heard(device: string): Promise<void> {
  await until(async () => (await gains(device)).gateways.length > 0);
  expect(await gains(device)).toEqual(addressAndRoute);
}

describe("a router advertisement from the wire", () => {
  const outcomes: [HostIPv6, unknown][] = [
    ["closed", nothing],
    ["reduced", addressAndRoute],
  ];
  for (const [hostIPv6, expected] of outcomes) {
    const what = expected === nothing ? "nothing" : "an address and a route";
    withNode(`gives the host ${what} on a macvtap that is ${hostIPv6}`, async () => {
      const macvtap = await createMacvtap({ parent: "enp0", hostIPv6 });
      const open = await createMacvtap({ parent: "enp0", hostIPv6: "open" });
      const outside = await createMacvtap({ parent: "wire0" });
      await using queue = await openMacvtap(outside);
      await listening(open.name, ...(hostIPv6 === "closed" ? [] : [macvtap.name]));
      advertise(queue.fd, outside.mac ?? "", macvtapHeader);
      await heard(open.name);
      expect(await gains(macvtap.name)).toEqual(expected);
      if (hostIPv6 === "closed") expect(await addresses(macvtap.name)).toEqual([]);
    });
  }
});

describe("a router advertisement from a guest", () => {
  withTap("gives the host nothing on a closed tap, nor on the bridge that we made", async () => {
    const [deaf, open] = [
      await createBridge(),
      await createBridge({ acceptRouterAdvertisements: true }),
    ];
    await using closed = await createTap({ bridge: deaf, persist: false });
    await using other = await createTap({ bridge: open, persist: false });
    await listening(deaf.name, open.name);
    for (const { queues } of [closed, other]) advertise(queues[0]?.fd ?? -1, "02:00:00:00:00:01");
    await heard(open.name);
    for (const { name } of [deaf, closed, other]) expect(await gains(name)).toEqual(nothing);
    expect(await addresses(closed.name)).toEqual([]);
  });

  withTap("gives the host nothing on a closed tap without a bridge", async () => {
    await using closed = await createTap({ persist: false });
    await using open = await createTap({ persist: false, hostIPv6: "open" });
    await listening(open.name);
    for (const { queues } of [closed, open]) advertise(queues[0]?.fd ?? -1, "02:00:00:00:00:01");
    await heard(open.name);
    expect(await gains(closed.name)).toEqual(nothing);
    expect(await addresses(closed.name)).toEqual([]);
  });
});
