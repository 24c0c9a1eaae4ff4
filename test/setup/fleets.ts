/** MicroVMs for the lives of daemons, and what iproute2 sees of their devices. */

import { expect } from "vitest";
import type { Microvm, MicrovmInterface } from "../../src/flintlock/index.js";
import { parseTag } from "../../src/index.js";
import { type Capability, needs } from "./capabilities.js";
import { liveUntilKilled, type Specs, type Way, ways } from "./daemon.js";
import { ipBatch } from "./iproute2.js";
import { type LinkStateNow, stateOfLinks } from "./state.js";

/** What a daemon on a host needs whose system calls are looked at. */
export const everything: Capability[] = ["strace", "tun", "macvtap", "veth", "bridge", "proc-sys"];

/** Registers a test that needs all of it. */
export const restarting = needs(...everything);

export const macvtap: MicrovmInterface = { deviceId: "eth1", type: "macvtap" };
export const tap: MicrovmInterface = { deviceId: "eth2", type: "tap" };

/** MicroVMs with these interfaces. Of every other one the spec says which MACs its guest has. */
export function fleet(interfaces: readonly MicrovmInterface[], count = 8): Microvm[] {
  const macOf = (at: number, of: number) => `02:00:00:00:0${of}:${(at + 16).toString(16)}`;
  return Array.from({ length: count }, (_, at) => ({
    id: `mvm${at}`,
    namespace: "ns1",
    interfaces: interfaces.map((entry, of) =>
      at % 2 === 0 ? entry : { ...entry, guestMac: macOf(at, of) },
    ),
  }));
}

/** What the devices are made for. */
export const fleets: Record<string, Specs> = {
  "a macvtap and a tap": { microvms: fleet([macvtap, tap]) },
  "taps for a VMM that opens them by name": {
    microvms: fleet([tap, { ...tap, deviceId: "eth3", bridgeName: "br1" }]),
    options: { for: "firecracker", metadataInterface: true },
  },
  "macvtaps for a VMM that takes descriptors, and has ended": {
    microvms: fleet([macvtap]),
    options: { for: "cloud-hypervisor" },
  },
};

/** One of the ways, another for each number: of all of them, each is tried with something. */
export function oneWay(number: number, among = Object.keys(ways) as Way[]): Way {
  return among[number % among.length] as Way;
}

/** The ways that take what no spec can say. */
export const waysByDevice: Way[] = ["planning and applying", "a keeper that repairs"];

/** The devices that were made, but for the bridges and parents. */
export async function made(): Promise<LinkStateNow[]> {
  return (await stateOfLinks()).filter(({ ifalias }) => ifalias !== undefined);
}

/** Tells which microVM and interface each device is for, by its tag. */
export const purposes = (devices: readonly LinkStateNow[]): string[] =>
  devices
    .map(({ ifalias }) => parseTag(ifalias as string))
    .map((tag) => `${tag?.microvm} ${tag?.interface}`)
    .sort();

/** All that specs ask for, each once. */
export const wantedBy = ({ microvms, options }: Specs): string[] =>
  microvms
    .flatMap(({ namespace, id, interfaces }) =>
      [
        ...(options?.metadataInterface ? ["eth0"] : []),
        ...interfaces.map((one) => one.deviceId),
      ].map((name) => `${namespace}/${id} ${name}`),
    )
    .sort();

/** Makes the devices an hour older by their tags, so that a tag that was written anew is seen. */
export async function growOld(): Promise<void> {
  const older = (alias: string) =>
    alias.replace(/;t=(\d+)/, (_, seconds) => `;t=${Number(seconds) - 3_600}`);
  const devices = await made();
  await ipBatch(
    devices.map(({ ifname, ifalias }) => `link set dev ${ifname} alias ${older(String(ifalias))}`),
  );
}

/** A first life, after which all that its specs ask for is there, and old. */
export async function firstLife(
  specs: Specs,
  way: Way = "provisioning each",
): Promise<LinkStateNow[]> {
  await liveUntilKilled(specs, ways[way]());
  expect(purposes(await made())).toEqual(wantedBy(specs));
  await growOld();
  return await stateOfLinks();
}
