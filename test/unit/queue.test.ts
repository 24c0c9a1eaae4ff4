import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, test, vi } from "vitest";
import type { TapLink } from "../../src/link.js";
import { DeviceQueue, ephemeralTap } from "../../src/queue.js";
import { fakeLink } from "./fake-addon.js";

function closer(): { closed: number[]; closeFd: (fd: number) => Promise<void> } {
  const closed: number[] = [];
  return {
    closed,
    closeFd: async (fd) => {
      closed.push(fd);
    },
  };
}

afterEach(() => {
  vi.restoreAllMocks();
});

/** What the next process warning is called with; it is not printed. */
function nextWarning(): Promise<unknown[]> {
  return new Promise((resolve) => {
    vi.spyOn(process, "emitWarning").mockImplementation((...warning: unknown[]) => {
      resolve(warning);
    });
  });
}

function tapLink(): TapLink {
  return { ...fakeLink(), kind: "tun", details: { type: "tap" } };
}

test("closing a queue closes its descriptor once, and leaves -1", async () => {
  const { closed, closeFd } = closer();
  const queue = new DeviceQueue(7, "t0", closeFd);
  expect(queue.fd).toBe(7);
  const closing = queue.close();
  expect(queue.fd).toBe(-1);
  await Promise.all([closing, queue.close()]);
  await queue.close();
  expect(closed).toEqual([7]);
});

test("a queue is closed at the end of its scope", async () => {
  const { closed, closeFd } = closer();
  {
    await using queue = new DeviceQueue(7, "t0", closeFd);
    using other = new DeviceQueue(8, "t0", closeFd);
    expect([queue.fd, other.fd]).toEqual([7, 8]);
  }
  expect(closed).toEqual([8, 7]);
});

test("a failure to close rejects close, and is a warning where nobody waits", async () => {
  const failing = async (): Promise<void> => {
    throw new Error("EBADF");
  };
  await expect(new DeviceQueue(7, "t0", failing).close()).rejects.toThrow("EBADF");
  const warned = nextWarning();
  new DeviceQueue(8, "t0", failing)[Symbol.dispose]();
  expect(await warned).toEqual([expect.objectContaining({ message: "EBADF" })]);
});

test("a queue that is collected unclosed is closed with a warning that has a code", async () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const { closed, closeFd } = closer();
  const warned = nextWarning();
  (() => new DeviceQueue(7, "fltap0", closeFd))();
  await Promise.resolve();
  collect();
  expect(await warned).toEqual([
    expect.stringContaining("fltap0"),
    expect.objectContaining({ code: "FLINTAP_QUEUE_NOT_CLOSED" }),
  ]);
  expect(closed).toEqual([7]);
});

test("closing an ephemeral tap closes all its queues", async () => {
  const { closed, closeFd } = closer();
  const queues = [7, 8].map((fd) => new DeviceQueue(fd, "t0", closeFd));
  const tap = ephemeralTap(tapLink(), queues);
  expect(tap.queues.map(({ fd }) => fd)).toEqual([7, 8]);
  await tap.close();
  await tap.close();
  expect(closed).toEqual([7, 8]);
});

test("an ephemeral tap is disposable in both ways", async () => {
  const { closed, closeFd } = closer();
  {
    await using one = ephemeralTap(tapLink(), [new DeviceQueue(1, "t0", closeFd)]);
    using other = ephemeralTap(tapLink(), [new DeviceQueue(2, "t0", closeFd)]);
    expect([one.name, other.name]).toEqual(["fltap0123456789", "fltap0123456789"]);
  }
  expect(closed).toEqual([2, 1]);
});
