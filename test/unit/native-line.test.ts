import { setImmediate as nextTurn } from "node:timers";
import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { NativeBatch, NativeHandle, NativeSettled } from "../../src/addon.js";
import { type Call, NativeLine } from "../../src/native-line.js";
import { failure, fakeLink } from "./fake-addon.js";

/** The native side of a line: what was handed over to it, and what the test says of that. */
class Handle implements NativeHandle {
  onSettled = (): void => {};
  /** The names in each hand-over; `close` is one of its own. */
  readonly handOvers: string[][] = [];
  readonly numbers: number[] = [];
  readonly cancelled: number[] = [];
  /** What `submit` throws. */
  refusal: Error | undefined;
  isUnbegun = false;
  #batches: NativeBatch[] = [];

  submit(calls: string): void {
    if (this.refusal !== undefined) throw this.refusal;
    const flat = JSON.parse(calls);
    const handOver: string[] = [];
    for (let at = 0; at < flat.length; at += 3) {
      this.numbers.push(flat[at]);
      handOver.push(flat[at + 2].link.name);
    }
    this.handOvers.push(handOver);
  }

  close(number: number): void {
    this.numbers.push(number);
    this.handOvers.push(["close"]);
  }

  cancel(number: number): boolean {
    this.cancelled.push(number);
    return this.isUnbegun;
  }

  take(): NativeBatch | undefined {
    return this.#batches.shift();
  }

  /** Settles, in so many takes. */
  settle(...takes: NativeSettled[][]): void {
    this.#batches = takes.map((settled, at) => ({
      settled: JSON.stringify(settled),
      more: at < takes.length - 1,
    }));
    this.onSettled();
  }
}

function getLink(name: string, more: Partial<Call> = {}): Call {
  const request = () => ({ link: { name }, statistics: false, unknown: false });
  return { operation: "getLink", request, ...more };
}

function opened(): { handle: Handle; line: NativeLine } {
  const handle = new Handle();
  return { handle, line: new NativeLine(handle) };
}

function gate(): { gate: Promise<void>; open: () => void } {
  let open = (): void => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { gate: promise, open };
}

const names = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, at) => `t${from + at}`);

/** Runs calls that nobody waits for. */
function run(line: NativeLine, ...calls: Call[]): void {
  for (const call of calls) line.run(call).catch(() => {});
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("what is called in one tick", () => {
  test("goes over at once, in the order of the calls", async () => {
    const { handle, line } = opened();
    run(line, ...names(3).map((name) => getLink(name)));
    expect(handle.handOvers).toEqual([]);
    await setImmediate();
    expect(handle.handOvers).toEqual([["t0", "t1", "t2"]]);
    expect(handle.numbers).toEqual([1, 2, 3]);
  });

  test("goes over with what promises go on with in it", async () => {
    const { handle, line } = opened();
    const goOn = async (): Promise<void> => {
      for (let turns = 0; turns < 20; turns++) await null;
      run(line, getLink("late"));
    };
    // Not in a promise's continuation, as this test is: there, ticks come behind them anyway.
    nextTurn(() => {
      run(line, getLink("first"));
      void goOn();
    });
    await setImmediate();
    await setImmediate();
    expect(handle.handOvers).toEqual([["first", "late"]]);
  });

  test("goes over in slices, and the event loop turns in between", async () => {
    const { handle, line } = opened();
    run(line, ...names(300).map((name) => getLink(name)));
    const seen: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      await setImmediate();
      seen.push(handle.handOvers.length);
    }
    expect(handle.handOvers).toEqual([names(128), names(128, 128), names(44, 256)]);
    expect(new Set(seen.slice(0, 3)).size).toBe(3);
  });

  test("stands behind what was called while slices go over", async () => {
    const { handle, line } = opened();
    run(line, ...names(129).map((name) => getLink(name)));
    await setImmediate();
    run(line, getLink("last"));
    await setImmediate();
    await setImmediate();
    expect(handle.handOvers.flat()).toEqual([...names(129), "last"]);
  });
});

