/** How a failed command ends: the words for people, and the exit code. */
import { CommanderError } from "commander";
import { FlintapError } from "../error.js";
import { InvalidDocumentError, UnreadableDocumentError } from "../flintlock/index.js";

/** The exit codes, as `--help` documents them. */
export const exitCodes = {
  /** It was done. */
  done: 0,
  /** The kernel or the library refused; nothing is left half made unless the message says so. */
  refused: 1,
  /** Wrong usage, or a file that can't be read or holds something wrong; nothing was sent. */
  invalid: 2,
} as const;

/** What to print and how to exit. */
export interface Ending {
  /** Lines for standard error. */
  lines: string[];
  /** One of {@link exitCodes}. */
  exitCode: number;
}

/**
 * The ending that an error leads to; undefined for one that no user can have caused, which is best
 * shown with its stack.
 */
export function endingOf(error: unknown): Ending | undefined {
  if (error instanceof CommanderError) {
    // Commander has printed it, or the help that was asked for.
    return { lines: [], exitCode: error.exitCode === 0 ? exitCodes.done : exitCodes.invalid };
  }
  if (error instanceof InvalidDocumentError) {
    return { lines: [`flintap: ${error.message}`], exitCode: exitCodes.invalid };
  }
  if (error instanceof FlintapError) {
    const lines = [`flintap: ${error.message}`, `hint: ${error.hint}`];
    return { lines, exitCode: exitCodes.refused };
  }
  if (error instanceof UnreadableDocumentError) {
    const lines = [`flintap: ${error.message}`, `hint: ${error.hint}`];
    return { lines, exitCode: exitCodes.invalid };
  }
  return undefined;
}
