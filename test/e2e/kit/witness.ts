/** An independent witness of the frames at an interface: tcpdump, read while it listens. */
import type { ChildProcess } from "node:child_process";
import { within } from "./deadline.js";
import { type Place, stop } from "./place.js";

/** A frame that was seen. */
export interface SeenFrame {
  to: string;
  from: string;
  etherType: number;
  payload: Buffer;
}

/** `to` is one station's, not a group's. */
export function isUnicast({ to }: SeenFrame): boolean {
  return (Number.parseInt(to.slice(0, 2), 16) & 1) === 0;
}

/** Whether it is one of DHCP over IPv4, by its ports. */
export function isDhcp({ etherType, payload }: SeenFrame): boolean {
  if (etherType !== 0x0800 || payload.length < 24 || payload[9] !== 17) return false;
  const header = ((payload[0] ?? 0) & 15) * 4;
  return [67, 68].includes(payload.readUInt16BE(header)) && payload.length > header + 4;
}

/** Whether it is ARP that asks for, or tells of, an address. */
export function isArpFor(address: string): (frame: SeenFrame) => boolean {
  const wanted = Buffer.from(address.split(".").map(Number));
  return ({ etherType, payload }) =>
    etherType === 0x0806 && payload.subarray(24, 28).equals(wanted);
}

function mac(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** Takes frames from the pcap format as it comes in, in the byte order of x86 and arm64. */
class Capture {
  #rest = Buffer.alloc(0);
  #inFrames = false;

  /** The frames that are complete with these bytes. */
  take(bytes: Buffer): SeenFrame[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    if (!this.#inFrames && this.#cut(24) !== undefined) this.#inFrames = true;
    const frames: SeenFrame[] = [];
    while (this.#inFrames && this.#rest.length >= 16) {
      const length = this.#rest.readUInt32LE(8);
      const record = this.#cut(16 + length);
      if (record === undefined) break;
      frames.push({
        to: mac(record.subarray(16, 22)),
        from: mac(record.subarray(22, 28)),
        etherType: record.readUInt16BE(28),
        payload: record.subarray(30),
      });
    }
    return frames;
  }

  #cut(length: number): Buffer | undefined {
    if (this.#rest.length < length) return undefined;
    const piece = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return piece;
  }
}

/** A witness, from its start until it is disposed of. */
export class Witness implements AsyncDisposable {
  /** What it has seen, in order. */
  readonly frames: SeenFrame[] = [];
  readonly #child: ChildProcess;
  readonly #onFrames = new Set<() => void>();
  #log = "";

  private constructor(place: Place, device: string) {
    // Each frame is written when it comes.
    const flags = ["-i", device, "--immediate-mode", "-U", "-w", "-", "-Z", "root"];
    this.#child = place.start(["tcpdump", ...flags], ["ignore", "pipe", "pipe"]);
    const capture = new Capture();
    this.#child.stdout?.on("data", (bytes: Buffer) => {
      this.frames.push(...capture.take(bytes));
      for (const look of this.#onFrames) look();
    });
    this.#child.stderr?.setEncoding("utf8");
  }

  /** Starts one; it sees what comes from now on. */
  static async start(place: Place, device: string): Promise<Witness> {
    const witness = new Witness(place, device);
    const listening = new Promise<void>((resolve) => {
      witness.#child.stderr?.on("data", (text: string) => {
        witness.#log += text;
        if (/listening on/.test(witness.#log)) resolve();
      });
    });
    await within(20, "tcpdump to listen", listening, () => witness.#log);
    return witness;
  }

  /** Waits for a frame, or finds it among those that it has seen. */
  async sees(what: string, isIt: (frame: SeenFrame) => boolean): Promise<SeenFrame> {
    let look = (): void => {};
    const seen = new Promise<SeenFrame>((resolve) => {
      look = () => {
        const frame = this.frames.find(isIt);
        if (frame !== undefined) resolve(frame);
      };
      this.#onFrames.add(look);
      look();
    });
    try {
      return await within(20, what, seen, () => `${this.frames.length} frames\n${this.#log}`);
    } finally {
      this.#onFrames.delete(look);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#child);
  }
}
