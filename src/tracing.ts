/**
 * The tracing channels of `node:diagnostics_channel` around every operation: `flintap:operation`,
 * which stands for `tracing:flintap:operation:start` and its likes.
 *
 * `start` and `end` enclose the call, `asyncStart` and `asyncEnd` its settling; `error` comes before
 * `asyncStart` if it rejects. All get the same object, which is filled in by `asyncStart`.
 */
import { tracingChannel } from "node:diagnostics_channel";
import type {
  NativeOutcome,
  NativeReference,
  NativeRequests,
  NativeWork,
  OperationName,
} from "./addon.js";
import { FlintapError } from "./error.js";

/** What subscribers of the `flintap:operation` channels get. */
export interface OperationTrace {
  /**
   * The operation: a call's name (`deleteLinks` is one `"deleteLink"` a link, `"watchLinks"` the
   * beginning of a watch), or `"closeQueue"`.
   */
  operation: string;
  /** The owner of the handle. */
  owner: string;
  /** The device, as far as the caller named it; at the end its name. */
  device?: string;
  /** How it ended: `"aborted"` is one whose signal fired in time. */
  outcome?: "done" | "failed" | "aborted";
  /**
   * Milliseconds in the queue of the operation thread. Absent for what did not get there, as are the
   * two below; a watch has a thread of its own.
   */
  waited?: number;
  /** Milliseconds on the operation thread, all of it the kernel's and the library's work. */
  ran?: number;
  /** Sends to the kernel by netlink; each is one system call that may carry many requests. */
  sends?: number;
  /** What it rejects with. */
  error?: unknown;
}

const channels = tracingChannel<unknown, OperationTrace>("flintap:operation");

function deviceOf(request: NativeRequests[OperationName]): string | undefined {
  if (!("link" in request)) return undefined;
  const { name, identity, index }: NativeReference = request.link;
  return name ?? identity ?? (index === undefined ? undefined : `index ${index}`);
}

/** Whether anybody listens. */
export function isTraced(): boolean {
  return channels.hasSubscribers;
}

/** One operation, on its way through the channels. */
export class Tracing {
  readonly #trace: OperationTrace;

  constructor(operation: string, owner: string, device?: string) {
    this.#trace = { operation, owner, device };
  }

  /** Runs it, between the events if anybody listens. */
  async around<Result>(run: () => Promise<Result>): Promise<Result> {
    if (!isTraced()) return await run();
    // Not by what the channels hand on as the result: that is the native side's.
    const results: Result[] = [];
    const keep = async (): Promise<void> => {
      results.push(await run());
    };
    await channels.tracePromise(keep, this.#trace);
    return results[0] as Result;
  }

  asked(request: NativeRequests[OperationName]): void {
    this.#trace.device ??= deviceOf(request);
  }

  done({ links = [], work }: Partial<Pick<NativeOutcome, "links" | "work">> = {}): void {
    // Of many, none is the one that it is about.
    if (this.#trace.operation !== "listLinks")
      this.#trace.device = links[0]?.name ?? this.#trace.device;
    Object.assign(this.#trace, { outcome: "done", ...work });
  }

  failed(error: unknown, signal?: AbortSignal, work?: NativeWork): void {
    const aborted = signal?.aborted === true && error === signal.reason;
    const device = error instanceof FlintapError ? error.device : undefined;
    this.#trace.device = device ?? this.#trace.device;
    Object.assign(this.#trace, { outcome: aborted ? "aborted" : "failed", ...work });
  }
}
