/**
 * The line in which operations wait for the native thread of a handle, in the order of the calls.
 *
 * What is called in one tick goes over in one hand-over, and what has settled comes back in one call:
 * each costs the event loop more than the operations in it. Both go in slices, with a turn of the
 * event loop in between, so that thousands of operations never hold it up for long.
 */
import type {
  NativeCalls,
  NativeHandle,
  NativeOutcome,
  NativeRequests,
  NativeSettled,
  OperationName,
} from "./addon.js";
import { onAbort } from "./cancellation.js";
import { errorOf } from "./error.js";
import type { LinkBase } from "./link.js";
import { completeLink } from "./native-link.js";

/** So many operations are handed over before the event loop goes on. */
const atATime = 128;

/** An operation, before it is handed over. */
export interface Call<Name extends OperationName = OperationName> {
  operation: Name;
  /**
   * Its request, or what makes it when its turn has come. What that throws, the operation rejects
   * with.
   */
  request: NativeRequests[Name] | (() => NativeRequests[Name]);
  /** What it waits for, and all that was called after it. Never rejects. */
  gate?: Promise<void> | undefined;
  signal?: AbortSignal | undefined;
}

interface Waiting {
  /** Absent: the end of the line. */
  call?: Call;
  number: number;
  resolve: (outcome: NativeOutcome) => void;
  reject: (reason: unknown) => void;
  isHandedOver: boolean;
  /** Of a long list, those that have come. */
  links?: LinkBase[];
  /** Ends waiting for the signal. */
  forget?: () => void;
}

/** The line of one handle. */
export class NativeLine {
  readonly #handle: NativeHandle;
  /** Those that are not handed over. */
  #queue: Waiting[] = [];
  /** All that have not settled. */
  readonly #waiting = new Map<number, Waiting>();
  #called = 0;
  /** It is decided when the queue goes on. */
  #isMoving = false;

  constructor(handle: NativeHandle) {
    this.#handle = handle;
    handle.onSettled = () => this.#take();
  }

  /** Runs an operation behind those called before. Rejects with what the native side threw. */
  run(call: Call): Promise<NativeOutcome> {
    return this.#join(call);
  }

  /** Runs an operation behind those that were handed over, past those that wait for a gate. */
  async runNow(call: Call): Promise<NativeOutcome> {
    return await new Promise((resolve, reject) => {
      const waiting = this.#enter(call, resolve, reject);
      this.#handOver([waiting]);
    });
  }

  /** Ends the native thread behind what was called before. */
  async close(): Promise<void> {
    await this.#join(undefined);
  }

  #join(call: Call | undefined): Promise<NativeOutcome> {
    return new Promise((resolve, reject) => {
      const waiting = this.#enter(call, resolve, reject);
      const signal = call?.signal;
      if (signal !== undefined) waiting.forget = onAbort(signal, () => this.#giveUp(waiting));
      this.#queue.push(waiting);
      if (this.#isMoving) return;
      this.#isMoving = true;
      // After all that is called in this tick, also by what promises go on with: a tick that is asked
      // for among them comes behind the last.
      queueMicrotask(() => process.nextTick(() => this.#move()));
    });
  }

  #enter(call: Call | undefined, resolve: Waiting["resolve"], reject: Waiting["reject"]): Waiting {
    this.#called += 1;
    const waiting: Waiting = { call, number: this.#called, resolve, reject, isHandedOver: false };
    this.#waiting.set(waiting.number, waiting);
    return waiting;
  }

  /** What has not begun never will. */
  #giveUp(waiting: Waiting): void {
    if (waiting.isHandedOver && !this.#handle.cancel(waiting.number)) return;
    this.#refuse(waiting, waiting.call?.signal?.reason);
  }

  #refuse(waiting: Waiting, reason: unknown): void {
    this.#leave(waiting);
    waiting.reject(reason);
  }

  #leave(waiting: Waiting): void {
    waiting.forget?.();
    this.#waiting.delete(waiting.number);
  }

  #move(): void {
    const turn: Waiting[] = [];
    let gate: Promise<void> | undefined;
    for (const waiting of this.#queue) {
      gate = waiting.call?.gate;
      if (gate !== undefined || turn.length === atATime) break;
      turn.push(waiting);
    }
    this.#queue.splice(0, turn.length);
    this.#handOver(turn);
    this.#isMoving = this.#queue.length > 0;
    if (!this.#isMoving) return;
    if (gate === undefined) setImmediate(() => this.#move());
    else this.#waitFor(gate);
  }

  /** Many may wait for one gate: they go on together. */
  #waitFor(gate: Promise<void>): void {
    void gate.then(() => {
      for (const { call } of this.#queue) if (call?.gate === gate) call.gate = undefined;
      this.#move();
    });
  }

  #handOver(turn: readonly Waiting[]): void {
    const calls: NativeCalls = [];
    let end: number | undefined;
    for (const waiting of turn) {
      const { call, number } = waiting;
      if (!this.#waiting.has(number)) continue;
      waiting.isHandedOver = true;
      if (call === undefined) end = number;
      else this.#write(calls, waiting, call);
    }
    if (calls.length > 0) this.#submit(calls, turn);
    if (end !== undefined) this.#handle.close(end);
  }

  /** What it throws, it throws before anything is queued. */
  #submit(calls: NativeCalls, turn: readonly Waiting[]): void {
    try {
      this.#handle.submit(JSON.stringify(calls));
    } catch (thrown) {
      for (const waiting of turn) if (waiting.call !== undefined) this.#refuse(waiting, thrown);
    }
  }

  #write(calls: NativeCalls, waiting: Waiting, { operation, request }: Call): void {
    try {
      const ready = typeof request === "function" ? request() : request;
      calls.push(waiting.number, operation, ready);
    } catch (thrown) {
      this.#refuse(waiting, thrown);
    }
  }

  #take(): void {
    const batch = this.#handle.take();
    if (batch === undefined) return;
    const settled: NativeSettled[] = JSON.parse(batch.settled);
    if (batch.more) setImmediate(() => this.#take());
    for (const one of settled) this.#settle(one);
  }

  #settle(settled: NativeSettled): void {
    const { number, links, late } = settled;
    if (late !== undefined) process.emitWarning(errorOf(late) as Error);
    const waiting = number === undefined ? undefined : this.#waiting.get(number);
    if (waiting === undefined) return;
    if (links !== undefined) for (const link of links) completeLink(link);
    if (settled.more) {
      waiting.links ??= [];
      waiting.links.push(...(links ?? []));
    } else {
      this.#leave(waiting);
      this.#finish(waiting, settled);
    }
  }

  #finish({ resolve, reject, links: earlier }: Waiting, settled: NativeSettled): void {
    const { failure, wrong, work, links = [], fds = [] } = settled;
    if (wrong !== undefined) reject(new TypeError(wrong));
    else if (failure !== undefined) reject({ ...failure, work });
    else resolve(Object.assign(settled, { links: earlier?.concat(links) ?? links, fds }));
  }
}
