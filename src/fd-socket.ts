/**
 * Unix stream sockets that carry descriptors beside bytes (`SCM_RIGHTS`), for which Node.js has no
 * API. Each has a native thread, so neither the event loop nor libuv's pool waits for a peer.
 */
import type { NativeAddon, NativeFdSocket } from "./addon.js";
import { failureOf, untilAborted } from "./cancellation.js";
import { argumentError, arrayOf, type Check, type ChecksFor, integer, object } from "./check.js";
import { Descriptor, type DescriptorKind, descriptor, Loan } from "./descriptor.js";
import { errorOf } from "./error.js";
import { loadAddon } from "./load-addon.js";
import { closerOf } from "./operations.js";
import { operationChecks, optionsOf, signalOf } from "./shared-options.js";

/** For {@link FdSocket.connect} and {@link FdSocket.send}. */
export interface FdSocketOptions {
  /**
   * Gives the call up. What has not begun never does, and the promise rejects with the signal's
   * `reason`; a message that was sent in part rejects with a FlintapError of reason `"aborted"`.
   */
  signal?: AbortSignal;
}

/** For {@link FdSocket.receive}. */
export interface ReceiveOptions extends FdSocketOptions {
  /** At most so many bytes, 1 to 16,777,216. Default: 65,536. */
  maxBytes?: number;
  /**
   * At most so many descriptors, 0 to 253, which is what the kernel lets one message have
   * (`SCM_MAX_FD`). Where more come, the call rejects with reason `"too-many-descriptors"`. Default:
   * 253.
   */
  maxDescriptors?: number;
}

/** What came by a socket. */
export interface FdMessage {
  /** At least one byte. */
  data: Uint8Array;
  /**
   * What came with these bytes, in the order in which it was sent. Close them, each; they are
   * close-on-exec.
   */
  descriptors: Descriptor[];
}

/** Two ends that are connected with each other. */
export interface FdSocketPair {
  /** For this process. */
  socket: FdSocket;
  /** For another one, by {@link handOver}, or for {@link FdSocket.adopt}. */
  peer: Descriptor;
}

const mostDescriptors = 253;
const longestPath = 107;
const longestAbstractName = 108;

const sendOptions = object(operationChecks satisfies ChecksFor<FdSocketOptions>);

const receiveOptions = object({
  ...operationChecks,
  maxBytes: integer(1, 2 ** 24),
  maxDescriptors: integer(0, mostDescriptors),
} satisfies ChecksFor<ReceiveOptions>);

const descriptorNumber = integer(0, 2 ** 31 - 1);

/** As `sun_path` has it, without its final NUL. */
const socketAddress: Check<Uint8Array> = (value, place) => {
  const expected = `a path of 1 to ${longestPath} bytes, or NUL and the abstract name of a socket,`;
  if (typeof value !== "string")
    throw argumentError("ERR_INVALID_ARG_TYPE", expected, place, value);
  const bytes = new TextEncoder().encode(value);
  const isAbstract = bytes[0] === 0;
  const most = isAbstract ? longestAbstractName : longestPath;
  if (bytes.length === 0 || bytes.length > most || (!isAbstract && bytes.includes(0)))
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, value);
  return bytes;
};

const message: Check<Uint8Array> = (value, place) => {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return value;
  throw argumentError("ERR_INVALID_ARG_TYPE", "a string or a Uint8Array", place, value);
};

const descriptors = arrayOf(descriptor);

const endOfPair: DescriptorKind = {
  what: "One end of a socket pair",
  code: "FLINTAP_DESCRIPTOR_NOT_CLOSED",
};

const received: DescriptorKind = {
  what: "A descriptor that was received",
  code: "FLINTAP_DESCRIPTOR_NOT_CLOSED",
};

/** Sends and leaves open what was sent, to whoever has the loan. */
export let sendLent: (
  socket: FdSocket,
  data: Uint8Array,
  loan: Loan,
  signal?: AbortSignal,
) => Promise<void>;

/** The checks of what goes with a message, for whoever sends one. */
export function loanOf(given: unknown, call: string, option?: string): Loan {
  const place = { call, argument: option === undefined ? "descriptors" : "request", option };
  const list = descriptors(given, place);
  if (list.length > mostDescriptors) {
    const expected = `up to ${mostDescriptors} descriptors`;
    throw argumentError("ERR_OUT_OF_RANGE", expected, place, list.length);
  }
  return new Loan(list, place);
}

/**
 * A connected unix stream socket that sends and receives descriptors.
 *
 * Sends are done in the order of the calls, and so are receives; neither waits for the other. A
 * call that waits keeps the process alive, an idle socket does not. One that is collected is closed.
 * Each socket has a native thread until it is closed.
 *
 * Wrong arguments are a TypeError or RangeError, before anything is done. Any call may reject with
 * a {@link FlintapError} of reason `"closed"` and `"kernel"`.
 */
export class FdSocket implements AsyncDisposable {
  readonly #addon: NativeAddon;
  readonly #native: NativeFdSocket;
  /** How many calls there were: numbers them for the native side. */
  #called = 0;

  static {
    sendLent = (socket, data, loan, signal) =>
      socket.#run("FdSocket.send", signal, (number) => socket.#native.send(data, loan.fds, number));
  }

  private constructor(addon: NativeAddon, native: NativeFdSocket) {
    this.#addon = addon;
    this.#native = native;
  }

