import { type TracingChannelSubscribers, tracingChannel } from "node:diagnostics_channel";
import { afterEach, describe, expect, test } from "vitest";
import { createTapRequest } from "../../src/create-requests.js";
import { LinkWatch } from "../../src/link-watch.js";
import { Operations } from "../../src/operations.js";
import type { OperationTrace } from "../../src/tracing.js";
import { failure, fakeAddon, fakeLink } from "./fake-addon.js";

const read = { link: { index: 7, name: "t0" }, statistics: false, unknown: false };
const work = { sends: 2, waited: 0.25, ran: 0.5 };
const channels = tracingChannel<unknown, OperationTrace>("flintap:operation");

let unsubscribe = (): void => {};
afterEach(() => unsubscribe());

/** The events of the channels from now on, each with a copy of what it told. */
function listen(): [event: string, trace: OperationTrace][] {
  const heard: [string, OperationTrace][] = [];
  const names = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;
  const subscribers = Object.fromEntries(
    names.map((name) => [name, (trace: object) => heard.push([name, { ...trace } as never])]),
  ) as unknown as TracingChannelSubscribers<OperationTrace>;
  channels.subscribe(subscribers);
  unsubscribe = () => channels.unsubscribe(subscribers);
  return heard;
}

describe("the flintap:operation channels", () => {
  test("name no device where the call is about many", async () => {
    const heard = listen();
    const addon = fakeAddon({ listLinks: () => ({ links: [fakeLink(), fakeLink()] }) });
    await new Operations(addon, "me").run("listLinks", { statistics: false, unknown: false });
    expect(heard.at(-1)?.[1]).toMatchObject({ outcome: "done", device: undefined });
  });

  test("enclose an operation, and tell at its end what it took", async () => {
    const heard = listen();
    const addon = fakeAddon({ getLink: () => ({ links: [fakeLink({ name: "t1" })], work }) });
    await new Operations(addon, "me").run("getLink", read);
    expect(heard.map(([event]) => event)).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
    expect(heard[0]?.[1]).toEqual({ operation: "getLink", owner: "me" });
    const told = { operation: "getLink", owner: "me", device: "t1", outcome: "done", ...work };
    expect(heard[2]?.[1]).toMatchObject(told);
    expect(heard[3]?.[1]).toEqual({ ...told, result: undefined });
  });

  test("tell the error of one that fails", async () => {
    const heard = listen();
    const addon = fakeAddon({
      getLink: () => {
        throw failure({ device: "t0", work });
      },
    });
    const call = new Operations(addon, "me").run("getLink", read);
    const error = await call.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: "no-such-link" });
    expect(error).not.toHaveProperty("work");
    expect(heard.map(([event]) => event)).toContain("error");
    expect(heard.at(-1)?.[1]).toMatchObject({ outcome: "failed", device: "t0", error, ...work });
  });

  test("tell of one that was given up", async () => {
    const heard = listen();
    const reason = new Error("no more");
    const call = new Operations(fakeAddon(), "me").run("getLink", read, AbortSignal.abort(reason));
    await expect(call).rejects.toBe(reason);
    expect(heard.at(-1)?.[1]).toMatchObject({ outcome: "aborted", error: reason });
    expect(heard.at(-1)?.[1]).not.toHaveProperty("ran");
  });

  test("name the device that a create asks for", async () => {
    const heard = listen();
    const addon = fakeAddon({
      createTap: () => {
        throw failure({ operation: "createTap", reason: "kernel", errno: 5 });
      },
    });
    const create = new Operations(addon, "me").create(
      "createTap",
      createTapRequest({ name: "t9" }),
    );
    await expect(create).rejects.toMatchObject({ errno: 5 });
    expect(heard.at(-1)?.[1].device).toBe("t9");
  });
});

test("the beginning of a watch is told of, and how it ended", async () => {
  const heard = listen();
  const request = { owner: "me", filter: {}, initial: false, receiveBuffer: 1 };
  const addon = fakeAddon();
  addon.batches.push(Promise.resolve({ news: [], more: false }));
  const watch = new LinkWatch(addon, { ...request, signal: AbortSignal.abort(new Error("mine")) });
  await expect(watch.ready).rejects.toThrow("mine");
  const told = { operation: "watchLinks", owner: "me" };
  expect(heard[0]).toEqual(["start", told]);
  expect(heard.at(-1)).toMatchObject(["asyncEnd", { ...told, outcome: "aborted" }]);
});

test("the close of a queue names its device", async () => {
  const heard = listen();
  await new Operations(fakeAddon(), "me").closeFd(7, "t0");
  expect(heard.at(-1)?.[1]).toMatchObject({ operation: "closeQueue", device: "t0" });
});

test("nobody listening, nothing is said and the operation runs", async () => {
  const addon = fakeAddon();
  await new Operations(addon, "me").run("getLink", read);
  expect(addon.operations()).toEqual(["getLink"]);
});
