/**
 * The events of a watch, as an async iterator. The native thread listens all the time; what has
 * happened is fetched, a batch at a time, when it is asked for.
 */
import type { NativeAddon, NativeLinkNews, NativeLinkWatch } from "./addon.js";
import { errorOf } from "./error.js";
import { type LinkEvent, type LinkFilter, LinkState } from "./link-state.js";

/** What a watch needs, checked. */
export interface WatchRequest {
  filter: LinkFilter;
  initial: boolean;
  receiveBuffer: number;
  /** The number of the namespace; absent: the process's own. */
  namespace?: number;
  signal?: AbortSignal;
}

function start(addon: NativeAddon, { namespace, receiveBuffer }: WatchRequest): NativeLinkWatch {
  try {
    return new addon.LinkWatch({ namespace, receiveBuffer });
  } catch (thrown) {
    throw errorOf(thrown);
  }
}

/**
 * A watch on links: iterate over its events with `for await`. Leaving the loop ends it, and so do
 * `close` and `await using`.
 *
 * It listens from the call of `watchLinks` on. What is not read yet is kept merged, one entry a
 * link, so a consumer that sleeps costs no more than the links that there are. Where the kernel had
 * to drop events, all links are listed anew, and the difference is told.
 *
 * Waiting for an event keeps the process alive; a watch that nobody waits on does not.
 */
export class LinkWatch implements AsyncIterableIterator<LinkEvent>, AsyncDisposable {
  /**
   * Watching has begun: whatever is made from now on is told of. Rejects with a FlintapError where
   * it cannot begin; so does the iterator.
   */
  readonly ready: Promise<void>;
  readonly #native: NativeLinkWatch;
  readonly #state: LinkState;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => {
    this.close().catch(() => {});
  };
  /** What is to be told, the next first. */
  #events: LinkEvent[] = [];
  /** Asked for at once, since it tells when watching has begun. */
  #first: Promise<NativeLinkNews[]> | undefined;
  /** Callers are served one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #closed = false;
  #told = false;

  /** @internal */
  constructor(addon: NativeAddon, request: WatchRequest) {
    this.#native = start(addon, request);
    this.#state = new LinkState(request.filter, request.initial);
    this.#signal = request.signal;
    this.#first = this.#native.next();
    this.ready = this.#begun(this.#first);
    this.ready.catch(() => {}); // whoever iterates hears of it
    if (this.#signal?.aborted) this.#onAbort();
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** The next event. Rejects with the signal's reason once it has fired; then there is no more. */
  async next(): Promise<IteratorResult<LinkEvent, undefined>> {
    const before = this.#turn;
    let leave = (): void => {};
    this.#turn = new Promise((resolve) => {
      leave = resolve;
    });
    await before;
    try {
      return await this.#next();
    } finally {
      leave();
    }
  }

  /** Ends the watch, as `break` in a loop does. */
  async return(): Promise<IteratorResult<LinkEvent, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  /** Ends the thread. What has not been read is dropped, and whoever waits is told of the end. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    await this.#native.close();
  }

  /** The same as `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Itself: there is one sequence of events, whoever reads it. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  async #begun(batch: Promise<unknown>): Promise<void> {
    try {
      await batch;
    } catch (thrown) {
      throw errorOf(thrown);
    }
  }

  async #next(): Promise<IteratorResult<LinkEvent, undefined>> {
    for (;;) {
      if (this.#closed) return this.#end();
      const event = this.#events.shift();
      if (event !== undefined) return { done: false, value: event };
      await this.#fetch();
    }
  }

  #end(): IteratorResult<LinkEvent, undefined> {
    if (this.#signal?.aborted && !this.#told) {
      this.#told = true;
      throw this.#signal.reason;
    }
    return { done: true, value: undefined };
  }

  /** Until it is asked for, what happens is merged on the native side. */
  async #fetch(): Promise<void> {
    const batch = this.#first ?? this.#native.next();
    this.#first = undefined;
    try {
      const news = await batch;
      if (news.length === 0) this.#closed = true;
      this.#events = news.flatMap((one) => this.#state.take(one));
    } catch (thrown) {
      await this.close();
      throw errorOf(thrown);
    }
  }
}
