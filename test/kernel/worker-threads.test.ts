/** Worker threads: each has handles of its own, and its end crashes, hangs and leaves nothing. */
import { describe, expect } from "vitest";
import { needs } from "../setup/capabilities.js";
import { child, ended, madeLinksOfFile } from "../setup/lives.js";
import { otherNamespace } from "../setup/other-namespace.js";
import { repetitions } from "../setup/repetitions.js";

const test = needs("veth", "macvtap", "proc-sys");
const inNamespaces = needs("root", "veth", "proc-sys");

const madeLinks = madeLinksOfFile();

describe("a worker thread", () => {
  test("has handles of its own, beside those of others", async () => {
    const ending = await child(`
      const workers = [1, 2, 3].map(() => work(\`
        const namespace = flintap.NetworkNamespace.current();
        for (let round = 0; round < 5; round++)
          port.postMessage((await namespace.createMacvtap({ parent: "enp0" })).name);
      \`));
      const names = [];
      for (const worker of workers) worker.on("message", (name) => names.push(name));
      const own = Array.from({ length: 5 }, () => flintap.createMacvtap(macvtap));
      for (const { name } of await Promise.all(own)) names.push(name);
      await Promise.all(workers.map(ended));
      process.stdout.write(names.toSorted().join());
    `);
    expect(ending).toMatchObject({ code: 0, signal: null, stderr: "" });
    const made = (await madeLinks()).map(({ ifname }) => ifname).sort();
    expect(made).toHaveLength(20);
    expect(ending.stdout).toBe(made.join());
  });

  inNamespaces("works in other namespaces while the others stay where they are", async () => {
    await using other = await otherNamespace();
    const ending = await child(`
      const own = (await flintap.getLink("lo")).namespace;
      const workers = [1, 2, 3].map(() => work(\`
        const blue = await flintap.NetworkNamespace.open({ pid: ${other.pid} });
        const { namespace } = await blue.createBridge();
        port.postMessage([namespace, (await flintap.getLink("lo")).namespace]);
      \`));
      const exits = workers.map(ended);
      const seen = await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0]));
      await Promise.all(exits);
      for (const [there, here] of seen) console.log(there === seen[0][0], there !== own, here === own);
    `);
    expect(ending).toEqual(ended(0, "true true true\n".repeat(3)));
  });

  // The same in a worker.
  const busy = `
    const namespace = flintap.NetworkNamespace.current();
    const again = () => namespace.createMacvtap({ parent: "enp0" }).then(again);
    for (let calls = 0; calls < 50; calls++) again();
    await namespace.createMacvtap({ parent: "enp0" });
    port.postMessage("busy");
  `;

  for (const [how, ending] of [
    ["is terminated", "await new Promise(() => setInterval(() => {}, 1_000));"],
    ["exits", "process.exit(3);"],
    ["throws", 'setImmediate(() => { throw new Error("mine"); });'],
  ] as const)
    test(`${how} in the middle of an operation, and its thread is gone`, async () => {
      const result = await child(`
        await flintap.getLink("lo");
        await ended(work(""));
        const before = { threads: threads(), descriptors: descriptors() };
        for (let round = 0; round < ${repetitions(5)}; round++) {
          const worker = work(${JSON.stringify(busy + ending)});
          worker.on("error", () => {});
          const exit = ended(worker);
          await new Promise((resolve) => worker.once("message", resolve));
          ${how === "is terminated" ? "await worker.terminate();" : ""}
          await exit;
        }
        await flintap.getLink("lo");
        await until(() => threads() === before.threads && descriptors() === before.descriptors);
      `);
      expect(result).toEqual(ended(0));
      expect((await madeLinks()).length).toBeGreaterThan(5);
    });

  needs("tun", "proc-sys")(
    "is terminated with open queues, and they are closed with it",
    async () => {
      const ending = await child(`
        const tap = await flintap.createTap({ name: "guest0" });
        await ended(work(""));
        const before = descriptors();
        const worker = work(\`
          globalThis.held = [await flintap.openTap("guest0"), await flintap.createTap({ persist: false })];
          port.postMessage("open");
          setInterval(() => {}, 1_000);
        \`);
        await once(worker, "message");
        const taps = await flintap.listLinks({ kind: "tun" });
        console.log(taps.length, descriptors() > before + 1);
        await worker.terminate();
        await until(() => descriptors() === before);
        console.log((await flintap.listLinks({ kind: "tun" })).map(({ name }) => name).join());
        await (await flintap.openTap(tap)).close();
        await flintap.deleteLink(tap);
      `);
      expect(ending).toEqual(ended(0, "2 true\nguest0\n"));
    },
  );

  test("is terminated before its first call has begun", async () => {
    const ending = await child(`
      await flintap.getLink("lo");
      await ended(work(""));
      const before = threads();
      for (let round = 0; round < ${repetitions(20)}; round++) {
        const worker = work('port.postMessage("here"); for (;;) flintap.getLink("lo");');
        await once(worker, "message");
        await worker.terminate();
      }
      await until(() => threads() === before);
    `);
    expect(ending).toEqual(ended(0));
  });

  test("is terminated while it watches, and its thread is gone", async () => {
    const ending = await child(`
      await flintap.getLink("lo");
      await ended(work(""));
      const before = { threads: threads(), descriptors: descriptors() };
      for (let round = 0; round < ${repetitions(10)}; round++) {
        const worker = work(\`
          const watch = flintap.watchLinks({ initial: true });
          port.postMessage("here");
          for await (const event of watch);
        \`);
        await once(worker, "message");
        await worker.terminate();
      }
      await until(() => threads() === before.threads && descriptors() === before.descriptors);
    `);
    expect(ending).toEqual(ended(0));
  });
});
