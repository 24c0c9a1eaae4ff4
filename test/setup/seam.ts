/**
 * Faults at system calls of the native core, for the fault tests: an operation is run again and
 * again, each time with the next of its system calls failing, or with the process killed there.
 */
import { createRequire } from "node:module";
import type { NativeAddon, NativeSeam } from "../../src/addon.js";
import { type Ending, runModule } from "./child.js";

/** More calls than any operation makes: past it, the seam has lost count. */
const mostCalls = 1_000;

/** One fault and what came of it. */
export interface Strike {
  /** Which system call it was, from 1. */
  at: number;
  /** The call's name. */
  call: string;
  /** What the operation rejected with; undefined when it resolved all the same. */
  error?: unknown;
}

/** The test build's switch, of the addon that `FLINTAP_ADDON` names. */
export function seam(): NativeSeam {
  const path = process.env.FLINTAP_ADDON;
  if (path === undefined) throw new Error("FLINTAP_ADDON does not name the addon's test build");
  const addon: NativeAddon = createRequire(import.meta.url)(path);
  if (addon.seam === undefined) throw new Error(`${path} was built without the test seam`);
  return addon.seam;
}

/**
 * Runs `operate` with its 1st system call failing with `errno`, then its 2nd, and so on until a
 * run goes by unstruck. `inspect` looks at what each struck run left, and cleans up what a run
 * that resolved has made. Gives the number of calls struck.
 */
export async function failEveryCall(
  errno: number,
  operate: () => Promise<unknown>,
  inspect: (strike: Strike) => Promise<void>,
): Promise<number> {
  const fault = seam();
  for (let at = 1; at <= mostCalls; at++) {
    fault.arm(at, errno);
    let error: unknown;
    try {
      await operate();
    } catch (reason) {
      error = reason;
    }
    const { struck } = fault.disarm();
    if (struck === undefined) {
      if (error !== undefined) throw error;
      return at - 1;
    }
    await inspect({ at, call: struck, error });
  }
  throw new Error(`Still struck after ${mostCalls} system calls`);
}

/**
 * The same with the process killed at the call. `body` is the text of an async function's body,
 * which finds the package's exports in `flintap`; each run is a process of its own. `inspect`
 * looks at what a killed process has left. Gives the number of calls struck.
 */
export async function killAtEveryCall(
  body: string,
  inspect: (at: number) => Promise<void>,
): Promise<number> {
  for (let at = 1; at <= mostCalls; at++) {
    const ending = await runModule(`
      import { createRequire } from "node:module";
      import * as flintap from "flintap";
      const { seam } = createRequire(import.meta.url)(process.env.FLINTAP_ADDON);
      seam.arm(${at}, 0);
      await (async () => { ${body} })();
    `);
    if (ending.signal !== "SIGKILL") {
      assertCleanExit(ending);
      return at - 1;
    }
    await inspect(at);
  }
  throw new Error(`Still killed after ${mostCalls} system calls`);
}

function assertCleanExit({ code, signal, stderr }: Ending): void {
  if (code !== 0) throw new Error(`The child ended with ${signal ?? code}:\n${stderr}`);
}
