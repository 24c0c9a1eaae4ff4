/**
 * File descriptors as objects that close them exactly once.
 *
 * The last close of a tap waits for the kernel to take the device down, so a descriptor is closed on
 * a native thread, never here.
 */
import { argumentError, type Place } from "./check.js";
import type { WarningCode } from "./codes.js";

/** Closes a descriptor on a native thread. */
export type CloseFd = (fd: number) => Promise<void>;

/** What a warning says of a descriptor that nobody closed. */
export interface DescriptorKind {
  /** Such as "A queue of fltap0". */
  what: string;
  code: WarningCode;
}

interface Unclosed {
  fd: number;
  kind: DescriptorKind;
  closeFd: CloseFd;
}

function warnOf(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}

const collected = new FinalizationRegistry(({ fd, kind, closeFd }: Unclosed) => {
  process.emitWarning(`${kind.what} was collected without being closed; closing it now.`, {
    type: "FlintapWarning",
    code: kind.code,
    detail: "Call close() once it is not needed here any more, or declare it with 'await using'.",
  });
  closeFd(fd).catch(warnOf);
});

/** A descriptor on its way to another owner: until it is decided, closing it waits. */
export interface Lent {
  fd: number;
  /** It stays here. */
  giveBack(): void;
  /** Somebody else closes this very number from now on. */
  giveAway(): void;
  /** The other owner has a copy: the one here is closed. */
  close(): Promise<void>;
}

/** Nothing where it is closed or lent already. */
let lend: (descriptor: Descriptor) => Lent | undefined;

/**
 * An open file descriptor of this process, close-on-exec: one that came by an {@link FdSocket}, one
 * end of a pair, or a {@link DeviceQueue}.
 *
 * Collected without being closed, it is closed with a process warning
 * (`FLINTAP_DESCRIPTOR_NOT_CLOSED`). A worker thread that ends closes its own.
 */
export class Descriptor implements Disposable, AsyncDisposable {
  #fd: number;
  readonly #closeFd: CloseFd;
  #closing?: Promise<void>;
  #lent?: Promise<void>;

  static {
    lend = (descriptor) => descriptor.#lend();
  }

  /** @internal */
  constructor(fd: number, kind: DescriptorKind, closeFd: CloseFd) {
    this.#fd = fd;
    this.#closeFd = closeFd;
    collected.register(this, { fd, kind, closeFd }, this);
  }

  /** The file descriptor; -1 once `close` was called, or somebody else has taken it over. */
  get fd(): number {
    return this.#fd;
  }

  /**
   * Closes the descriptor; again and again is the same as once. While it is being sent or handed
   * over, that is waited for. When the last queue of a tap that is not persistent was closed, in all
   * processes, the kernel has removed the tap.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** One that fails leaves the descriptor as it was, to be closed again. */
  async #close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = -1;
    if (this.#lent !== undefined) await this.#lent;
    try {
      await this.#closeFd(fd);
      collected.unregister(this);
    } catch (error) {
      this.#fd = fd;
      this.#closing = undefined;
      throw error;
    }
  }

  #lend(): Lent | undefined {
    if (this.#closing !== undefined || this.#lent !== undefined) return undefined;
    const fd = this.#fd;
    let end = (): void => {};
    this.#lent = new Promise((resolve) => {
      end = resolve;
    });
    const giveBack = (): void => {
      this.#lent = undefined;
      end();
    };
    return {
      fd,
      giveBack,
      giveAway: () => {
        this.#fd = -1;
        this.#closing = Promise.resolve();
        collected.unregister(this);
        giveBack();
      },
      close: () => {
        giveBack();
        return this.close();
      },
    };
  }

  /** Starts closing; a failure of it is a process warning. */
  [Symbol.dispose](): void {
    this.close().catch(warnOf);
  }

  /** Closes and waits for it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Descriptors on their way to another owner, all or none. */
export class Loan {
  readonly #lent: readonly Lent[];

  /** Throws a TypeError where one is closed, on its way already, or named twice. */
  constructor(given: readonly Descriptor[], place: Place) {
    const lent: Lent[] = [];
    for (const [at, descriptor] of given.entries()) {
      const one = lend(descriptor);
      if (one !== undefined) lent.push(one);
      else {
        for (const { giveBack } of lent) giveBack();
        const expected = "a descriptor that is open, and not on its way already,";
        const option = place.option === undefined ? String(at) : `${place.option}.${at}`;
        const where = { ...place, option };
        throw argumentError("ERR_INVALID_ARG_VALUE", expected, where, descriptor);
      }
    }
    this.#lent = lent;
  }

  get fds(): number[] {
    return this.#lent.map(({ fd }) => fd);
  }

  giveBack(): void {
    for (const { giveBack } of this.#lent) giveBack();
  }

  giveAway(): void {
    for (const { giveAway } of this.#lent) giveAway();
  }

  /** A failure to close is a process warning: what it was for has succeeded. */
  async close(): Promise<void> {
    await Promise.all(this.#lent.map((one) => one.close().catch(warnOf)));
  }
}

/** A descriptor, still open or not. */
export const descriptor = (value: unknown, place: Place): Descriptor => {
  if (value instanceof Descriptor) return value;
  throw argumentError("ERR_INVALID_ARG_TYPE", "a DeviceQueue or another Descriptor", place, value);
};
