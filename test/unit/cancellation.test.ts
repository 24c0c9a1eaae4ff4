import { describe, expect, test, vi } from "vitest";
import { createTapRequest } from "../../src/create-requests.js";
import { Operations } from "../../src/operations.js";
import { failure, fakeAddon, fakeLink, held } from "./fake-addon.js";

const read = { link: { name: "t0" }, statistics: false, unknown: false };
const reason = new Error("changed my mind");
const aborted = { reason: "aborted", errno: 125, step: "finish" };

describe("an operation whose signal fires", () => {
  test("before the call never gets to the native side", async () => {
    const addon = fakeAddon();
    const operations = new Operations(addon, "flintap");
    await expect(operations.run("getLink", read, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(addon.calls).toEqual([]);
  });

  test("while the host's facts are asked for never gets there either", async () => {
    const facts = held();
    const addon = fakeAddon({ describeHost: () => facts.answer });
    const operations = new Operations(addon, "flintap");
    const controller = new AbortController();
    const create = operations.create("createTap", createTapRequest({}), controller.signal);
    controller.abort(reason);
    await expect(create).rejects.toBe(reason);
    facts.give({});
    await operations.close();
    expect(addon.operations()).toEqual(["describeHost"]);
  });

  test("before its turn rejects at once, whatever runs before it", async () => {
    const addon = fakeAddon({ getLink: () => held().answer }, true);
    const operations = new Operations(addon, "flintap");
    const controller = new AbortController();
    const call = operations.run("getLink", read, controller.signal);
    await vi.waitUntil(() => addon.operations().includes("getLink"));
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(addon.cancelled).toEqual([1]);
  });

  test("while it runs rejects with the signal's reason when it has been undone", async () => {
    const running = held();
    const addon = fakeAddon({ createTap: () => running.answer });
    const operations = new Operations(addon, "flintap");
    const controller = new AbortController();
    const create = operations.create("createTap", createTapRequest({}), controller.signal);
    await vi.waitUntil(() => addon.operations().includes("createTap"));
    controller.abort(reason);
    running.refuse(failure({ ...aborted, operation: "createTap" }));
    await expect(create).rejects.toBe(reason);
  });

  test("and that could not be undone says what it left", async () => {
    const controller = new AbortController();
    const leftBehind = ["link t0 (index 7)"];
    const addon = fakeAddon({
      createTap: () => {
        controller.abort(reason);
        throw failure({ ...aborted, operation: "createTap", leftBehind });
      },
    });
    const operations = new Operations(addon, "flintap");
    const create = operations.create("createTap", createTapRequest({}), controller.signal);
    await expect(create).rejects.toMatchObject({
      name: "FlintapError",
      code: "ERR_FLINTAP_ABORTED",
      reason: "aborted",
      leftBehind,
      cause: reason,
    });
  });

  test("too late gives what it made", async () => {
    const controller = new AbortController();
    const addon = fakeAddon({
      getLink: () => {
        controller.abort(reason);
        return { links: [fakeLink()] };
      },
    });
    const operations = new Operations(addon, "flintap");
    const { links } = await operations.run("getLink", read, controller.signal);
    expect(links).toHaveLength(1);
  });

  test("with a reason that looks like the native side's rejects with that very reason", async () => {
    const lookalike = { reason: "no-such-link", operation: "getLink", errno: 19, step: "look up" };
    const operations = new Operations(fakeAddon(), "flintap");
    const call = operations.run("getLink", read, AbortSignal.abort(lookalike));
    await expect(call).rejects.toBe(lookalike);
  });

  test("leaves the failure that it had by itself", async () => {
    const controller = new AbortController();
    const addon = fakeAddon({
      getLink: () => {
        controller.abort(reason);
        throw failure();
      },
    });
    const operations = new Operations(addon, "flintap");
    await expect(operations.run("getLink", read, controller.signal)).rejects.toMatchObject({
      reason: "no-such-link",
    });
  });
});

test("a settled operation leaves no listener on its signal", async () => {
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, "addEventListener");
  const removed = vi.spyOn(signal, "removeEventListener");
  await new Operations(fakeAddon(), "flintap").run("getLink", read, signal);
  expect(added).toHaveBeenCalledTimes(1);
  expect(removed.mock.calls[0]?.slice(0, 2)).toEqual(added.mock.calls[0]?.slice(0, 2));
});
