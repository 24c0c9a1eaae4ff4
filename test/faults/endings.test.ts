/**
 * The process, or the worker thread, ends while an operation stands before one of its system calls:
 * by itself, by an error that nobody catches, by a signal, by `terminate`. No end crashes, hangs or
 * leaves a device. Each is a process of its own, so a sanitizer looks at each.
 */
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { NetworkNamespace } from "../../src/index.js";
import { type Capability, needs } from "../setup/capabilities.js";
import { type Ending, runModule } from "../setup/child.js";
import { ip, link } from "../setup/iproute2.js";
import { elsewhere, emptyElsewhere, openBlue } from "./elsewhere.js";
import { Scene } from "./scene.js";

/** An operation, as the text of a call on a handle. */
interface Interrupted {
  call: string;
  needs: Capability[];
  prepare?(steady: NetworkNamespace): Promise<unknown>;
  /** Text that runs before the call is counted. */
  before?: string;
  /** It is not undone. */
  stays?: boolean;
  /**
   * Whether it came to its end all the same, since it stood before a call that comes after its
   * looking who wants it. What is there then is whole.
   */
  finished?(): Promise<boolean>;
}

const makePort = async (): Promise<void> => {
  await ip("link add port0 type veth peer name port1");
  await ip("link set port0 master br1");
};

const operations: Interrupted[] = [
  { call: 'createMacvtap({ parent: "enp0" })', needs: ["macvtap", "proc-sys"] },
  {
    call: 'createTap({ name: "guest0", bridge: "br0", isolated: true })',
    needs: ["tun", "proc-sys"],
    finished: async () => {
      const made = await link("guest0");
      if (made === undefined) return false;
      const whole = { master: "br0", linkinfo: { info_slave_data: { isolated: true } } };
      expect(made).toMatchObject({ ...whole, flags: expect.arrayContaining(["UP"]) });
      return true;
    },
  },
  { call: "createTap({ persist: false })", needs: ["tun", "proc-sys"] },
  { call: "createBridge()", needs: ["proc-sys"] },
  { call: "createVeth()", needs: [] },
  {
    call: 'attachToBridge("port0", "br0", { isolated: true, force: true })',
    needs: [],
    prepare: makePort,
  },
  { call: 'detachFromBridge("port0")', needs: [], prepare: makePort },
  {
    call: 'deleteLink("victim")',
    needs: [],
    prepare: (steady) => steady.createBridge({ name: "victim" }),
    stays: true,
  },
  {
    call: 'openMacvtap("guest0")',
    needs: ["macvtap", "tap-node"],
    prepare: (steady) => steady.createMacvtap({ parent: "enp0", name: "guest0" }),
  },
  {
    call: 'openTap("guest0")',
    needs: ["tun"],
    prepare: (steady) => steady.createTap({ name: "guest0" }),
  },
  {
    call: 'setLink("guest0", { name: "guest1", mtu: 1_400, addAltNames: ["other"] })',
    needs: ["tun", "proc-sys"],
    prepare: (steady) => steady.createTap({ name: "guest0" }),
  },
  { call: "listLinks()", needs: [] },
  {
    before: openBlue,
    call: "createMacvtap({ parent })",
    needs: ["root", "macvtap", "proc-sys"],
  },
  {
    before: openBlue,
    call: 'moveLink("guest0", blue)',
    needs: ["root", "tun", "proc-sys"],
    prepare: async (steady) => {
      await emptyElsewhere();
      await steady.createTap({ name: "guest0" });
    },
    finished: async () => {
      if ((await link("guest0")) !== undefined) return false;
      expect(await elsewhere().handle.getLink("guest0")).toMatchObject({
        up: true,
        ipv6: { state: "closed" },
      });
      return true;
    },
  },
];

/** What a child exits with whose operation came to its end before the call it was to stand at. */
const cameToItsEnd = 42;

/** Text that begins an operation and waits until it stands before its `at`-th system call. */
function standing({ before = "", call }: Interrupted, at: number): string {
  return `
    import { createRequire } from "node:module";
    import * as flintap from "flintap";
    const { seam } = createRequire(${JSON.stringify(import.meta.url)})(process.env.FLINTAP_ADDON);
    const namespace = flintap.NetworkNamespace.current();
    await namespace.getLink("lo");
    ${before}
    seam.arm(0, 0, { pauseAt: ${at} });
    let settled = false;
    // Held, so that what it opens is not collected.
    globalThis.operation = namespace.${call}.finally(() => { settled = true; });
    while (!seam.isPaused()) {
      if (settled) process.exit(${cameToItsEnd});
      await new Promise((resolve) => setImmediate(resolve));
    }`;
}

function inWorker(text: string, ending: string): string {
  return `
    import { Worker } from "node:worker_threads";
    const text = ${JSON.stringify(`${text}
      (await import("node:worker_threads")).parentPort.postMessage("stands");
      ${ending === "terminate" ? "setInterval(() => {}, 1_000);" : ending}`)};
    const worker = new Worker(text, { eval: true, execArgv: ["--input-type=module"] });
    worker.on("error", () => {});
    const exit = new Promise((resolve) => worker.once("exit", resolve));
    const stands = new Promise((resolve) => worker.once("message", () => resolve(true)));
    if (await Promise.race([stands, exit]) === true && ${ending === "terminate"}) worker.terminate();
    const code = await exit;
    process.exitCode = code === ${cameToItsEnd} ? code : 7;`;
}

const throwing = 'setImmediate(() => { throw new Error("mine"); });';

/** How each end is brought about, and how the process ends then. */
const endings = {
  "the process exits": {
    text: (text: string) => `${text} process.exit(7);`,
    as: { code: 7, signal: null, stderr: "" },
  },
  "an error is not caught": {
    text: (text: string) => `${text} ${throwing}`,
    as: { code: 1, signal: null, stderr: expect.stringContaining("Error: mine") },
  },
  "a worker is terminated": {
    text: (text: string) => inWorker(text, "terminate"),
    as: { code: 7, signal: null, stderr: "" },
  },
  "a worker exits": {
    text: (text: string) => inWorker(text, "process.exit(3);"),
    as: { code: 7, signal: null, stderr: "" },
  },
  "a worker throws": {
    text: (text: string) => inWorker(text, throwing),
    as: { code: 7, signal: null, stderr: "" },
  },
} satisfies Record<string, { text: (text: string) => string; as: Partial<Ending> }>;

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.layOut();
});

afterAll(() => scene.close());

/** Every so many calls: each is a process. */
const stride = 5;

describe.each(Object.entries(endings))("when %s", (_, { text, as }) => {
  for (const operation of operations) {
    const outcome = operation.stays ? "ends" : "is undone";
    needs(
      "seam",
      "veth",
      "bridge",
      ...operation.needs,
    )(
      `${operation.call} ${outcome}, at every ${stride}th of its calls`,
      async () => {
        let undone = 0;
        let finished = 0;
        for (let at = 1; ; at += stride) {
          await scene.prepare(operation);
          const ending = await runModule(text(standing(operation, at)));
          if (ending.code === cameToItsEnd) break;
          expect(ending).toMatchObject(as);
          if (operation.stays) continue;
          if (await operation.finished?.()) finished += 1;
          else {
            await scene.expectAsBefore();
            undone += 1;
          }
        }
        expect(finished).toBeLessThanOrEqual(1);
        if (!operation.stays) expect(undone).toBeGreaterThan(0);
      },
      300_000,
    );
  }
});
