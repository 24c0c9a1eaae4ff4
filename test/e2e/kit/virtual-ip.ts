/** A virtual IP that goes over from one guest to another, as kube-vip and keepalived let it. */
import { expect } from "vitest";
import type { Guest } from "./guest.js";
import type { Place } from "./place.js";

/** Who takes part; both guests have the interface `eth1`. */
export interface Takeover {
  vip: string;
  from: Guest;
  to: Guest;
  /** Who uses the address, and has one of its own that the guests reach. */
  user: Place;
  userAddress: string;
}

/** Takes an address for a guest, and tells all who may have known it of another. */
async function claim(guest: Guest, vip: string): Promise<void> {
  await guest.run(`ip address add ${vip}/32 dev eth1`);
  await guest.run(`arping -U -c 1 -I eth1 ${vip}`);
}

/** Moves the address; its user, who knows it of the first guest, then reaches the second. */
export async function expectTakeover({
  vip,
  from,
  to,
  user,
  userAddress,
}: Takeover): Promise<void> {
  const macs = [(await from.interface("eth1")).mac, (await to.interface("eth1")).mac];
  await claim(from, vip);
  expect(await user.reaches(vip)).toBe(true);
  expect(await user.neighbour(vip)).toBe(macs[0]);

  await from.run(`ip address del ${vip}/32 dev eth1`);
  await claim(to, vip);
  // What comes back tells that the user has had all that the guest sent before.
  expect(await to.reaches(userAddress)).toBe(true);
  expect(await user.neighbour(vip)).toBe(macs[1]);
  expect(await user.reaches(vip)).toBe(true);
  await to.run(`ip address del ${vip}/32 dev eth1`);
}
