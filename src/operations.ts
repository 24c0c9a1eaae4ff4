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
import { failureOf } from "./cancellation.js";
import type { Origin, Prepared } from "./create-requests.js";
import { errorOf, FlintapError, isFailure } from "./error.js";
import { type Call, NativeLine } from "./native-line.js";
import { isTraced, Tracing } from "./tracing.js";

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

const askForHost: Call<"describeHost"> = { operation: "describeHost", request: {} };

/** The operations of one namespace handle. */
export class Operations {
  readonly #addon: NativeAddon;
  readonly #owner: string;
  readonly #line: NativeLine;
  /** While the first create asks for the host's facts, what is called after it waits as well. */
  #asking?: Promise<void> | undefined;
  #host?: HostFacts;
  #hostFailure: unknown;
  #closing?: Promise<void>;
  readonly #holders = new Set<Promise<void>>();

  constructor(addon: NativeAddon, owner: string) {
    this.#addon = addon;
    this.#owner = owner;
    this.#line = new NativeLine(openHandle(addon));
  }

  /** Runs an operation behind those called before. */
  run<Name extends OperationName>(
    operation: Name,
    request: NativeRequests[Name],
    signal?: AbortSignal,
  ): Promise<NativeOutcome> {
    return this.#call({ operation, request, signal });
  }

  /** Runs an operation whose request needs the host's facts; they are asked for once. */
  create<Name extends OperationName>(
    operation: Name,
    request: Prepared<Name>,
    signal?: AbortSignal,
  ): Promise<NativeOutcome> {
    const gate = this.#requireHost();
    return this.#call({ operation, request: () => request(this.#origin()), gate, signal });
  }

  /** What a create would know of its origin by now. */
  async origin(): Promise<Origin> {
    await this.#requireHost();
    try {
      return this.#origin();
    } catch (thrown) {
      throw errorOf(thrown);
    }
  }

  /** Runs an operation whose request needs `fact`. What is called after it waits as well. */
  runWith<Name extends OperationName, Fact>(
    fact: Fact | Promise<Fact>,
    operation: Name,
    request: (fact: Fact) => NativeRequests[Name],
    signal?: AbortSignal,
  ): Promise<NativeOutcome> {
    if (!(fact instanceof Promise)) return this.run(operation, request(fact), signal);
    let make = (): NativeRequests[Name] => {
      throw new Error("The gate opened before the fact was known.");
    };
    const gate = fact.then(
      (value) => {
        make = () => request(value);
      },
      (error: unknown) => {
        make = () => {
          throw error;
        };
      },
    );
    return this.#call({ operation, request: () => make(), gate, signal });
  }

  /**
   * The number of the handle's namespace, 0 where it cannot be told. It does not wait for what waits:
   * two handles can ask each other for it, and neither waits for what the other has to do first.
   * Rejects with what the native side threw, for `runWith`.
   */
  async namespace(): Promise<number> {
    const { namespace = 0 } = await this.#line.runNow(askForHost);
    return namespace;
  }

  /**
   * Closes a descriptor on a native thread; where this handle's has ended, on one that all closed
   * handles share.
   */
  async closeFd(fd: number, device: string): Promise<void> {
    const open = this.#closing === undefined ? this : closer(this.#addon, this.#owner);
    await open.#call({ operation: "closeQueue", request: { fd } }, device);
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

  #call<Name extends OperationName>(call: Call<Name>, device?: string): Promise<NativeOutcome> {
    if (!isTraced()) return this.#inLine(call);
    const tracing = new Tracing(call.operation, this.#owner, device);
    const { request } = call;
    const traced = (): NativeRequests[Name] => {
      const ready = typeof request === "function" ? request() : request;
      tracing.asked(ready);
      return ready;
    };
    return tracing.around(() => this.#inLine({ ...call, request: traced }, tracing));
  }

  async #inLine(call: Call, tracing?: Tracing): Promise<NativeOutcome> {
    const { operation, signal } = call;
    try {
      signal?.throwIfAborted();
      this.requireOpen(operation);
      const outcome = await this.#line.run(call);
      tracing?.done(outcome);
      return outcome;
    } catch (thrown) {
      const error = failureOf(thrown, operation, signal);
      tracing?.failed(error, signal, isFailure(thrown) ? thrown.work : undefined);
      throw error;
    }
  }

  #requireHost(): Promise<void> | undefined {
    if (this.#host !== undefined || this.#closing !== undefined) return undefined;
    this.#asking ??= this.#askHost();
    return this.#asking;
  }

  /** Never rejects: operations that do not need the facts wait for it, too. */
  async #askHost(): Promise<void> {
    try {
      const { bootId, machineId } = await this.#line.run(askForHost);
      this.#host = { bootId, machineId };
    } catch (thrown) {
      this.#hostFailure = thrown;
    } finally {
      this.#asking = undefined;
    }
  }

  #origin(): Origin {
    if (this.#host === undefined) throw this.#hostFailure;
    const { bootId, machineId } = this.#host;
    return { owner: this.#owner, bootId, machineId, now: new Date() };
  }

  async #finish(): Promise<void> {
    await Promise.all(this.#holders);
    await this.#line.close();
  }
}
