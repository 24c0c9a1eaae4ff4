/**
 * The events of a watch, as an async iterator. The native thread listens all the time; what has
 * happened is fetched, a batch at a time, when it is asked for.
 */
import { setImmediate } from "node:timers/promises";
import type { NativeAddon, NativeLinkBatch, NativeLinkNews, NativeLinkWatch } from "./addon.js";
import { onAbort } from "./cancellation.js";
import { errorOf, FlintapError } from "./error.js";
import { type LinkEvent, type LinkFilter, LinkState } from "./link-state.js";
import { completeLink } from "./native-link.js";
import { Tracing } from "./tracing.js";

/** So many links are compared before the event loop goes on. */
const atATime = 64;

/** What a watch needs, checked. */
export interface WatchRequest {
  filter: LinkFilter;
  initial: boolean;
  receiveBuffer: number;
  /** The handle's. */
  owner: string;
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

/** A signal that lives on keeps no watch that nobody has any more. */
function closeOnAbort(watch: LinkWatch, signal: AbortSignal): () => void {
  const weak = new WeakRef(watch);
  const close = (): void => {
    weak
      .deref()
      ?.close()
      .catch(() => {});
  };
  if (signal.aborted) queueMicrotask(close);
  return onAbort(signal, close);
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
   * it cannot begin, or is closed before it has, and with the signal's reason once it has fired; so
   * does the iterator.
   */
  readonly ready: Promise<void>;
  readonly #native: NativeLinkWatch;
  readonly #state: LinkState;
  readonly #signal: AbortSignal | undefined;
  /** Ends waiting for the signal. */
  readonly #forget: () => void;
  /** What is to be told, the next first. */
  #events: LinkEvent[] = [];
  /** The links that were there when it began, as far as they are still to be told. */
  #initial: LinkEvent[] = [];
  /** Callers are served one after the other. */
  #turn: Promise<void>;
  #closed = false;
  /** What ended it. */
  #failure: unknown;
  #told = false;

  /** @internal */
  constructor(addon: NativeAddon, request: WatchRequest) {
    const { filter, initial, signal } = request;
    this.#native = start(addon, request);
    this.#state = new LinkState(filter);
    this.#signal = signal;
    this.ready = this.#traced(initial, new Tracing("watchLinks", request.owner));
    this.#turn = this.ready.catch(() => {}); // whoever iterates hears of it
    this.#forget = signal === undefined ? () => {} : closeOnAbort(this, signal);
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
    this.#forget();
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

  async #traced(initial: boolean, tracing: Tracing): Promise<void> {
    await tracing.around(async () => {
      try {
        await this.#begin(initial);
        tracing.done();
      } catch (error) {
        tracing.failed(error, this.#signal);
        throw error;
      }
    });
  }

  /** All links that are there are taken first: what they were is told when they change. */
  async #begin(initial: boolean): Promise<void> {
    const since: NativeLinkNews[] = [];
    await this.#fetchRound((news) => {
      this.#state.begin(news.filter((one) => one.initial));
      since.push(...news.filter((one) => !one.initial));
    });
    if (this.#closed) throw this.#failure ?? this.#reason();
    const added = this.#state.begun();
    if (initial) this.#initial = added;
    this.#state.take(since, true);
  }

  async #next(): Promise<IteratorResult<LinkEvent, undefined>> {
    for (;;) {
      if (this.#closed) return this.#end();
      const event = this.#events.shift();
      if (event !== undefined) return { done: false, value: event };
      if (this.#initial.length > 0) {
        await setImmediate();
        this.#events = this.#initial.splice(0, atATime);
      } else if (this.#state.hasMore) {
        await setImmediate();
        this.#events = this.#state.tell(atATime);
      } else await this.#fetchRound((news, isLast) => this.#state.take(news, isLast));
    }
  }

  /** Hands over all that is news by now, part by part, unless the watch ends meanwhile. */
  async #fetchRound(take: (news: NativeLinkNews[], isLast: boolean) => void): Promise<void> {
    for (let isLast = false; !isLast && !this.#closed; ) {
      const { news, more } = await this.#fetch();
      isLast = !more;
      take(news, isLast);
    }
  }

  /** Why it ended is told once. */
  #end(): IteratorResult<LinkEvent, undefined> {
    const failure = this.#signal?.aborted ? this.#signal.reason : this.#failure;
    if (failure !== undefined && !this.#told) {
      this.#told = true;
      throw failure;
    }
    return { done: true, value: undefined };
  }

  /** Why it was closed before it began. */
  #reason(): unknown {
    if (this.#signal?.aborted) return this.#signal.reason;
    const facts = { errno: 0, operation: "watchLinks", step: "list links" };
    return new FlintapError({ ...facts, reason: "closed" });
  }

  /**
   * Until it is asked for, what happens is merged on the native side. Each batch is converted in a
   * turn of its own, so that the event loop goes on between them.
   */
  async #fetch(): Promise<NativeLinkBatch> {
    try {
      await setImmediate();
      const batch = await this.#native.next();
      for (const { link } of batch.news) if (link !== undefined) completeLink(link);
      if (batch.news.length === 0) this.#closed = true;
      return batch;
    } catch (thrown) {
      this.#failure = errorOf(thrown);
      await this.close();
      return { news: [], more: false };
    }
  }
}
