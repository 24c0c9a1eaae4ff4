/**
 * Ethernet frames through the queues of taps and macvtaps, whose descriptors do not block. A frame
 * carries a text, so that a test knows its own among what the kernel sends.
 */
import { readSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";

/** The EtherType for experiments of one's own (IEEE 802). */
const experimental = 0x88b5;
const headerBytes = 14;
const shortestFrame = 60;

/** To every station. */
export const everybody = "ff:ff:ff:ff:ff:ff";

/** One frame of a test. */
export interface Frame {
  to: string;
  from: string;
  text: string;
}

/** Bytes of the virtio-net header before a frame: a macvtap's queue has one, a plain tap's none. */
export const macvtapHeader = 10;

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(":", ""), "hex");
}

function macText(bytes: Buffer): string {
  return bytes.toString("hex").replace(/..(?!$)/g, "$&:");
}

/** Writes a frame, as the guest would. The virtio-net header asks for no offload. */
export function send(fd: number, { to, from, text }: Frame, header = 0): void {
  const type = Buffer.alloc(2);
  type.writeUInt16BE(experimental);
  const frame = Buffer.concat([macBytes(to), macBytes(from), type, Buffer.from(text)]);
  const padding = Buffer.alloc(Math.max(0, shortestFrame - frame.length));
  writeSync(fd, Buffer.concat([Buffer.alloc(header), frame, padding]));
}

/** The next frame of a test; undefined where the queue holds none just now. */
function readFrame(fd: number, header: number): Frame | undefined {
  const buffer = Buffer.alloc(65_600);
  for (;;) {
    let length: number;
    try {
      length = readSync(fd, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined;
      throw error;
    }
    const frame = buffer.subarray(header, length);
    if (frame.readUInt16BE(12) !== experimental) continue;
    return {
      to: macText(frame.subarray(0, 6)),
      from: macText(frame.subarray(6, 12)),
      text: frame.subarray(headerBytes).toString().replace(/\0+$/, ""),
    };
  }
}

/** Reads frames up to the one with this text; gives the texts of all, that one included. */
export async function receiveUntil(fd: number, text: string, header = 0): Promise<string[]> {
  const deadline = Date.now() + 10_000;
  const texts: string[] = [];
  while (Date.now() < deadline) {
    const frame = readFrame(fd, header);
    if (frame === undefined) {
      await setImmediate();
      continue;
    }
    texts.push(frame.text);
    if (frame.text === text) return texts;
  }
  throw new Error(`No frame '${text}' within 10 s; there were: ${texts.join(", ") || "none"}`);
}
