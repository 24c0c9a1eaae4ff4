/** What the process has open and runs, for tests that nothing may be left of. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The inodes of the netlink sockets in this namespace. */
function netlinkInodes(): Set<string> {
  const lines = readFileSync("/proc/self/net/netlink", "utf8").trim().split("\n").slice(1);
  return new Set(lines.map((line) => line.trim().split(/\s+/).at(-1) ?? ""));
}

function target(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined; // the one by which the folder was read
  }
}

/** What a sanitizer that watches this process writes its report with. */
const sanitizers = /^\/proc\/\d+\/maps$|\/report\.\d+$/;

/**
 * Every open descriptor that may be the native core's, with what it stands for. Pipes, and sockets
 * other than netlink's, are the test's own to its children and to vitest.
 */
export function openDescriptors(): string[] {
  const netlink = netlinkInodes();
  const mayBeOurs = (path: string): boolean => {
    const inode = /^socket:\[(\d+)\]$/.exec(path)?.[1];
    if (inode !== undefined) return netlink.has(inode);
    return !path.startsWith("pipe:") && !sanitizers.test(path);
  };
  return readdirSync("/proc/self/fd")
    .map((fd) => ({ fd, path: target(fd) }))
    .filter(({ path }) => path !== undefined && mayBeOurs(path))
    .map(({ fd, path }) => `${fd} ${path}`)
    .sort();
}

/** The number of the process's threads. */
export function threadCount(): number {
  return readdirSync("/proc/self/task").length;
}