describe("a gate", () => {
  test("holds up what was called after it, and lets through what was called before", async () => {
    const { handle, line } = opened();
    const held = gate();
    run(line, getLink("before"), getLink("gated", { gate: held.gate }), getLink("after"));
    await setImmediate();
    expect(handle.handOvers).toEqual([["before"]]);
    run(line, getLink("late"));
    await setImmediate();
    held.open();
    await setImmediate();
    expect(handle.handOvers).toEqual([["before"], ["gated", "after", "late"]]);
  });

  test("that many wait for lets them through together", async () => {
    const { handle, line } = opened();
    const held = gate();
    run(line, ...names(100).map((name) => getLink(name, { gate: held.gate })));
    await setImmediate();
    held.open();
    await setImmediate();
    expect(handle.handOvers).toEqual([names(100)]);
  });

  test("is waited for behind another one", async () => {
    const { handle, line } = opened();
    const [one, other] = [gate(), gate()];
    run(line, getLink("a", { gate: one.gate }), getLink("b", { gate: other.gate }));
    other.open();
    await setImmediate();
    expect(handle.handOvers).toEqual([]);
    one.open();
    await setImmediate();
    expect(handle.handOvers.flat()).toEqual(["a", "b"]);
  });

  test("holds up nothing that is to run now", async () => {
    const { handle, line } = opened();
    run(line, getLink("gated", { gate: gate().gate }));
    await setImmediate();
    const now = line.runNow(getLink("now"));
    expect(handle.handOvers).toEqual([["now"]]);
    handle.settle([{ number: 2, namespace: 7 }]);
    expect(await now).toMatchObject({ namespace: 7 });
  });
});

describe("what is given up", () => {
  test("before it is handed over never is, and what follows goes on", async () => {
    const { handle, line } = opened();
    const controller = new AbortController();
    const held = gate();
    const { signal } = controller;
    const given = line.run(getLink("given-up", { signal, gate: held.gate }));
    run(line, getLink("other"));
    controller.abort();
    await expect(given).rejects.toBe(signal.reason);
    held.open();
    await setImmediate();
    expect(handle.handOvers).toEqual([["other"]]);
    expect(handle.cancelled).toEqual([]);
  });

  test("before it began rejects at once, and its settlement is passed over", async () => {
    const { handle, line } = opened();
    handle.isUnbegun = true;
    const controller = new AbortController();
    const given = line.run(getLink("t0", { signal: controller.signal }));
    await setImmediate();
    controller.abort();
    await expect(given).rejects.toBe(controller.signal.reason);
    expect(handle.cancelled).toEqual([1]);
    handle.settle([{ number: 1, failure: failure({ reason: "aborted" }) }]);
  });

  test("while it runs ends as the native side says", async () => {
    const { handle, line } = opened();
    const [one, other] = [new AbortController(), new AbortController()];
    const failed = line.run(getLink("t0", { signal: one.signal }));
    const done = line.run(getLink("t1", { signal: other.signal }));
    await setImmediate();
    one.abort();
    other.abort();
    expect(handle.cancelled).toEqual([1, 2]);
    handle.settle([{ number: 1, failure: failure({ reason: "aborted" }) }, { number: 2 }]);
    await expect(failed).rejects.toMatchObject({ reason: "aborted" });
    await expect(done).resolves.toMatchObject({ links: [] });
  });

  test("after it has settled is not asked for any more", async () => {
    const { handle, line } = opened();
    const controller = new AbortController();
    const call = line.run(getLink("t0", { signal: controller.signal }));
    await setImmediate();
    handle.settle([{ number: 1 }]);
    await call;
    controller.abort();
    expect(handle.cancelled).toEqual([]);
  });
});

