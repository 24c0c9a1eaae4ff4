/** Descriptors on their way to another owner: what becomes of the ones here. */
import { expect, test } from "vitest";
import { handOver } from "../../src/hand-over.js";
import { DeviceQueue } from "../../src/queue.js";

function queues(...fds: number[]): { closed: number[]; given: DeviceQueue[] } {
  const closed: number[] = [];
  const closeFd = async (fd: number): Promise<void> => {
    closed.push(fd);
  };
  return { closed, given: fds.map((fd) => new DeviceQueue(fd, "t0", closeFd)) };
}

const refused = expect.objectContaining({ name: "TypeError", code: "ERR_INVALID_ARG_VALUE" });

test("queues are closed once what started the child has returned, and not before", async () => {
  const { closed, given } = queues(7, 8);
  const child = await handOver(given, (fds) => {
    expect(closed).toEqual([]);
    return { fds };
  });
  expect(child).toEqual({ fds: [7, 8] });
  expect(closed).toEqual([7, 8]);
  expect(given.map(({ fd }) => fd)).toEqual([-1, -1]);
});

test("they are closed after what it gives has settled", async () => {
  const { closed, given } = queues(7);
  const child = await handOver(given, async () => {
    await Promise.resolve();
    expect(closed).toEqual([]);
    return "child";
  });
  expect([child, closed]).toEqual(["child", [7]]);
});

test("they are closed where the child cannot be started", async () => {
  for (const start of [
    () => {
      throw new Error("EMFILE");
    },
    async () => {
      throw new Error("EMFILE");
    },
  ]) {
    const { closed, given } = queues(7);
    await expect(handOver(given, start)).rejects.toThrow("EMFILE");
    expect(closed).toEqual([7]);
  }
});

test("where one is closed or named twice, nothing is called and the others stay", async () => {
  const { closed, given } = queues(7, 8);
  const [first, second] = given as [DeviceQueue, DeviceQueue];
  const never = (): never => {
    throw new Error("called");
  };
  await expect(handOver([first, first], never)).rejects.toEqual(refused);
  await second.close();
  await expect(handOver(given, never)).rejects.toEqual(refused);
  await expect(handOver(given, never)).rejects.toThrow(
    "Expected a descriptor that is open, and not on its way already, for `handOver` option `1`",
  );
  expect([first.fd, closed]).toEqual([7, [8]]);
  await handOver([first], () => {});
  expect(closed).toEqual([8, 7]);
});

test("one that is closed while it is handed over is closed after that, once", async () => {
  const { closed, given } = queues(7);
  let go = (): void => {};
  const handing = handOver(given, () => new Promise<void>((resolve) => (go = resolve)));
  await expect(handOver(given, () => {})).rejects.toEqual(refused);
  const closing = given[0]?.close();
  await Promise.resolve();
  expect(closed).toEqual([]);
  go();
  await Promise.all([handing, closing]);
  expect(closed).toEqual([7]);
});

test("arguments of the wrong type are refused", async () => {
  const { given } = queues(7);
  const wrong = expect.objectContaining({ name: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
  // @ts-expect-error
  await expect(handOver([7], () => {})).rejects.toEqual(wrong);
  // @ts-expect-error
  await expect(handOver(given, 7)).rejects.toEqual(wrong);
  // @ts-expect-error
  await expect(handOver(given[0], () => {})).rejects.toEqual(wrong);
});
