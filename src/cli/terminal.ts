/**
 * What a command has of the process that it runs in: where its words go, and when to give up. The one
 * place that touches standard output and signals.
 */
import { shown } from "../shown.js";
import type { ExitCode } from "./exit-codes.js";
import { Interrupted } from "./failure.js";

/** For a command. */
export interface Terminal {
  /** Writes to standard output, and ends the line. */
  print(text: string): void;
  /** Writes to standard error what is good to know and no failure. */
  note(message: string, json?: boolean): void;
  /** How to exit, where nothing failed. */
  exitWith(code: ExitCode): void;
  /** Fires when the process is told to end, with {@link Interrupted} as the reason. */
  readonly interrupted: AbortSignal;
  /** Fires when nobody reads standard output any more. */
  readonly unread: AbortSignal;
}

/** That of this process. A second signal of a kind ends it as it would without flintap. */
export function processTerminal(): Terminal {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => interrupted.abort(new Interrupted(signal)));
  const unread = new AbortController();
  // `flintap list | head -1` closes the pipe before everything is written; that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    unread.abort();
  });
  return {
    print: (text) => console.log(text),
    note: (message, json = false) =>
      console.error(json ? JSON.stringify({ note: { message } }) : `note: ${shown(message)}`),
    exitWith: (code) => {
      process.exitCode = code;
    },
    interrupted: interrupted.signal,
    unread: unread.signal,
  };
}
