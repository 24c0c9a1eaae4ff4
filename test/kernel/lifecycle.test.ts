/**
 * How handles, threads and the process live and end together: what keeps a process alive, what a
 * close waits for, and that no end of a process, a worker or a handle crashes or hangs.
 */
import { describe, expect } from "vitest";
import { NetworkNamespace } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { runNode } from "../setup/child.js";
import { child, ended, madeLinksOfFile, prologue } from "../setup/lives.js";
import { otherNamespace } from "../setup/other-namespace.js";
import { repetitions } from "../setup/repetitions.js";

const test = needs("veth", "macvtap", "proc-sys");
const inNamespaces = needs("root", "veth", "proc-sys");

const madeLinks = madeLinksOfFile();
const rounds = repetitions(5);

describe("a process", () => {
  test("ends although it has idle handles", async () => {
    const ending = await child(`
      NetworkNamespace.current();
      await NetworkNamespace.current().getLink("lo");
      await flintap.getLink("lo");
    `);
    expect(ending).toEqual(ended(0));
  });

  test("lives until what was called has settled", async () => {
    const ending = await child(`
      for (let round = 0; round < 20; round++)
        flintap.createMacvtap(macvtap).then((link) => flintap.deleteLink(link)).then(() => process.stdout.write("."));
    `);
    expect(ending).toEqual(ended(0, ".".repeat(20)));
  });

  test("lives again for a call after it had none", async () => {
    const ending = await child(`
      await flintap.getLink("lo");
      process.once("beforeExit", () => flintap.getLink("lo").then(({ name }) => process.stdout.write(name)));
    `);
    expect(ending).toEqual(ended(0, "lo"));
  });

  // After the first has settled, a call runs and 50 wait at any moment.
  const busy = `
    const namespace = NetworkNamespace.current();
    const again = () => namespace.createMacvtap(macvtap).then(again);
    for (let calls = 0; calls < 50; calls++) again();
    await namespace.createMacvtap(macvtap);
  `;
  const expectMarked = async (): Promise<void> => {
    const left = await madeLinks();
    expect(left.length).toBeGreaterThan(0);
    for (const { altnames = [], ifalias } of left) {
      expect(altnames).toEqual([expect.stringMatching(/^flintap-/)]);
      expect(ifalias).toMatch(/^flintap1;flintap;/);
    }
  };

  test("exits in the middle of an operation, and leaves nothing that is not marked", async () => {
    expect(await child(`${busy} process.exit(7);`)).toEqual(ended(7));
    await expectMarked();
  });

  test("exits before the first call has begun", async () => {
    expect(await child("flintap.createMacvtap(macvtap); process.exit(7);")).toEqual(ended(7));
  });

  test("exits in a call's own callback", async () => {
    const ending = await child(
      'flintap.getLink("lo").then(() => { flintap.getLink("lo"); process.exit(7); });',
    );
    expect(ending).toEqual(ended(7));
  });

  test("calls in an exit handler, which nobody will hear of", async () => {
    const ending = await child(`
      await flintap.getLink("lo");
      process.on("exit", () => {
        flintap.getLink("lo");
        NetworkNamespace.current().getLink("lo");
      });
    `);
    expect(ending).toEqual(ended(0));
  });

  test("dies of an uncaught exception in the middle of an operation", async () => {
    const ending = await child(`${busy} setImmediate(() => { throw new Error("mine"); });`);
    expect(ending).toMatchObject({ code: 1, signal: null });
    expect(ending.stderr).toContain("Error: mine");
    await expectMarked();
  });

  test("dies of a rejection that nobody handles, with the error", async () => {
    const ending = await child('flintap.getLink("none0");');
    expect(ending).toMatchObject({ code: 1, signal: null });
    expect(ending.stderr).toContain("FlintapError: getLink none0: there is no such link");
  });
});

