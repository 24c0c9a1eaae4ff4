/** Requests and outcomes that cross as JSON: any text of the kernel's, many links, wrong requests. */
import { setImmediate } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import type { NativeRequests, NativeSettled } from "../../src/addon.js";
import { getLink, listLinks } from "../../src/index.js";
import { loadAddon } from "../../src/load-addon.js";
import { NativeLine } from "../../src/native-line.js";
import { needs } from "../setup/capabilities.js";
import { addParent, ip, ipBatch } from "../setup/iproute2.js";
import { execute } from "../setup/shell.js";
import { stage } from "../setup/stage.js";

const withVeth = needs("veth");

stage(async () => {
  await addParent();
});

/** With bytes as the last argument, in octal: Node.js gives a child nothing but UTF-8. */
async function ipWithBytes(before: string, bytes: string): Promise<void> {
  await execute("sh", "-c", `ip ${before} "$(printf '${bytes}')"`);
}

describe("a text of the kernel's", () => {
  withVeth("comes out as it is, with quotes, control characters and emoji", async () => {
    const alias = 'a "quoted" \\ text\u0001\u001f\t\n\u007f, ünicode € and 😀';
    const altNames = ['"\\ü😀', '"\u0001'];
    const addOrDel = (verb: string) =>
      Promise.all(altNames.map((name) => ip(`link property ${verb} dev enp0 altname`, name)));
    await ip("link set enp0 alias", alias);
    await addOrDel("add");
    try {
      const [listed] = (await listLinks()).filter(({ name }) => name === "enp0");
      const found = await getLink('"\\ü😀');
      for (const one of [listed, found]) {
        expect(one).toMatchObject({ name: "enp0", alias });
        expect(one?.altNames.toSorted()).toEqual(altNames.toSorted());
      }
    } finally {
      await addOrDel("del");
      await ip("link set enp0 alias", "");
    }
  });

  withVeth("has U+FFFD for what is no UTF-8, and takes nothing else with it", async () => {
    await ipWithBytes("link add far0 type veth peer name", "bad\\377\\303");
    await ipWithBytes("link property add dev far0 altname", "\\342\\202x\\200\\355\\240\\200");
    await ipWithBytes("link set far0 alias", "end\\360\\237\\230");
    const found = await listLinks({ kind: "veth" });
    expect(found.map(({ name }) => name)).toContain("bad\uFFFD\uFFFD");
    expect(await getLink("far0")).toMatchObject({
      name: "far0",
      altNames: ["\uFFFDx\uFFFD\uFFFD\uFFFD\uFFFD"],
      alias: "end\uFFFD",
    });
    // By a name that can be said; the other end goes with it.
    await ip("link del far0");
  });
});

describe("several hundred links", () => {
  const count = 300;

  withVeth("come whole and in order, and the event loop turns in between", async () => {
    const made = Array.from({ length: count }, (_, at) => at);
    await ipBatch(made.map((at) => `link add many${at} type veth peer name peer${at}`));
    const shown: { ifindex: number }[] = JSON.parse(await ip("-json link show"));
    // Every take is a turn: a part of a list is taken alone.
    const { Handle } = loadAddon();
    const handle = new Handle();
    const line = new NativeLine(handle);
    const take = vi.spyOn(handle, "take");
    let turns = 0;
    const turnsAtTakes: number[] = [];
    take.mockImplementation(() => {
      turnsAtTakes.push(turns);
      return Handle.prototype.take.call(handle);
    });
    let isListed = false;
    const request = () => ({ statistics: true, unknown: false });
    const listing = line.run({ operation: "listLinks", request }).finally(() => {
      isListed = true;
    });
    while (!isListed) {
      await setImmediate();
      turns += 1;
    }
    const { links } = await listing;
    await line.close();
    expect(links.map(({ index }) => index)).toEqual(shown.map(({ ifindex }) => ifindex));
    expect(links.length).toBeGreaterThan(2 * count);
    expect(turnsAtTakes.length).toBeGreaterThanOrEqual(Math.ceil(links.length / 64));
    expect(new Set(turnsAtTakes).size).toBe(turnsAtTakes.length);
    for (const { statistics } of links)
      expect(Object.values(statistics ?? {}).map((counter) => typeof counter)).toEqual(
        Array(11).fill("bigint"),
      );
  });
});

describe("a native request that is wrong", () => {
  withVeth("is a TypeError that names the field, and the others of its hand-over run", async () => {
    const line = new NativeLine(new (loadAddon().Handle)());
    const get = (request: object) =>
      line.run({ operation: "getLink", request: () => request as NativeRequests["getLink"] });
    const link = { name: "lo" };
    const outcomes = await Promise.allSettled([
      get({ link, statistics: false, unknown: false }),
      get({ link: { name: 7 }, statistics: false, unknown: false }),
      get({ link, statistics: "yes", unknown: false }),
      get({ link, statistics: false, unknown: false, colour: "red" }),
      get({ link, statistics: true, unknown: false }),
    ]);
    await line.close();
    const wrong = (message: string) => ({ status: "rejected", reason: new TypeError(message) });
    const right = {
      status: "fulfilled",
      value: expect.objectContaining({ links: [expect.objectContaining({ name: "lo" })] }),
    };
    expect(outcomes).toEqual([
      right,
      wrong("getLink.link.name: expected a string"),
      wrong("getLink.statistics: expected a boolean"),
      wrong("getLink.colour: no such field"),
      right,
    ]);
  });

  withVeth("of no operation rejects all of its hand-over, and nothing of it runs", async () => {
    const line = new NativeLine(new (loadAddon().Handle)());
    const get = () =>
      line.run({
        operation: "getLink",
        request: () => ({ link: { name: "lo" }, statistics: false, unknown: false }),
      });
    const outcomes = await Promise.allSettled([
      get(),
      line.run({
        operation: "nonsense" as "getLink",
        request: () => ({}) as NativeRequests["getLink"],
      }),
    ]);
    const reason = new TypeError("nonsense: no such operation");
    expect(outcomes).toEqual([
      { status: "rejected", reason },
      { status: "rejected", reason },
    ]);
    expect(await get()).toMatchObject({ work: { sends: 1 } });
    await line.close();
  });

  test("that is not whole is a TypeError, and nothing of its hand-over runs", async () => {
    const handle = new (loadAddon().Handle)();
    const settled: number[] = [];
    handle.onSettled = () => {
      const batch: NativeSettled[] = JSON.parse(handle.take()?.settled ?? "[]");
      settled.push(...batch.map(({ number = 0 }) => number));
    };
    const whole = '1,"describeHost",{}';
    for (const broken of [
      "",
      "[",
      `[${whole}`,
      `[${whole},`,
      `[${whole},2]`,
      `[${whole},2,"getLink"]`,
      `[${whole},2.5,"describeHost",{}]`,
    ])
      expect(() => handle.submit(broken)).toThrow(new TypeError("expected calls in JSON"));
    handle.submit("[]");
    handle.close(3);
    while (settled.length === 0) await setImmediate();
    expect(settled).toEqual([3]);
  });
});
