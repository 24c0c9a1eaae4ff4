/**
 * The command that puts a process into network and mount namespaces of its own, where `lo` is up
 * and /sys/class/net shows that namespace. The host is not touched.
 */
import { spawnSync } from "node:child_process";

const isRoot = process.getuid?.() === 0;

// A fresh sysfs, since the one of before keeps showing the namespace it was mounted in. The
// sanitizers' libraries are for Node alone, so they are preloaded only here, at the last step.
const prepare = [
  "mount -t sysfs sysfs /sys",
  "ip link set lo up",
  '[ -z "$FLINTAP_PRELOAD" ] || export LD_PRELOAD="$FLINTAP_PRELOAD"',
  'exec "$@"',
].join(" && ");

/** The program. */
export const unshare = "/usr/bin/unshare";

/** Its arguments; the command to run comes after them. An ordinary user maps itself to root. */
export const unshareArguments = [
  "--net",
  "--mount",
  ...(isRoot ? [] : ["--user", "--map-root-user"]),
  "--",
  "/bin/sh",
  "-c",
  prepare,
  "sh",
];

/** Why this machine gives us no such namespace; undefined when it does. */
export function namespaceObstacle(): string | undefined {
  const { status, error, stderr } = spawnSync(unshare, [...unshareArguments, "true"], {
    encoding: "utf8",
  });
  if (status === 0) return undefined;
  const words = error?.message ?? stderr.trim();
  if (/not found/.test(words)) return "ip is missing; it comes with Debian's iproute2";
  const wanted = isRoot
    ? "a private network namespace"
    : "user namespaces for an ordinary user (kernel.unprivileged_userns_clone, or run as root)";
  return `${wanted}: ${words}`;
}
