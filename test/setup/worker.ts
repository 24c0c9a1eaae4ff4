/** What every process of the kernel and fault tests does first. */

// A sanitizer's library, preloaded into this process, is not for `ip` and other children.
// child.ts gives it to those that are Node.
delete process.env.LD_PRELOAD;

// At a plain SIGTERM no exit handler would run, the leak checker's neither.
process.once("SIGTERM", () => process.exit());