  /**
   * Connects to a listening socket, such as the API socket of a VMM: a path of up to 107 bytes, or
   * NUL and the name of an abstract one, which is of the process's own network namespace. One whose
   * backlog is full is waited for. Rejects with reason `"socket-unreachable"`.
   */
  static async connect(path: string, options: FdSocketOptions = {}): Promise<FdSocket> {
    const call = "FdSocket.connect";
    const address = socketAddress(path, { call, argument: "path" });
    sendOptions(options, optionsOf(call));
    const signal = signalOf(options);
    signal?.throwIfAborted();
    const addon = loadAddon();
    const socket = new FdSocket(addon, FdSocket.#make(addon, call));
    try {
      await socket.#run(call, signal, (number) => socket.#native.connect(address, number));
      return socket;
    } catch (error) {
      await socket.close();
      throw error;
    }
  }

  /**
   * Makes two ends that are connected with each other: one for this process, the other for a child
   * (`socketpair(2)`). Throws a FlintapError where that cannot be.
   */
  static pair(): FdSocketPair {
    const addon = loadAddon();
    const numbers = FdSocket.#attempt("FdSocket.pair", () => addon.socketPair());
    const [own, peer] = numbers.map((fd) => new Descriptor(fd, endOfPair, closerOf(addon)));
    try {
      return { socket: FdSocket.adopt(own as Descriptor), peer: peer as Descriptor };
    } catch (error) {
      own?.[Symbol.dispose]();
      peer?.[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Takes over a descriptor that this process inherited, by its number (3 for the fourth entry of
   * `stdio`), or one that flintap handed out. It is made close-on-exec, and closed with the socket;
   * the process must not use or close it otherwise. Throws a FlintapError of reason
   * `"not-adoptable"` where it is no connected unix stream socket or was taken over already; then it
   * is as it was.
   */
  static adopt(from: number | Descriptor): FdSocket {
    const call = "FdSocket.adopt";
    const place = { call, argument: "from" };
    const addon = loadAddon();
    if (typeof from === "number")
      return new FdSocket(addon, FdSocket.#make(addon, call, descriptorNumber(from, place), false));
    const loan = new Loan([descriptor(from, place)], place);
    try {
      const native = FdSocket.#make(addon, call, loan.fds[0], true);
      loan.giveAway();
      return new FdSocket(addon, native);
    } catch (error) {
      loan.giveBack();
      throw error;
    }
  }

  /**
   * Sends all bytes, with up to 253 descriptors beside the first of them; a string goes as UTF-8.
   * Once it has settled, the other end has them, also before it reads, and those here are closed as
   * by `close()`. Descriptors without bytes are refused, since the kernel sends none then.
   *
   * Where it rejects, they are open here and the caller's. With `leftBehind` in the error the first
   * bytes had gone, and so had all descriptors: the other end has, or had, copies of them, and the
   * socket sends nothing more (reason `"closed"`). Rejects with `"peer-closed"`,
   * `"too-many-descriptors"` and `"aborted"`.
   */
  async send(
    data: string | Uint8Array,
    descriptors: readonly Descriptor[] = [],
    options: FdSocketOptions = {},
  ): Promise<void> {
    const call = "FdSocket.send";
    const bytes = message(data, { call, argument: "data" });
    sendOptions(options, optionsOf(call));
    const loan = loanOf(descriptors, call);
    try {
      if (bytes.length > 0) await sendLent(this, bytes, loan, signalOf(options));
      else if (loan.fds.length > 0) {
        const expected = "at least one byte beside descriptors";
        throw argumentError("ERR_INVALID_ARG_VALUE", expected, { call, argument: "data" }, data);
      }
    } catch (error) {
      loan.giveBack();
      throw error;
    }
    await loan.close();
  }

  /**
   * The next bytes, as many as there are, with the descriptors that came with any of them: the
   * kernel never gives those of two messages at once, but may give bytes that were sent before.
   * Undefined once the other end is closed and everything was read.
   *
   * Rejects with `"peer-closed"` where the other end was closed before it had read all that was
   * sent to it, and with `"too-many-descriptors"`: then nothing that came is left open, and the bytes
   * are lost. What is given up or fails in another way has taken nothing from the socket.
   */
  async receive(options: ReceiveOptions = {}): Promise<FdMessage | undefined> {
    const call = "FdSocket.receive";
    const { maxBytes = 65_536, maxDescriptors = mostDescriptors } = receiveOptions(
      options,
      optionsOf(call),
    );
    const { data, fds } = await this.#run(call, signalOf(options), (number) =>
      this.#native.receive(maxBytes, maxDescriptors, number),
    );
    if (data.length === 0) return undefined;
    const closeFd = closerOf(this.#addon);
    return { data, descriptors: fds.map((fd) => new Descriptor(fd, received, closeFd)) };
  }

  /**
   * Closes the socket and ends its thread. Calls that wait reject with reason `"closed"`; what was
   * sent whole arrives.
   */
  async close(): Promise<void> {
    await this.#native.close();
  }

  /** The same as `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  static #attempt<Result>(call: string, attempt: () => Result): Result {
    try {
      return attempt();
    } catch (thrown) {
      throw errorOf(thrown, call);
    }
  }

  static #make(addon: NativeAddon, call: string, fd?: number, isOwned?: boolean): NativeFdSocket {
    return FdSocket.#attempt(call, () => new addon.FdSocket(fd, isOwned));
  }

  /** The native side settles what is given up, so that it is known what was sent. */
  async #run<Result>(
    call: string,
    signal: AbortSignal | undefined,
    begin: (number: number) => Promise<Result>,
  ): Promise<Result> {
    signal?.throwIfAborted();
    const number = ++this.#called;
    try {
      const settled = begin(number);
      if (signal === undefined) return await settled;
      return await untilAborted(signal, settled, () => {
        this.#native.cancel(number);
        return false;
      });
    } catch (thrown) {
      throw failureOf(thrown, call, signal);
    }
  }
}
