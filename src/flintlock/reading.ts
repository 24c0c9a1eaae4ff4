/** What the readers of JSON and of YAML have in common. */

/** What a reader makes of a text: its value, or why and where it can't be read. */
export type Reading =
  | { value: unknown }
  | { offset: number; expected: string; received: string; cause?: Error };
