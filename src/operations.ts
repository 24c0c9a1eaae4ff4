/**
 * Runs operations on a native handle in the order in which they were called, and turns failures
 * into errors. Knows no operation but the two it needs itself: asking for the host's facts, and
 * closing a descriptor.
 *
 * The functions here are async and await what they call, so that V8 can follow a failure's stack
 * back to the caller.
 */
import type {
  NativeAddon,
  NativeHandle,
  NativeOutcome,
  NativeRequests,
  OperationName,
} from "./addon.js";
import { failureOf, untilAborted } from "./cancellation.js";
import type { Origin, Prepared } from "./create-requests.js";
import { errorOf, FlintapError, isFailure } from "./error.js";
import { Tracing } from "./tracing.js";

/** What the tags and addresses of new devices need to know of the host. */
type HostFacts = Pick<Origin, "bootId" | "machineId">;

const ended = new WeakSet<NativeAddon>();

/**
 * A process that exits in the middle of an operation waits for it, since nobody else would undo it.
 * Not in a worker that is terminated, where the addon does the same by itself.
 */
function endAtExit(addon: NativeAddon): void {
  if (ended.has(addon)) return;
  ended.add(addon);
  process.once("exit", () => addon.endAll());
}

function openHandle(addon: NativeAddon): NativeHandle {
  endAtExit(addon);
  try {
    return new addon.Handle();
  } catch (thrown) {
    throw errorOf(thrown);
  }
}

const closers = new WeakMap<NativeAddon, Operations>();

/** Closes the queues of handles that are closed. Idle, it does not keep the process alive. */
function closer(addon: NativeAddon, owner: string): Operations {
  const known = closers.get(addon) ?? new Operations(addon, owner);
  closers.set(addon, known);
  return known;
}

/** What closes descriptors that are of no handle. */
export function closerOf(addon: NativeAddon): (fd: number) => Promise<void> {
  return (fd) => closer(addon, "flintap").closeFd(fd, `descriptor ${fd}`);
}

/** The operations of one namespace handle. */
export class Operations {
  readonly #addon: NativeAddon;
  readonly #owner: string;
  readonly #handle: NativeHandle;
  /**
   * What every operation waits for before it is handed over. While the first create waits for the
   * host's facts, what was called after it must not overtake it; otherwise it is settled, and
   * waiting for it all the same keeps the operations in line.
   */
  #gate: Promise<void> = Promise.resolve();
  #asking = false;
  #host?: HostFacts;
  #hostFailure: unknown;
  #closing?: Promise<void>;
  readonly #holders = new Set<Promise<void>>();
  /** How many operations could be given up so far: numbers them for the native side. */
  #called = 0;

  constructor(addon: NativeAddon, owner: string) {
    this.#addon = addon;
    this.#owner = owner;
    this.#handle = openHandle(addon);
  }

  /** Runs an operation behind those called before. */
  async run<Name extends OperationName>(
    operation: Name,
    request: NativeRequests[Name],
    signal?: AbortSignal,
  ): Promise<NativeOutcome> {
    return await this.#traced(operation, () => request, { signal });
  }

  /** Runs an operation whose request needs the host's facts; they are asked for once. */
  async create<Name extends OperationName>(
    operation: Name,
    request: Prepared<Name>,
    signal?: AbortSignal,
  ): Promise<NativeOutcome> {
    this.#requireHost();
    return await this.#traced(operation, () => request(this.#origin()), { signal });
  }

  /** What a create would know of its origin by now. */
  async origin(): Promise<Origin> {
    this.#requireHost();
    await this.#gate;
    try {
      return this.#origin();
    } catch (thrown) {
      throw errorOf(thrown);
    }
  }

  /** Runs an operation whose request needs `fact`. What is called after it waits as well. */
  async runWith<Name extends OperationName, Fact>(
    fact: Fact | Promise<Fact>,
    operation: Name,
    request: (fact: Fact) => NativeRequests[Name],
    signal?: AbortSignal,
  ): Promise<NativeOutcome> {
    if (!(fact instanceof Promise)) return await this.run(operation, request(fact), signal);
    let make = (): NativeRequests[Name] => {
      throw new Error("The gate opened before the fact was known.");
    };
    const known = fact.then(
      (value) => {
        make = () => request(value);
      },
      (error: unknown) => {
        make = () => {
          throw error;
        };
      },
    );
    const gate = this.#gate;
    this.#gate = gate.then(() => known);
    return await this.#traced(operation, () => make(), { signal });
  }

