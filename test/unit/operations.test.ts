import { describe, expect, test } from "vitest";
import { createTapRequest } from "../../src/create-requests.js";
import { Operations } from "../../src/operations.js";
import { parseTag } from "../../src/tag.js";
import { bootId, failure, fakeAddon, fakeLink, held } from "./fake-addon.js";

const read = { link: { name: "t0" }, statistics: false, unknown: false };
const tap = createTapRequest({});

describe("the order of operations", () => {
  test("is that of the calls, also while the first create waits for the host's facts", async () => {
    const { answer, give } = held();
    const addon = fakeAddon({ describeHost: () => answer });
    const operations = new Operations(addon, "flintap");
    const calls = [
      operations.run("getLink", read),
      operations.create("createTap", tap),
      operations.run("detachFromBridge", { link: { name: "t0" } }),
      operations.create("createTap", tap),
      operations.run("deleteLink", { link: { name: "t0" }, tagPrefix: "", force: false }),
      operations.close(),
    ];
    give({ bootId });
    await Promise.all(calls);
    expect(addon.operations().filter((name) => name !== "describeHost")).toEqual([
      "getLink",
      "createTap",
      "detachFromBridge",
      "createTap",
      "deleteLink",
    ]);
    expect(addon.handles.closed).toBe(1);
  });

  test("keeps one that is called when the facts have just come behind those that waited", async () => {
    const { answer, give } = held();
    const addon = fakeAddon({ describeHost: () => answer });
    const operations = new Operations(addon, "flintap");
    const create = operations.create("createTap", tap);
    const late = answer.then(() => operations.run("getLink", read));
    give({ bootId });
    await Promise.all([create, late]);
    expect(addon.operations()).toEqual(["describeHost", "createTap", "getLink"]);
  });
});

describe("the host's facts", () => {
  test("are asked for at the first create, and once", async () => {
    const addon = fakeAddon();
    const operations = new Operations(addon, "flintap");
    await operations.run("getLink", read);
    await Promise.all([operations.create("createTap", tap), operations.create("createTap", tap)]);
    await operations.create("createTap", tap);
    expect(addon.operations()).toEqual([
      "getLink",
      "describeHost",
      "createTap",
      "createTap",
      "createTap",
    ]);
  });

  test("stand in the tag", async () => {
    const aliases: string[] = [];
    const addon = fakeAddon({
      createTap: ({ link }) => {
        aliases.push(link.alias);
        return { links: [fakeLink()] };
      },
    });
    await new Operations(addon, "me").create("createTap", tap);
    expect(parseTag(aliases[0])).toMatchObject({ owner: "me", bootId });
  });

  test("that cannot be had fail the creates that wait for them, and are asked for anew", async () => {
    let broken = true;
    const addon = fakeAddon({
      describeHost: () => {
        if (broken) throw failure({ operation: "describeHost", reason: "kernel", errno: 24 });
        return { bootId };
      },
    });
    const operations = new Operations(addon, "flintap");
    const [first, second, other] = await Promise.allSettled([
      operations.create("createTap", tap),
      operations.create("createTap", tap),
      operations.run("getLink", read),
    ]);
    const reason = expect.objectContaining({ code: "EMFILE", operation: "createTap" });
    expect([first, second]).toEqual([
      { status: "rejected", reason },
      { status: "rejected", reason },
    ]);
    expect(other.status).toBe("fulfilled");
    broken = false;
    await expect(operations.create("createTap", tap)).resolves.toBeDefined();
  });
});

describe("a failure", () => {
  test("rejects with a FlintapError", async () => {
    const addon = fakeAddon({
      getLink: () => {
        throw failure({ device: "t0" });
      },
    });
    await expect(new Operations(addon, "flintap").run("getLink", read)).rejects.toMatchObject({
      name: "FlintapError",
      code: "ENODEV",
      device: "t0",
    });
  });

  test("to open the handle is a FlintapError, too", () => {
    class Handle {
      constructor() {
        throw failure({ operation: "open", reason: "kernel", errno: 24, step: "socket" });
      }
      onSettled = () => {};
      submit = () => {};
      take = () => undefined;
      cancel = () => false;
      close = () => {};
    }
    const addon = { ...fakeAddon(), Handle };
    expect(() => new Operations(addon, "flintap")).toThrow(
      expect.objectContaining({ name: "FlintapError", code: "EMFILE" }),
    );
  });
});

describe("a closed handle", () => {
  test("refuses every operation by its name, without asking the native side", async () => {
    const addon = fakeAddon();
    const operations = new Operations(addon, "flintap");
    await operations.close();
    const refusal = { code: "ERR_FLINTAP_CLOSED", reason: "closed" };
    await expect(operations.run("getLink", read)).rejects.toMatchObject({
      ...refusal,
      operation: "getLink",
    });
    await expect(operations.create("createTap", tap)).rejects.toMatchObject({
      ...refusal,
      operation: "createTap",
    });
    expect(addon.calls).toEqual([]);
  });

  test("is closed once, however often it is asked", async () => {
    const addon = fakeAddon();
    const operations = new Operations(addon, "flintap");
    await Promise.all([operations.close(), operations.close()]);
    await operations.close();
    expect(addon.handles).toEqual({ opened: 1, closed: 1 });
  });

  test("still closes descriptors, on one thread for all closed handles", async () => {
    const addon = fakeAddon();
    const operations = new Operations(addon, "flintap");
    await operations.close();
    await Promise.all([operations.closeFd(7, "t0"), operations.closeFd(8, "t1")]);
    expect(addon.calls).toEqual([
      { operation: "closeQueue", request: { fd: 7 } },
      { operation: "closeQueue", request: { fd: 8 } },
    ]);
    expect(addon.handles).toEqual({ opened: 2, closed: 1 });
  });
});

test("an open handle closes descriptors on its own thread", async () => {
  const addon = fakeAddon();
  await new Operations(addon, "flintap").closeFd(7, "t0");
  expect(addon.calls).toEqual([{ operation: "closeQueue", request: { fd: 7 } }]);
  expect(addon.handles.opened).toBe(1);
});
