/** The exit codes, and what `--help` says of them. The one place for both. */

/** The exit codes by what they mean. */
export const exitCodes = {
  /** It was done. */
  done: 0,
  /** The kernel or the library refused. */
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
  refused: "refused by the kernel or the library",
  invalid: "wrong usage, or a file that is unreadable or wrong; nothing was sent",
  pending: "only with plan --exit-code: there is something to do",
};

/** What a shell makes of a process that a signal ended. */
const bySignal = "  128+n  ended by signal n (SIGINT: 130); what could be was taken back";

/** The lines of `--help`. */
export function exitCodeHelp(): string {
  const lines = (Object.keys(words) as (keyof typeof exitCodes)[]).map(
    (name) => `  ${exitCodes[name]}  ${words[name]}`,
  );
  return ["Exit codes:", ...lines, bySignal].join("\n");
}
