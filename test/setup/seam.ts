/**
 * Faults at system calls of the native core, for the fault tests: an operation is run again and
 * again, each time with the next of its system calls failing, or with the process killed there.
 */
import { createRequire } from "node:module";
import type { NativeAddon, NativeFaults, NativeSeam } from "../../src/addon.js";
import { type Ending, runModule } from "./child.js";

/** More calls than any operation makes: past it, the seam has lost count. */
const mostCalls = 1_000;

/** One run of an operation under faults, and what came of it. */
export interface FaultyRun<Result> {
  /** Which calls were to fail, from 1, for a message. */
  at: string;
  /** With what they failed. */
  errno: number;
  /** The names of the calls that failed; none in the run that goes by untouched. */
  struck: string[];
  /** What the operation rejected with. */
  error?: unknown;
  /** What the operation resolved with, when it did. */
  result?: Result;
}

/** The test build's switch, of the addon that `FLINTAP_ADDON` names. */
export function seam(): NativeSeam {
  const path = process.env.FLINTAP_ADDON;
  if (path === undefined) throw new Error("FLINTAP_ADDON does not name the addon's test build");
  const addon: NativeAddon = createRequire(import.meta.url)(path);
  if (addon.seam === undefined) throw new Error(`${path} was built without the test seam`);
  return addon.seam;
}

/** Runs an operation with the `at`-th of its calls failing, and what else `more` names. */
export async function withFaults<Result>(
  at: number,
  errno: number,
  operate: () => Promise<Result>,
  more: NativeFaults = {},
): Promise<FaultyRun<Result>> {
  const fault = seam();
  const name = more.fromThenOn
    ? `${at} and all later ones`
    : [at, more.andAt].filter((place) => place !== undefined).join(" and ");
  fault.arm(at, errno, more);
  try {
    const result = await operate();
    return { at: name, errno, result, struck: fault.disarm().struck };
  } catch (error) {
    return { at: name, errno, error, struck: fault.disarm().struck };
  }
}

/**
 * Runs `operate` with its 1st system call failing with `errno`, then its 2nd, and so on to the run
 * that goes by unstruck, which must succeed. `inspect` looks at what each run left, and cleans up
 * what it made. Gives the names of the calls struck.
 */
export async function failEveryCall<Result>(
  errno: number,
  operate: () => Promise<Result>,
  inspect: (run: FaultyRun<Result>) => Promise<void>,
  more: NativeFaults = {},
): Promise<string[]> {
  const names: string[] = [];
  for (let at = 1; at <= mostCalls; at++) {
    const run = await withFaults(at, errno, operate, more);
    const [name] = run.struck;
    if (name === undefined && run.error !== undefined) throw run.error;
    await inspect(run);
    if (name === undefined) return names;
    names.push(name);
  }
  throw new Error(`Still struck after ${mostCalls} system calls`);
}

/**
 * Runs `operate` with every two of its system calls failing: each, and each that comes after it in
 * the run where it failed, thus also those of the undoing. Gives the number of pairs. With a
 * `stride`, only every so many of the first calls fail.
 */
export async function failEveryPair<Result>(
  errno: number,
  operate: () => Promise<Result>,
  inspect: (run: FaultyRun<Result>) => Promise<void>,
  more: NativeFaults = {},
  stride = 1,
): Promise<number> {
  let pairs = 0;
  for (let at = 1; at <= mostCalls; at += stride) {
    for (let andAt = at + 1; ; andAt++) {
      const run = await withFaults(at, errno, operate, { ...more, andAt });
      await inspect(run);
      if (run.struck.length === 0) return pairs;
      if (run.struck.length === 1) break;
      pairs++;
    }
  }
  throw new Error(`Still struck after ${mostCalls} system calls`);
}

/** Waits for an operation thread to stand still where it was told to; false if it came to its end. */
async function standsStill(settled: () => boolean): Promise<boolean> {
  while (!seam().isPaused()) {
    if (settled()) return false;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return true;
}

/** What came of an operation that something happened to on its way. */
export type Met<Result> = Pick<FaultyRun<Result>, "error" | "result">;

/**
 * Prepares, and runs `operate`; while its thread stands before its 1st system call, `amid` happens,
 * then before its 2nd, and so on to the run that comes to its end. Gives the number of calls.
 */
export async function meetAtEveryCall<Result>(
  prepare: () => Promise<void>,
  operate: () => Promise<Result>,
  amid: () => Promise<void>,
  inspect: (run: Met<Result>) => Promise<void>,
): Promise<number> {
  const fault = seam();
  for (let at = 1; at <= mostCalls; at++) {
    const run: Met<Result> = {};
    let settled = false;
    await prepare();
    fault.arm(0, 0, { pauseAt: at });
    const operation = operate()
      .then((result) => Object.assign(run, { result }))
      .catch((error: unknown) => Object.assign(run, { error }))
      .finally(() => {
        settled = true;
      });
    const stood = await standsStill(() => settled);
    await amid();
    fault.resume();
    await operation;
    fault.disarm();
    if (!stood && run.error !== undefined) throw run.error;
    await inspect(run);
    if (!stood) return at - 1;
  }
  throw new Error(`Still stood still after ${mostCalls} system calls`);
}

/**
 * Runs a piece of code with the process killed at its 1st system call, then its 2nd, and so on to
 * the run that ends by itself. `body` is the text of an async function's body, which finds the
 * package's exports in `flintap` and a handle in `namespace`; it calls `arm()` where the counting
 * begins. Each run is a process of its own. `inspect` looks at what a killed process has left.
 * Gives the number of calls.
 */
export async function killAtEveryCall(
  body: string,
  inspect: (at: number) => Promise<void>,
  more: NativeFaults = {},
): Promise<number> {
  for (let at = 1; at <= mostCalls; at++) {
    const ending = await runModule(`
      import { createRequire } from "node:module";
      import * as flintap from "flintap";
      const { seam } = createRequire(import.meta.url)(process.env.FLINTAP_ADDON);
      const arm = () => seam.arm(${at}, 0, ${JSON.stringify(more)});
      const namespace = flintap.NetworkNamespace.current();
      await (async () => { ${body} })();
      process.exitCode = seam.disarm().calls > 0 ? 0 : 3;
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