  /**
   * The number of the handle's namespace, 0 where it cannot be told. It does not wait for the gate: two
   * handles can ask each other for it, and neither waits for what the other has to do first. Rejects
   * with what the native side threw, for `runWith`.
   */
  async namespace(): Promise<number> {
    const { namespace = 0 } = await this.#handle.run("describeHost", {});
    return namespace;
  }

  /**
   * Closes a descriptor on a native thread; where this handle's has ended, on one that all closed
   * handles share.
   */
  async closeFd(fd: number, device: string): Promise<void> {
    const open = this.#closing === undefined ? this : closer(this.#addon, this.#owner);
    await open.#traced("closeQueue", () => ({ fd }), { device });
  }

  /** Throws where `close` was called. */
  requireOpen(operation: string): void {
    if (this.#closing === undefined) return;
    throw new FlintapError({ errno: 0, reason: "closed", operation, step: "call" });
  }

  /** Keeps the native thread for an operation of another handle that needs it; gives what ends that. */
  hold(): () => void {
    let end = (): void => {};
    const holder = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#holders.add(holder);
    return () => {
      this.#holders.delete(holder);
      end();
    };
  }

  /** Ends the native thread behind what was called before. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #traced<Name extends OperationName>(
    operation: Name,
    request: () => NativeRequests[Name],
    { signal, device }: { signal?: AbortSignal; device?: string },
  ): Promise<NativeOutcome> {
    const tracing = new Tracing(operation, this.#owner, device);
    return await tracing.around(async () => {
      try {
        const outcome = await this.#inLine(operation, request, signal, tracing);
        tracing.done(outcome);
        return outcome;
      } catch (thrown) {
        const error = failureOf(thrown, operation, signal);
        const work = isFailure(thrown) ? thrown.work : undefined;
        tracing.failed(error, signal, work);
        throw error;
      }
    });
  }

  async #inLine<Name extends OperationName>(
    operation: Name,
    request: () => NativeRequests[Name],
    signal: AbortSignal | undefined,
    tracing: Tracing,
  ): Promise<NativeOutcome> {
    signal?.throwIfAborted();
    this.requireOpen(operation);
    if (signal === undefined) return await this.#handOver(operation, request, tracing);
    const number = ++this.#called;
    let isHandedOver = false;
    const settled = this.#handOver(operation, request, tracing, () => {
      signal.throwIfAborted();
      isHandedOver = true;
      return number;
    });
    return await untilAborted(signal, settled, () => !isHandedOver || this.#handle.cancel(number));
  }

  /** One way for all, so that none overtakes another. `numbered` gives what it is cancelled by. */
  async #handOver<Name extends OperationName>(
    operation: Name,
    request: () => NativeRequests[Name],
    tracing: Tracing,
    numbered?: () => number,
  ): Promise<NativeOutcome> {
    await this.#gate;
    const number = numbered?.();
    const ready = request();
    tracing.asked(ready);
    return await this.#handle.run(operation, ready, number);
  }

  #requireHost(): void {
    if (this.#host !== undefined || this.#asking || this.#closing !== undefined) return;
    this.#asking = true;
    const before = this.#gate;
    this.#gate = before.then(() => this.#askHost());
  }

  /** Never rejects: it is the gate of operations that do not need the facts, too. */
  async #askHost(): Promise<void> {
    try {
      const { bootId, machineId } = await this.#handle.run("describeHost", {});
      this.#host = { bootId, machineId };
    } catch (thrown) {
      this.#hostFailure = thrown;
    } finally {
      this.#asking = false;
    }
  }

  #origin(): Origin {
    if (this.#host === undefined) throw this.#hostFailure;
    return { ...this.#host, owner: this.#owner, now: new Date() };
  }

  async #finish(): Promise<void> {
    await Promise.all([this.#gate, ...this.#holders]);
    await this.#handle.close();
  }
}
