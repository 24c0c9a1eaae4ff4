/** How a failed command ends: the words for people or programs, and the exit code. */
import { CommanderError } from "commander";
import { FlintapError } from "../error.js";
import { InvalidDocumentError, UnreadableDocumentError } from "../flintlock/index.js";
import { shown } from "../shown.js";
import { type CommandCode, type ExitCode, exitCodes } from "./exit-codes.js";
import { commandHint } from "./hints.js";

/** What was asked for cannot be: known before anything was read or sent. */
export class UsageError extends Error {
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(message: string, options: ErrorOptions & { hint?: string } = {}) {
    super(message, options);
    this.hint = options.hint;
  }
}

/** Several things are wrong, each for itself. */
export class SeveralErrors extends Error {
  /** At least one. */
  readonly errors: readonly unknown[];

  /**
   * @param errors What is wrong.
   * @param message That there are several, for programs.
   */
  constructor(errors: readonly unknown[], message: string) {
    super(message);
    this.errors = errors;
  }

  /** The only error there is, or all of them. */
  static of(errors: readonly unknown[], message: string): unknown {
    return errors.length > 1 ? new SeveralErrors(errors, message) : errors[0];
  }
}

/** A signal told the process to end. */
export class Interrupted extends Error {
  /** Which. */
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`${signal}: given up; nothing was changed`);
    this.signal = signal;
  }
}

/** Standard output could not be written: the disk is full. */
export class OutputError extends Error {
  /** The system's name for what is wrong. */
  readonly code: string;

  constructor(words: string, code: string, options: ErrorOptions) {
    super(
      `standard output: ${words}; the command ran, and what it printed is not complete`,
      options,
    );
    this.code = code;
  }
}

/** What a program is told of a failure: `{"error": …}` on standard error, with `--json`. */
export interface ErrorReport {
  /** What to match on: an errno's name or one of `ERR_…`. */
  code: string;
  /** What went wrong. */
  message: string;
  /** What to do about it. */
  hint?: string;
  /** Several things are wrong: the failure of each. */
  errors?: ErrorReport[];
  /** More, by the kind of error: `reason`, `device`, `leftBehind`, `issues` … */
  [fact: string]: unknown;
}

/** How a command ends. */
export interface Ending {
  /** Nothing where help was asked for. */
  report?: ErrorReport;
  exitCode: ExitCode;
}

/**
 * The ending that an error leads to; undefined for one that no user can have caused, which is best
 * shown with its stack.
 *
 * @param error What was thrown.
 * @param command The subcommand that failed: `spec check`.
 */
export function endingOf(error: unknown, command: string): Ending | undefined {
  if (error instanceof CommanderError) return endingOfCommander(error);
  if (error instanceof SeveralErrors) return endingOfSeveral(error, command);
  if (error instanceof FlintapError)
    return { report: refusalReport(error, command), exitCode: exitCodes.refused };
  if (error instanceof Interrupted) {
    const report = { code: "ERR_INTERRUPTED" satisfies CommandCode, message: error.message };
    return { report, exitCode: exitCodes.refused };
  }
  if (error instanceof OutputError) {
    const { code, message } = error;
    return { report: { code, message }, exitCode: exitCodes.refused };
  }
  const report = reportOfInvalid(error);
  return report && { report, exitCode: exitCodes.invalid };
}

/** A refusal in the words of the command: the call that it made there is no news to who typed it. */
export function refusalReport(error: FlintapError, command: string) {
  const { message, hint, ...facts } = FlintapError.again(error, { operation: command });
  return { ...facts, message, hint: commandHint(error.reason, error) ?? error.hint };
}

function reportOfInvalid(error: unknown): ErrorReport | undefined {
  if (error instanceof UsageError) {
    const { message, hint } = error;
    return { code: "ERR_USAGE" satisfies CommandCode, message, hint };
  }
  if (error instanceof InvalidDocumentError) {
    const { code, message, source, issues } = error;
    return { code, message, source, issues };
  }
  if (error instanceof UnreadableDocumentError) {
    const { code, message, hint, path } = error;
    return { code, message, hint, path };
  }
  return isArgumentError(error) ? { code: error.code, message: error.message } : undefined;
}

/** The library refused what the command line gave it: an owner that is too long. */
function isArgumentError(error: unknown): error is Error & { code: string } {
  if (!(error instanceof Error) || !("code" in error)) return false;
  const { code } = error;
  return typeof code === "string" && /^ERR_(INVALID_ARG|OUT_OF_RANGE)/.test(code);
}

/** "error: unknown option '--jsn'\n(Did you mean --json?)"; help has been printed already. */
function endingOfCommander({ exitCode, code, message }: CommanderError): Ending {
  if (exitCode === 0) return { exitCode: exitCodes.done };
  if (code === "commander.help") return { exitCode: exitCodes.invalid };
  const [first = "", suggestion] = message.split("\n");
  const hint = suggestion?.replace(/^\((.*)\)$/, "$1") ?? "See --help, also behind a subcommand.";
  const report = { code: "ERR_USAGE", message: first.replace(/^error: /, ""), hint };
  return { report, exitCode: exitCodes.invalid };
}

function endingOfSeveral({ errors, message }: SeveralErrors, command: string): Ending | undefined {
  const endings = errors.flatMap((error) => endingOf(error, command) ?? []);
  const reports = endings.flatMap(({ report }) => report ?? []);
  const [first] = reports;
  if (first === undefined || reports.length < errors.length) return undefined;
  const exitCode = Math.max(...endings.map((ending) => ending.exitCode)) as ExitCode;
  return { report: { code: first.code, message, errors: reports }, exitCode };
}

/** A failure in lines for people. */
export function errorText({ message, hint, errors, issues }: ErrorReport): string {
  if (errors !== undefined) return errors.map(errorText).join("\n");
  // Only a document's faults are a line each.
  const lines = issues === undefined ? [message] : message.split("\n");
  const all = [`flintap: ${lines.map(shown).join("\n")}`, hint && `hint: ${shown(hint)}`];
  return all.filter(Boolean).join("\n");
}

/** A failure as one line of JSON. */
export function errorJson(report: ErrorReport): string {
  return JSON.stringify({ error: report });
}
