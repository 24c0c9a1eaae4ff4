/**
 * What a command has of the process that it runs in: where its words go, and when to give up. The one
 * place that touches standard output and signals.
 */
import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
import { onAbort } from "../cancellation.js";
import { shown } from "../shown.js";
import type { ExitCode } from "./exit-codes.js";
import { Interrupted, OutputError } from "./failure.js";

/** For a command. */
export interface Terminal {
  /** Writes to standard output, and ends the line. */
  print(text: string): void;
  /**
   * Waits until what was printed has been taken, or nobody will take it, or {@link interrupted} fires.
   *
   * @throws {OutputError} It could not be written.
   */
  drained(): Promise<void>;
  /** Writes to standard error what is good to know and no failure. */
  note(message: string): void;
  /** How to exit, where nothing failed. */
  exitWith(code: ExitCode): void;
  /** Does what has to be taken back when {@link interrupted} fires; then people are told so. */
  changing<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Fires when the process is told to end, with {@link Interrupted} as the reason. */
  readonly interrupted: AbortSignal;
  /** Fires when nobody reads standard output any more. */
  readonly unread: AbortSignal;
}

/** The terminal of a process, which also ends that. */
export interface ProcessTerminal extends Terminal {
  /** Writes to standard error why a command failed. */
  fail(words: string): void;
  /** Ends the process, by the signal that told it to end if it `failed` for that. */
  end(failed: boolean): void;
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** That of this process. A second signal ends it as it would without flintap. */
export function processTerminal({ json }: { json: boolean }): ProcessTerminal {
  const { stdout } = process;
  const interrupted = new AbortController();
  const unread = new AbortController();
  let lost: OutputError | undefined;
  let changes = 0;

  const note = (message: string) =>
    console.error(json ? JSON.stringify({ note: { message } }) : `note: ${shown(message)}`);
  const onSignal = (signal: NodeJS.Signals) => {
    for (const one of signals) process.off(one, onSignal);
    if (changes > 0)
      note(`${signal}: taking back what can be; a second signal leaves everything as it is`);
    interrupted.abort(new Interrupted(signal));
  };
  for (const signal of signals) process.on(signal, onSignal);
  const onError = (error?: NodeJS.ErrnoException | null) => {
    // `flintap list | head -1` closes the pipe before everything is written; that is no failure.
    if (error?.code === "EPIPE") unread.abort();
    else if (error?.errno !== undefined) lost ??= outputError(error);
  };
  stdout.on("error", onError);
  process.stderr.on("error", () => {});

  return {
    print: (text) => {
      stdout.write(`${text}\n`, onError);
    },
    drained: async () => {
      await drained(interrupted.signal);
      if (lost !== undefined) throw lost;
    },
    note,
    exitWith: (code) => {
      process.exitCode = code;
    },
    changing: async (work) => {
      changes += 1;
      try {
        return await work();
      } finally {
        changes -= 1;
      }
    },
    interrupted: interrupted.signal,
    unread: unread.signal,
    fail: (words) => console.error(words),
    end: (failed) => {
      const reason: unknown = interrupted.signal.reason;
      const isStuck = stdout.writableLength > 0;
      const isOver = process.exitCode === 0;
      if (reason instanceof Interrupted && (failed || (isStuck && !isOver))) raise(reason.signal);
      // What nobody takes would keep the process alive.
      if (isStuck) process.exit();
    },
  };
}

/** Waits until standard output has handed everything over, or will not. */
async function drained(interrupted: AbortSignal): Promise<void> {
  const { stdout } = process;
  await new Promise<void>((resolve) => {
    const stop = onAbort(interrupted, resolve);
    stdout.write("", () => {
      stop();
      resolve();
    });
    if (interrupted.aborted) setImmediate(resolve);
  });
}

function outputError(error: NodeJS.ErrnoException): OutputError {
  const { code = "", errno = 0 } = error;
  const [, words = error.message] = getSystemErrorMap().get(errno) ?? [];
  return new OutputError(`${words} (${code})`, code, { cause: error });
}

/** Ends the process by a signal that has no listener any more, so that a shell sees which it was. */
function raise(signal: NodeJS.Signals): never {
  process.kill(process.pid, signal);
  // The first process of a container does not end by it.
  process.exit(128 + constants.signals[signal]);
}
