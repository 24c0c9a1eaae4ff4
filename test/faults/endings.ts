/**
 * The process, or a worker thread, ends while an operation stands before one of its system calls.
 * No end crashes, hangs or leaves a device, save one that kills. Each is a process of its own, so a
 * sanitizer looks at each.
 */
import { describe, expect } from "vitest";
import type { NetworkNamespace } from "../../src/index.js";
import type { Capability } from "../setup/capabilities.js";
import { type Ending, runModule } from "../setup/child.js";
import { ip, link } from "../setup/iproute2.js";
import { elsewhere, emptyElsewhere, openBlue } from "./elsewhere.js";
import { onScene, sceneOfFile } from "./scene.js";

/** An operation, as the text of a call. */
interface Interrupted {
  /** What it is a call on. Default: a handle on the process's own namespace. */
  on?: string;
  call: string;
  needs: Capability[];
  prepare?(steady: NetworkNamespace): Promise<unknown>;
  /** Text that runs before the call is counted. */
  before?: string;
  /** There is nothing to undo, or it is not undone. */
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
    call: 'deleteLinks(["victim", "other"])',
    needs: [],
    prepare: async (steady) => {
      for (const name of ["victim", "other"]) await steady.createBridge({ name });
    },
    stays: true,
  },
  {
    before: 'const queue = await namespace.openTap("guest0");',
    on: "queue",
    call: "close()",
    needs: ["tun"],
    prepare: (steady) => steady.createTap({ name: "guest0" }),
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
  { call: 'getLink("lo", { statistics: true })', needs: [], stays: true },
  { call: "listLinks()", needs: [], stays: true },
  { call: "watchLinks({ initial: true }).next()", needs: [], stays: true },
  {
    on: "flintap.NetworkNamespace",
    call: 'open("/proc/self/ns/net")',
    needs: ["root"],
    stays: true,
  },
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
export const cameToItsEnd = 42;

/** Text that begins an operation and waits until it stands before its `at`-th system call. */
function standing({ before = "", on = "namespace", call }: Interrupted, at: number): string {
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
    globalThis.operation = ${on}.${call}.finally(() => { settled = true; });
    while (!seam.isPaused()) {
      if (settled) process.exit(${cameToItsEnd});
      await new Promise((resolve) => setImmediate(resolve));
    }`;
}

export const throwing = 'setImmediate(() => { throw new Error("mine"); });';

/** A way to end, and how the process ends then. */
export interface End {
  when: string;
  text(operation: string): string;
  as: Partial<Ending>;
  /** Nobody is left to undo anything: what is there then, killed.test.ts tells. */
  kills?: boolean;
}

/** Every so many calls, since each is a process. */
const stride = 7;

/** Registers, for each way to end, a test for each operation. */
export function endInTheMiddle(ends: readonly End[]): void {
  const scene = sceneOfFile();

  describe.each(ends)("when $when", ({ text, as, kills = false }) => {
    for (const operation of operations) {
      const undoes = !kills && !operation.stays;
      const outcome = undoes ? "is undone" : "ends";
      onScene(operation)(
        `${operation.call} ${outcome}, at every ${stride}th of its calls`,
        async () => {
          let stood = 0;
          let finished = 0;
          for (let at = 1; ; at += stride) {
            await scene().prepare(operation);
            const ending = await runModule(text(standing(operation, at)));
            if (ending.code === cameToItsEnd) break;
            expect(ending).toMatchObject(as);
            stood += 1;
            if (!undoes) continue;
            if (await operation.finished?.()) finished += 1;
            else await scene().expectAsBefore();
          }
          expect(finished).toBeLessThanOrEqual(1);
          expect(stood).toBeGreaterThan(finished);
        },
        300_000,
      );
    }
  });
}
