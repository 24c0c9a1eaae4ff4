/** What every process of the kernel and fault tests does first. */
import { readlinkSync } from "node:fs";

// Such as with vitest's `--pool`: the tests would make their devices on the host.
const host = process.env.FLINTAP_HOST_NAMESPACE;
if (host === undefined || host === readlinkSync("/proc/self/ns/net"))
  throw new Error("This test runs only in a network namespace that the pool in pool.ts made");

// A sanitizer's library, preloaded into this process, is not for `ip` and other children.
// child.ts gives it to those that are Node.
delete process.env.LD_PRELOAD;

// At a plain SIGTERM no exit handler would run, the leak checker's neither.
process.once("SIGTERM", () => process.exit());
