/** /proc/sys as most containers have it. For processes in a mount namespace of their own. */
import { execFileSync } from "node:child_process";

/** Runs `body` while `/proc/sys` is read-only, as in a container. */
export async function withReadOnlyProcSys(body: () => Promise<void>): Promise<void> {
  execFileSync("mount", ["--bind", "/proc/sys", "/proc/sys"]);
  try {
    execFileSync("mount", ["-o", "remount,bind,ro", "/proc/sys"]);
    await body();
  } finally {
    execFileSync("umount", ["/proc/sys"]);
  }
}
