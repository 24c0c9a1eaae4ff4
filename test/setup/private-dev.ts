/**
 * A /dev of this process's own, as a container has one: no `/dev/tapN` appears in it, and what is
 * made in it can only be ours. Needs root, and the mount namespace that every worker has.
 */
import { execFileSync } from "node:child_process";

const script = `
set -e
dev=$(mktemp -d)
mount -t tmpfs tmpfs "$dev"
mkdir "$dev/net"
mknod -m 666 "$dev/null" c 1 3
mknod -m 666 "$dev/urandom" c 1 9
mknod -m 600 "$dev/net/tun" c 10 200
mount --move "$dev" /dev
rmdir "$dev"
`;

/** Puts it in place for the rest of the process's life. */
export function mountPrivateDev(): void {
  execFileSync("/bin/sh", ["-c", script]);
}
