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

function withPayload(
  { to, from }: Pick<Frame, "to" | "from">,
  etherType: number,
  payload: Buffer,
  header: number,
): Buffer {
  const type = Buffer.alloc(2);
  type.writeUInt16BE(etherType);
  const frame = Buffer.concat([macBytes(to), macBytes(from), type, payload]);
  const padding = Buffer.alloc(Math.max(0, shortestFrame - frame.length));
  return Buffer.concat([Buffer.alloc(header), frame, padding]);
}

/** A frame of a test, in hexadecimal digits: for who writes it elsewhere. */
export function hexFrame(frame: Frame, header = 0): string {
  return withPayload(frame, experimental, Buffer.from(frame.text), header).toString("hex");
}

/**
 * Writes a frame with this EtherType and payload, as the guest would. The virtio-net header asks
 * for no offload.
 */
export function sendPayload(
  fd: number,
  { to, from }: Pick<Frame, "to" | "from">,
  etherType: number,
  payload: Buffer,
  header = 0,
): void {
  writeSync(fd, withPayload({ to, from }, etherType, payload, header));
}

/** Writes a frame of a test. */
export function send(fd: number, frame: Frame, header = 0): void {
  sendPayload(fd, frame, experimental, Buffer.from(frame.text), header);
}

/** The next frame with this EtherType; undefined where the queue holds none just now. */
function readFrame(fd: number, etherType: number, header: number): Buffer | undefined {
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
    if (frame.readUInt16BE(headerBytes - 2) === etherType) return frame;
  }
}

/** Waits for something that is tried on every turn of the event loop; not for ever. */
async function eventually<Result>(
  attempt: () => Result | undefined,
  missing: () => string,
): Promise<Result> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const result = attempt();
    if (result !== undefined) return result;
    await setImmediate();
  }
  throw new Error(`Within 10 s there was ${missing()}`);
}

/** Reads frames up to the one with this text; gives the texts of all, that one included. */
export async function receiveUntil(fd: number, text: string, header = 0): Promise<string[]> {
  const texts: string[] = [];
  while (texts.at(-1) !== text) {
    const next = () => readFrame(fd, experimental, header);
    const missing = (): string => `no frame '${text}', only: ${texts.join(", ") || "none"}`;
    const frame = await eventually(next, missing);
    texts.push(frame.subarray(headerBytes).toString().replace(/\0+$/, ""));
  }
  return texts;
}

/** Reads from several queues until `total` frames have come; gives how many came by each. */
export async function countFrames(
  fds: readonly number[],
  total: number,
  etherType: number,
  header = 0,
): Promise<number[]> {
  const counts = fds.map(() => 0);
  const missing = (): string => `too little: ${counts.join(" and ")} of ${total} frames`;
  for (let received = 0; received < total; received++) {
    const place = await eventually(() => {
      const found = fds.findIndex((fd) => readFrame(fd, etherType, header) !== undefined);
      return found === -1 ? undefined : found;
    }, missing);
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}
