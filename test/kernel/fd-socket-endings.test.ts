/** How sockets end: with a worker, with the process, with nobody who holds them. */
import { describe, expect, test } from "vitest";
import { child, ended } from "../setup/lives.js";

/** In a child: both ends of a pair. */
const bothEnds = `
  const { FdSocket } = flintap;
  const bothEnds = () => { const { socket, peer } = FdSocket.pair(); return [socket, FdSocket.adopt(peer)]; };
`;

describe("a process", () => {
  test("ends while sockets are idle", async () => {
    const ending = await child(`${bothEnds} globalThis.held = bothEnds(); console.log("end");`);
    expect(ending).toEqual(ended(0, "end\n"));
  });

  test("lives while a receive waits", async () => {
    const ending = await child(`
      ${bothEnds}
      const [near, far] = bothEnds();
      far.receive().then(() => console.log("received"));
      setTimeout(() => near.send("x"), 100).unref();
      setTimeout(() => {}, 200);
    `);
    expect(ending).toEqual(ended(0, "received\n"));
  });

  test("exits while everything waits", async () => {
    for (const how of ["process.exit(3)", "process.reallyExit(3)"]) {
      const ending = await child(`
        ${bothEnds}
        for (let round = 0; round < 20; round++) {
          const [near, far] = bothEnds();
          far.receive(); near.receive(); near.send(Buffer.alloc(1 << 22));
        }
        await nextTurn();
        ${how};
      `);
      expect(ending).toEqual(ended(3));
    }
  });
});

describe("a worker", () => {
  for (const [how, last] of [
    ["is terminated", "setInterval(() => {}, 1_000);"],
    ["exits", "process.exit(3);"],
  ])
    test(`${how} while its sockets wait, and nothing of them is left`, async () => {
      const ending = await child(`
        await ended(work(""));
        const before = { threads: threads(), descriptors: descriptors() };
        for (let round = 0; round < 5; round++) {
          const worker = work(${JSON.stringify(`
            ${bothEnds}
            const [near, far] = bothEnds();
            await near.send("x", [FdSocket.pair().peer, FdSocket.pair().peer]);
            globalThis.held = [near, far, await far.receive(), FdSocket.pair()];
            near.receive(); near.send(Buffer.alloc(1 << 22), [FdSocket.pair().peer]);
            port.postMessage("busy");
            ${last}
          `)});
          const exit = ended(worker);
          await once(worker, "message");
          ${how === "is terminated" ? "await worker.terminate();" : ""}
          await exit;
        }
        await until(() => threads() === before.threads && descriptors() === before.descriptors);
      `);
      expect(ending).toEqual(ended(0));
    });
});

describe("what nobody closed", () => {
  test("is closed when it is collected, descriptors with a warning", async () => {
    const ending = await child(
      `
        ${bothEnds}
        import { setFlagsFromString } from "node:v8";
        import { runInNewContext } from "node:vm";
        setFlagsFromString("--expose-gc");
        const gc = runInNewContext("gc");
        const codes = [];
        process.on("warning", ({ code, message }) => codes.push(code + " " + message.split(" was collected")[0]));
        await bothEnds()[0].close();
        const before = descriptors();
        await (async () => {
          const [near, far] = bothEnds();
          await near.send("x", [FdSocket.pair().peer]);
          await far.receive();
        })();
        FdSocket.pair();
        while (codes.length < 2) { gc(); await nextTurn(); }
        await until(() => { gc(); return descriptors() <= before; });
        console.log(codes.sort().join());
      `,
      { env: { NODE_OPTIONS: "--no-warnings" } },
    );
    const code = "FLINTAP_DESCRIPTOR_NOT_CLOSED";
    const words = `${code} A descriptor that was received,${code} One end of a socket pair\n`;
    expect(ending).toEqual(ended(0, words));
  });
});

describe("a process that may open few descriptors", () => {
  test("is told that some could not be had, and keeps none of them", async () => {
    const ending = await child(
      `
        ${bothEnds}
        const [near, far] = bothEnds();
        const pairs = Array.from({ length: 20 }, () => FdSocket.pair());
        await Promise.all(pairs.map(({ socket }) => socket.close()));
        await near.send("x", pairs.map(({ peer }) => peer));
        console.log("begin"); // the first stream has libuv open a descriptor for itself
        const before = descriptors();
        const spare = [];
        const { openSync, closeSync } = await import("node:fs");
        try { for (;;) spare.push(openSync("/dev/null")); } catch {}
        for (const fd of spare.splice(0, 10)) closeSync(fd);
        await far.receive().catch(({ reason }) => console.log(reason));
        for (const fd of spare) closeSync(fd);
        console.log(descriptors() - before);
      `,
      { under: ["prlimit", "--nofile=200"] },
    );
    expect(ending).toEqual(ended(0, "begin\ntoo-many-descriptors\n0\n"));
  });
});
