/**
 * The exit codes, and what `--help` and docs/errors.md say of them; and the codes of errors that only the
 * command has. The one place for these.
 *
 * Imports nothing, so that scripts/errors-page.mjs can read it without building the package.
 */

/** The exit codes by what they mean. */
export const exitCodes = {
  /** It was done. */
  done: 0,
  /** The kernel or the library refused, or standard output could not be written. */
  refused: 1,
  /** Wrong usage, or a file that can't be used; nothing was sent. */
  invalid: 2,
  /** `plan --exit-code`: there is something to do. */
  pending: 3,
} as const;

/** One of them. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const words: Record<keyof typeof exitCodes, string> = {
  done: "done",
  refused: "refused by the kernel or the library, or the output could not be written",
  invalid: "wrong usage, or a file that is unreadable or wrong; nothing was sent",
  pending: "only with plan --exit-code: there is something to do",
};

/** The exit codes with their meanings; a shell makes the last of what a signal ended. */
export const exitCodeTable: readonly (readonly [code: string, meaning: string])[] = [
  ...(Object.keys(words) as (keyof typeof exitCodes)[]).map(
    (name) => [`${exitCodes[name]}`, words[name]] as const,
  ),
  ["128+n", "ended by signal n (SIGINT: 130); what could be was taken back"],
];

/** The lines of `--help`. */
export function exitCodeHelp(): string {
  return ["Exit codes:", ...exitCodeTable.map(([code, words]) => `  ${code}  ${words}`)].join("\n");
}

/** The codes of errors that only the command has, as `--json` prints them. */
export const commandCodes = {
  ERR_USAGE: "What was typed cannot be, or the files that it names do not go together.",
  ERR_INTERRUPTED: "A signal ended the command, and all that it had done was taken back.",
} as const;

/** One of them. */
export type CommandCode = keyof typeof commandCodes;