describe("what settles", () => {
  test("settles by its number, in any order, with lists that are empty where none came", async () => {
    const { handle, line } = opened();
    const calls = ["t0", "t1"].map((name) => line.run(getLink(name)));
    await setImmediate();
    handle.settle([
      { number: 2, fds: [7] },
      { number: 1, namespace: 5 },
    ]);
    expect(await Promise.all(calls)).toMatchObject([
      { namespace: 5, links: [], fds: [] },
      { links: [], fds: [7] },
    ]);
  });

  test("is taken in turns of the event loop", async () => {
    const { handle, line } = opened();
    const settled: number[] = [];
    for (const name of names(3))
      void line.run(getLink(name)).then(() => settled.push(settled.length));
    await setImmediate();
    handle.settle([{ number: 1 }], [{ number: 2 }], [{ number: 3 }]);
    const seen: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      await null;
      seen.push(settled.length);
      await setImmediate();
    }
    expect(seen).toEqual([1, 2, 3]);
  });

  test("may come in parts, which are put together in their order", async () => {
    const { handle, line } = opened();
    const list = line.run(getLink("list"));
    const other = line.run(getLink("other"));
    await setImmediate();
    const part = (...indexes: number[]) => indexes.map((index) => fakeLink({ index }));
    handle.settle(
      [{ number: 1, more: true, links: part(3, 1) }],
      [
        { number: 1, more: true, links: part(2) },
        { number: 2, links: part(9) },
      ],
      [{ number: 1, links: part(4, 5) }],
    );
    expect((await list).links.map(({ index }) => index)).toEqual([3, 1, 2, 4, 5]);
    expect((await other).links.map(({ index }) => index)).toEqual([9]);
  });

  test("has its links completed, in every part", async () => {
    const { handle, line } = opened();
    const list = line.run(getLink("list"));
    await setImmediate();
    const counted = { ...fakeLink(), statistics: { rxPackets: "18446744073709551615" } };
    const links = [counted] as unknown as NonNullable<NativeSettled["links"]>;
    handle.settle([{ number: 1, more: true, links }], [{ number: 1, links }]);
    const counts = (await list).links.map(({ statistics }) => statistics?.rxPackets);
    expect(counts).toEqual([2n ** 64n - 1n, 2n ** 64n - 1n]);
  });

  test("is a failure with what it took, or a TypeError for a request that is wrong", async () => {
    const { handle, line } = opened();
    const work = { sends: 1, waited: 2, ran: 3 };
    const calls = Promise.allSettled([line.run(getLink("t0")), line.run(getLink("t1"))]);
    await setImmediate();
    const wrong = "getLink.link: expected an object";
    handle.settle([
      { number: 1, failure: failure(), work },
      { number: 2, wrong, work },
    ]);
    expect(await calls).toEqual([
      { status: "rejected", reason: { ...failure(), work } },
      { status: "rejected", reason: new TypeError(wrong) },
    ]);
  });

  test("and goes wrong later is a process warning", async () => {
    const { handle, line } = opened();
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const call = line.run(getLink("t0"));
    await setImmediate();
    handle.settle([{ late: failure({ device: "t9", operation: "deleteLink" }) }, { number: 1 }]);
    await call;
    expect(warn.mock.calls).toEqual([
      [expect.objectContaining({ name: "FlintapError", device: "t9", operation: "deleteLink" })],
    ]);
  });

  test("is nothing any more when the process exits", async () => {
    const { handle, line } = opened();
    run(line, getLink("t0"));
    await setImmediate();
    expect(() => handle.onSettled()).not.toThrow();
  });
});

describe("what cannot be handed over", () => {
  test("is a request that throws: that call alone rejects", async () => {
    const { handle, line } = opened();
    const thrown = new Error("no request");
    const broken = line.run(
      getLink("broken", {
        request: () => {
          throw thrown;
        },
      }),
    );
    run(line, getLink("other"));
    await expect(broken).rejects.toBe(thrown);
    expect(handle.handOvers).toEqual([["other"]]);
  });

  test("rejects, all of its hand-over, and the line goes on", async () => {
    const { handle, line } = opened();
    handle.refusal = new TypeError("nonsense: no such operation");
    const calls = Promise.allSettled([line.run(getLink("t0")), line.run(getLink("t1"))]);
    const { refusal: reason } = handle;
    expect(await calls).toEqual([
      { status: "rejected", reason },
      { status: "rejected", reason },
    ]);
    await expect(line.runNow(getLink("now"))).rejects.toBe(reason);
    handle.refusal = undefined;
    run(line, getLink("t2"));
    await setImmediate();
    expect(handle.handOvers).toEqual([["t2"]]);
  });

  test("does not keep the end of the line from going over", async () => {
    const { handle, line } = opened();
    handle.refusal = new TypeError("nonsense: no such operation");
    run(line, getLink("t0"));
    const closed = line.close();
    await setImmediate();
    handle.settle([{ number: 2 }]);
    await closed;
    expect(handle.handOvers).toEqual([["close"]]);
  });
});

test("the end of the line stands behind everything", async () => {
  const { handle, line } = opened();
  const held = gate();
  run(line, ...names(130).map((name) => getLink(name)), getLink("gated", { gate: held.gate }));
  let isClosed = false;
  const closed = line.close().then(() => {
    isClosed = true;
  });
  for (let turn = 0; turn < 3; turn++) await setImmediate();
  expect(handle.handOvers.flat()).toEqual(names(130));
  held.open();
  await setImmediate();
  expect(handle.handOvers.flat()).toEqual([...names(130), "gated", "close"]);
  expect(handle.numbers.at(-1)).toBe(132);
  expect(isClosed).toBe(false);
  handle.settle([{ number: 132 }]);
  await closed;
});