describe("a handle", () => {
  test("finishes on close what was called before, and refuses what comes after", async () => {
    const namespace = NetworkNamespace.current();
    const settled: string[] = [];
    const calls = Array.from({ length: 10 }, (_, place) =>
      namespace.createMacvtap({ parent: "enp0" }).then(() => settled.push(`${place}`)),
    );
    const closing = namespace.close();
    const late = namespace.getLink("lo");
    await expect(late).rejects.toMatchObject({ reason: "closed", code: "ERR_FLINTAP_CLOSED" });
    await closing;
    await Promise.all(calls);
    expect(settled).toEqual([..."0123456789"]);
    expect(await madeLinks()).toHaveLength(10);
    await expect(namespace.close()).resolves.toBeUndefined();
  });

  test("settles its calls in the order in which they were made, also the refused ones", async () => {
    await using namespace = NetworkNamespace.current();
    const settled: number[] = [];
    const kinds = [
      () => namespace.getLink("lo"),
      () => namespace.createMacvtap({ parent: "enp0" }),
      () => namespace.getLink("none0"),
      () => namespace.listLinks(),
      () => namespace.deleteLink("lo"),
    ];
    const calls = Array.from({ length: 50 }, (_, place) => {
      const settle = () => settled.push(place);
      return kinds[place % kinds.length]?.().then(settle, settle);
    });
    await Promise.all(calls);
    expect(settled).toEqual(Array.from({ length: 50 }, (_, place) => place));
  });

  test(`leaves neither a thread nor a descriptor when it is closed, ${rounds} times 200`, async () => {
    const ending = await child(`
      await flintap.getLink("lo");
      const before = { threads: threads(), descriptors: descriptors() };
      const counts = [];
      for (let round = 0; round < ${rounds}; round++) {
        const handles = Array.from({ length: 200 }, () => NetworkNamespace.current());
        await Promise.all(handles.map((handle) => handle.getLink("lo")));
        const amid = { threads: threads(), descriptors: descriptors() };
        await Promise.all(handles.map((handle) => handle.close()));
        await until(() => threads() === before.threads && descriptors() === before.descriptors);
        counts.push([amid.threads - before.threads, amid.descriptors - before.descriptors]);
      }
      process.stdout.write(JSON.stringify(counts));
    `);
    expect(ending).toEqual(ended(0, JSON.stringify(Array(rounds).fill([200, 400]))));
  });

  inNamespaces(
    `on other namespaces leave nothing either, ${rounds} times 200, whether they open or not`,
    async () => {
      await using other = await otherNamespace();
      const ending = await child(`
      const path = "/proc/${other.pid}/ns/net";
      const targets = (round) => [path, { pid: ${other.pid} }, "/no/such/namespace", "/dev/null"][round % 4];
      await flintap.getLink("lo");
      const before = { threads: threads(), descriptors: descriptors() };
      const counts = [];
      for (let round = 0; round < ${rounds}; round++) {
        const opening = Array.from({ length: 200 }, (_, at) => NetworkNamespace.open(targets(at)));
        const outcomes = await Promise.allSettled(opening);
        const handles = outcomes.flatMap(({ value }) => value ?? []);
        await Promise.all(handles.map((handle) => handle.getLink("lo")));
        await until(() => threads() === before.threads + handles.length);
        counts.push(handles.length);
        await Promise.all(handles.map((handle) => handle.close()));
        await until(() => threads() === before.threads && descriptors() === before.descriptors);
      }
      process.stdout.write(JSON.stringify(counts));
    `);
      expect(ending).toEqual(ended(0, JSON.stringify(Array(rounds).fill(100))));
    },
  );

  inNamespaces("moves links to and fro, and leaves nothing", async () => {
    await using other = await otherNamespace();
    const ending = await child(`
      const here = NetworkNamespace.current();
      const blue = await NetworkNamespace.open({ pid: ${other.pid} });
      let [end] = await here.createVeth();
      const there = async () => { end = await here.moveLink(end, blue); end = await blue.moveLink(end, here); };
      await there();
      const before = { threads: threads(), descriptors: descriptors() };
      for (let round = 0; round < ${repetitions(50)}; round++) await there();
      await until(() => threads() === before.threads && descriptors() === before.descriptors);
      await here.deleteLink(end);
    `);
    expect(ending).toEqual(ended(0));
  });

  test("ends its thread when it is collected without having been closed", async () => {
    const source = `${prologue}
      await flintap.getLink("lo");
      const before = { threads: threads(), descriptors: descriptors() };
      await (async () => {
        const handles = Array.from({ length: 20 }, () => NetworkNamespace.current());
        await Promise.all(handles.map((handle) => handle.getLink("lo")));
      })();
      if (threads() !== before.threads + 20) throw new Error("there are not 20 threads more");
      await until(() => {
        gc();
        return threads() === before.threads && descriptors() === before.descriptors;
      });
    `;
    const ending = await runNode(["--expose-gc", "--input-type=module", "--eval", source]);
    expect(ending).toEqual(ended(0));
  });

  test("is not collected while a call waits", async () => {
    const source = `${prologue}
      const calls = Array.from({ length: 20 }, () => NetworkNamespace.current().createMacvtap(macvtap));
      gc();
      const links = await Promise.all(calls);
      process.stdout.write(String(links.length));
    `;
    const ending = await runNode(["--expose-gc", "--input-type=module", "--eval", source]);
    expect(ending).toEqual(ended(0, "20"));
  });
});

describe("a watch", () => {
  test("keeps the process alive while somebody waits, and not otherwise", async () => {
    const waiting = await child(`
      const watch = flintap.watchLinks();
      watch.next().then(({ done }) => console.log(done));
      await watch.ready;
      setTimeout(() => watch.close(), 1);
    `);
    expect(waiting).toEqual(ended(0, "true\n"));
    expect(await child("await flintap.watchLinks().ready;")).toEqual(ended(0));
  });

  test("ends with the process, however that ends", async () => {
    const watch = "const watch = flintap.watchLinks({ initial: true }); await watch.next();";
    expect(await child(`${watch} watch.next(); process.exit(7);`)).toEqual(ended(7));
    const thrown = await child(`${watch} watch.next(); throw new Error("mine");`);
    expect(thrown).toMatchObject({ code: 1, signal: null });
  });

  test(`leaves neither a thread nor a descriptor, closed or collected, ${repetitions(200)} times`, async () => {
    const source = `${prologue}
      await flintap.getLink("lo");
      const before = { threads: threads(), descriptors: descriptors() };
      const { signal } = new AbortController();
      for (let round = 0; round < ${repetitions(200)}; round++) {
        const watch = flintap.watchLinks({ signal });
        if (round % 2) await watch.close();
        else await watch.ready;
      }
      await until(() => {
        globalThis.gc();
        return threads() === before.threads && descriptors() === before.descriptors;
      });
    `;
    const ending = await runNode(["--expose-gc", "--input-type=module", "--eval", source]);
    expect(ending).toEqual(ended(0));
  });
});
