/** The process ends in the middle of an operation: by itself, by an error, by a signal. */
import { expect } from "vitest";
import { endInTheMiddle, throwing } from "./endings.js";

/** The signal comes while the event loop runs, as from a service manager. */
const terminating = 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1_000);';

endInTheMiddle([
  {
    when: "the process exits",
    text: (operation) => `${operation} process.exit(7);`,
    as: { code: 7, signal: null, stderr: "" },
  },
  {
    when: "an error is not caught",
    text: (operation) => `${operation} ${throwing}`,
    as: { code: 1, signal: null, stderr: expect.stringContaining("Error: mine") },
  },
  {
    when: "SIGTERM is handled by an exit",
    text: (operation) =>
      `process.once("SIGTERM", () => process.exit(7)); ${operation} ${terminating}`,
    as: { code: 7, signal: null, stderr: "" },
  },
  {
    when: "SIGTERM is not handled",
    text: (operation) => `${operation} ${terminating}`,
    as: { code: null, signal: "SIGTERM", stderr: "" },
    kills: true,
  },
]);
