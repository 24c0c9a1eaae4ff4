// Runs the program again in network and mount namespaces of its own, so that the host is not
// touched. An ordinary user gets them inside a user namespace.
import { spawnSync } from "node:child_process";
import process from "node:process";

const mark = "FLINTAP_QUICKSTART_INSIDE";

/** Whether this process is in the namespaces already. */
export const isInside = process.env[mark] !== undefined;

/** Whether this process is root of the machine, and not only of a user namespace. */
export const isRoot = process.env[mark] !== "user" && process.getuid?.() === 0;

/** Returns in the namespaces; outside of them it never does. */
export function enterNamespaces() {
  if (isInside) return;
  const user = isRoot ? [] : ["--user", "--map-root-user"];
  const { status, error } = spawnSync(
    "unshare",
    ["--net", "--mount", ...user, "--", process.execPath, ...process.argv.slice(1)],
    { stdio: "inherit", env: { ...process.env, [mark]: isRoot ? "root" : "user" } },
  );
  if (error !== undefined) console.error(`unshare (Debian's util-linux): ${error.message}`);
  else if (status !== 0 && !isRoot) {
    console.error("An ordinary user needs user namespaces (kernel.unprivileged_userns_clone=1).");
  }
  process.exit(status ?? 1);
}
