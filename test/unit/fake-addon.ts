/**
 * A scripted native addon: records what it is asked, answers what the test says. It stands where
 * the kernel would, so that the facade's own work can be seen alone.
 */
import type {
  NativeAddon,
  NativeBatch,
  NativeFailure,
  NativeFdSocket,
  NativeHandle,
  NativeLinkBatch,
  NativeLinkWatch,
  NativeOutcome,
  NativeRequests,
  NativeSettings,
  OperationName,
} from "../../src/addon.js";
import type { LinkBase } from "../../src/link.js";

/** One request, as the native side got it. */
export interface Call {
  operation: OperationName;
  request: Record<string, unknown>;
}

type Answer = Partial<NativeOutcome> | Promise<Partial<NativeOutcome>>;

/** What to answer an operation; throwing is a rejection. */
export type Script = {
  [Name in OperationName]?: (request: NativeRequests[Name]) => Answer;
};

export const bootId = "9d0f7a3c-1b2e-4c5d-8e6f-0a1b2c3d4e5f";
export const machineId = "0123456789abcdef0123456789abcdef";

/** A link as the native side gives it. */
export function fakeLink(fields: Partial<LinkBase> = {}): LinkBase {
  return {
    kind: "tun",
    index: 1_000_001,
    name: "fltap0123456789",
    altNames: [],
    mtu: 1500,
    up: true,
    flags: 0x1043,
    ...fields,
  };
}

/** A link that devices hang on. */
export function fakePlace(name: string): LinkBase {
  return fakeLink({ name, kind: name.startsWith("br") ? "bridge" : "veth", index: name.length });
}

/** The link that a create made, as the kernel would read it back. */
export function madeLink({ kind, name, alias, mac, altNames = [] }: NativeSettings): LinkBase {
  return fakeLink({ kind, name, alias, mac, altNames, identity: `flintap-${name}` });
}

const answers: Script = {
  describeHost: () => ({ bootId, machineId }),
  createMacvtap: ({ link }) => ({ links: [madeLink(link)] }),
  createTap: ({ link }) => ({ links: [madeLink(link)] }),
  createBridge: ({ link }) => ({ links: [madeLink(link)] }),
  createVeth: ({ link, peer }) => ({ links: [madeLink(link), madeLink(peer)] }),
  getLink: () => ({ links: [fakeLink()] }),
  getPlace: ({ link: { name = "" } }) => ({ links: [fakePlace(name)] }),
};

/** A failure as the native side throws it. */
export function failure(fields: Partial<NativeFailure> = {}): NativeFailure {
  return { errno: 19, reason: "no-such-link", operation: "getLink", step: "look up", ...fields };
}

/** An answer that the test gives, or refuses, when it wants to. */
export function held() {
  let give: (answer: object) => void = () => {};
  let refuse: (failure: NativeFailure) => void = () => {};
  const answer = new Promise<object>((resolve, reject) => {
    give = resolve;
    refuse = reject;
  });
  return { answer, give, refuse };
}

function noSocket(): never {
  throw new Error("The fake has no sockets");
}

/** The addon, and what it was asked. */
export interface FakeAddon extends NativeAddon {
  calls: Call[];
  /** Handles opened, and how many of them were closed. */
  handles: { opened: number; closed: number };
  /** What watches are told next. */
  batches: Promise<NativeLinkBatch>[];
  /** The numbers of what was given up. */
  cancelled: number[];
  /** The names of the operations asked for, in order. */
  operations(): OperationName[];
}

/**
 * Makes an addon that answers by `script`, and plausibly where that says nothing. What is given up
 * had begun, unless `unbegun`. */
export function fakeAddon(script: Script = {}, unbegun = false): FakeAddon {
  const calls: Call[] = [];
  const handles = { opened: 0, closed: 0 };
  const cancelled: number[] = [];
  const batches: Promise<NativeLinkBatch>[] = [];

  class Handle implements NativeHandle {
    onSettled = (): void => {};
    #settled: object[] = [];

    constructor() {
      handles.opened += 1;
    }

    submit(text: string): void {
      const flat = JSON.parse(text);
      for (let at = 0; at < flat.length; at += 3) {
        const number: number = flat[at];
        const operation: OperationName = flat[at + 1];
        const asked = flat[at + 2];
        calls.push({ operation, request: asked });
        const answer = script[operation] ?? answers[operation];
        void this.#answer(number, async () => await answer?.(asked));
      }
    }

    async #answer(number: number, answer: () => Promise<object | undefined>): Promise<void> {
      try {
        this.#tell({ number, links: [], fds: [], ...(await answer()) });
      } catch (thrown) {
        const { work, ...facts } = thrown as NativeFailure;
        this.#tell({ number, failure: facts, work });
      }
    }

    #tell(settled: object): void {
      this.#settled.push(settled);
      if (this.#settled.length === 1) setImmediate(() => this.onSettled());
    }

    take(): NativeBatch {
      return { settled: JSON.stringify(this.#settled.splice(0)), more: false };
    }

    cancel(number: number): boolean {
      cancelled.push(number);
      return unbegun;
    }

    close(number: number): void {
      handles.closed += 1;
      this.#tell({ number });
    }
  }

  class LinkWatch implements NativeLinkWatch {
    async next(): Promise<NativeLinkBatch> {
      return (await batches.shift()) ?? { news: [], more: false };
    }

    async close(): Promise<void> {
      handles.closed += 1;
    }
  }

  /** Sockets are tested with the real addon: they need no privileges. */
  class FdSocket implements NativeFdSocket {
    connect = noSocket;
    send = noSocket;
    receive = noSocket;
    cancel = noSocket;
    close = noSocket;
  }

  return {
    Handle,
    LinkWatch,
    FdSocket,
    socketPair: noSocket,
    batches,
    reasons: [],
    endAll: () => {},
    calls,
    cancelled,
    handles,
    operations: () => calls.map(({ operation }) => operation),
  };
}
