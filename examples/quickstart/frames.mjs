// Ethernet frames through a macvtap's queue, as a VMM moves them between its guest and the host.
import { readSync, writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

/** @typedef {import("flintap").DeviceQueue} DeviceQueue */

// A macvtap's frames carry a virtio-net header; zeroes in it mean "nothing special".
const vnetHeader = Buffer.alloc(10);

/** The local experimental EtherType 1: a payload that nobody on the way looks into. */
export const experimental = 0x88b5;

/** ARP. */
export const arp = 0x0806;

/** To everybody on the wire. */
export const broadcast = "ff:ff:ff:ff:ff:ff";

/** @param {string} mac */
const bytes = (mac) => Buffer.from(mac.replaceAll(":", ""), "hex");

/**
 * A frame of at least 60 bytes, the least that Ethernet carries.
 *
 * @param {{ to: string, from: string, type: number, payload: Buffer }} parts
 */
export function frameOf({ to, from, type, payload }) {
  const ethertype = Buffer.from([type >> 8, type & 0xff]);
  const frame = Buffer.concat([bytes(to), bytes(from), ethertype, payload]);
  return Buffer.concat([frame, Buffer.alloc(Math.max(0, 60 - frame.length))]);
}

/**
 * "Who has 10.0.0.1?"
 *
 * @param {string} from
 */
export function arpRequest(from) {
  const hardware = Buffer.from("0001080006040001", "hex");
  const sender = Buffer.concat([bytes(from), Buffer.from([10, 0, 0, 2])]);
  const target = Buffer.from([0, 0, 0, 0, 0, 0, 10, 0, 0, 1]);
  const payload = Buffer.concat([hardware, sender, target]);
  return frameOf({ to: broadcast, from, type: arp, payload });
}

/**
 * Sends a frame, as the guest.
 *
 * @param {DeviceQueue} queue
 * @param {Buffer} frame
 */
export function send(queue, frame) {
  writeSync(queue.fd, Buffer.concat([vnetHeader, frame]));
}

/**
 * The next frame for the guest that is the one awaited; undefined if none comes within a second.
 * Node cannot wait for a character device, so this asks every millisecond; a VMM would poll.
 *
 * @param {DeviceQueue} queue
 * @param {Buffer} awaited
 */
export async function receive(queue, awaited) {
  const buffer = Buffer.alloc(2048);
  for (let tries = 0; tries < 1000; tries += 1) {
    try {
      const frame = buffer.subarray(vnetHeader.length, readSync(queue.fd, buffer));
      if (frame.equals(awaited)) return frame;
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "EAGAIN") throw error;
      await setTimeout(1);
    }
  }
  return undefined;
}
