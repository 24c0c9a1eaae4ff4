/**
 * What a kernel test may need and a machine may lack. A test that needs something is registered
 * through `needs`, which skips it with the exact reason where that is missing; scripts/test.mjs
 * prints the reason.
 *
 *     needs("tun", "bridge")("attaches a tap", async () => { … });
 *
 * The probes make devices: only for processes in a namespace of their own.
 */
import { spawnSync } from "node:child_process";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it, type TestFunction } from "vitest";
import { requireGuestNetwork } from "../../scripts/guest/image.mjs";

declare module "vitest" {
  interface TaskMeta {
    /** Why a test was skipped: the exact thing that is missing. */
    skipReason?: string;
  }
}

/** Runs a program; its complaint in one line, or undefined when it succeeds. */
function complaint(command: string, ...args: string[]): string | undefined {
  const { error, status, stderr } = spawnSync(command, args, { encoding: "utf8", timeout: 10_000 });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim().split("\n")[0];
}

/** What `ip link add` says to a device, removed again at once. */
function linkComplaint(...settings: string[]): string | undefined {
  const name = "flprobe0";
  const failed = complaint("ip", "link", "add", name, ...settings);
  spawnSync("ip", ["link", "del", name]);
  return failed;
}

function openComplaint(path: string): string | undefined {
  try {
    closeSync(openSync(path, constants.O_RDWR));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function withFolder<Result>(body: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), "flintap-probe-"));
  try {
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A macvtap on a veth, for as long as `body` looks at it. */
function withMacvtap<Result>(body: (index: string) => Result): Result {
  spawnSync("ip", ["link", "add", "flprobe1", "type", "veth", "peer", "name", "flprobe2"]);
  try {
    const index = 1_900_000_000 + Math.floor(Math.random() * 100_000_000);
    spawnSync(
      "ip",
      `link add link flprobe1 name flprobe0 index ${index} type macvtap mode bridge`.split(" "),
    );
    return body(String(index));
  } finally {
    spawnSync("ip", ["link", "del", "flprobe1"]);
  }
}

/** The command that runs another as a user without any right of root. */
export const ordinaryUser = [
  "setpriv",
  "--reuid=65534",
  "--regid=65534",
  "--clear-groups",
  "--bounding-set=-all",
] as const;

function mknodObstacle(): string | undefined {
  return withFolder((folder) => {
    const node = join(folder, "null");
    const failed = complaint("mknod", node, "c", "1", "3") ?? openComplaint(node);
    return failed && `CAP_MKNOD and a device file that opens (${failed})`;
  });
}

function tapNodeObstacle(): string | undefined {
  return withMacvtap((index) => {
    const failed = openComplaint(`/dev/tap${index}`);
    return failed && `/dev/tapN made by the kernel, devtmpfs (${failed})`;
  });
}

function containerObstacle(engine?: string): string | undefined {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/container.mjs", "--", "true"], {
    encoding: "utf8",
    env: engine === undefined ? process.env : { ...process.env, FLINTAP_CONTAINER_ENGINE: engine },
  });
  const words = stderr.trim().split("\n").at(-1);
  return status === 0 ? undefined : `${engine ?? ""} containers (${words})`.trimStart();
}

/** Each gives the reason why the capability is missing, or undefined when it is there. */
const probes = {
  /** Root of the machine, not of a user namespace. */
  root: () =>
    /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"))
      ? undefined
      : "root (this is an ordinary user, mapped to root in a user namespace)",
  /** Root can become an ordinary user who has user namespaces. */
  "ordinary-user": () => {
    const failed = complaint(
      ...ordinaryUser,
      "unshare",
      "--user",
      "--map-root-user",
      "--net",
      "true",
    );
    return failed && `an ordinary user who has user namespaces (${failed})`;
  },
  /** /dev/net/tun can be opened. */
  tun: () => {
    const failed = openComplaint("/dev/net/tun");
    return failed && `/dev/net/tun (${failed})`;
  },
  /** Device nodes can be made, and opened. */
  mknod: mknodObstacle,
  /** The kernel makes /dev/tapN for a macvtap, and it can be opened. */
  "tap-node": tapNodeObstacle,
  /** A macvtap's queue can be opened: by the kernel's node, or by one made for it. */
  "macvtap-queue": () => {
    const obstacles = [tapNodeObstacle(), mknodObstacle()];
    return obstacles.includes(undefined) ? undefined : obstacles.join(", and ");
  },
  veth: () => {
    const failed = linkComplaint("type", "veth", "peer", "name", "flprobe9");
    return failed && `veth devices (${failed})`;
  },
  bridge: () => {
    const failed = linkComplaint("type", "bridge");
    return failed && `bridges (${failed})`;
  },
  ifb: () => {
    const failed = linkComplaint("type", "ifb");
    return failed && `ifb devices (CONFIG_IFB: ${failed})`;
  },
  vxlan: () => {
    const failed = linkComplaint("type", "vxlan", "id", "7", "dstport", "4789");
    return failed && `vxlan devices (CONFIG_VXLAN: ${failed})`;
  },
  macvtap: () =>
    withMacvtap(() => {
      const failed = complaint("ip", "link", "show", "flprobe0");
      return failed && `macvtap devices (CONFIG_MACVTAP: ${failed})`;
    }),
  "bridge-vlan-filtering": () => {
    const failed = linkComplaint("type", "bridge", "vlan_filtering", "1");
    return failed && `bridge VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING: ${failed})`;
  },
  /** The kernel answers a create with the new link (NLM_F_ECHO); Linux 6.1 does not. */
  "create-echo": () => {
    const add = ["-echo", "-json", "link", "add", "flprobe0", "type", "bridge"];
    const { stdout } = spawnSync("ip", add, { encoding: "utf8", timeout: 10_000 });
    spawnSync("ip", ["link", "del", "flprobe0"]);
    return stdout?.includes("flprobe0") ? undefined : "a kernel that echoes creates";
  },
  /** A link that is up can be renamed. */
  "live-rename": () => {
    const words = "links that are renamed while they are up (Linux 6.2)";
    spawnSync("ip", ["link", "add", "flprobe0", "up", "type", "bridge"]);
    const failed = complaint("ip", "link", "set", "flprobe0", "name", "flprobe1");
    for (const name of ["flprobe0", "flprobe1"]) spawnSync("ip", ["link", "del", name]);
    return failed && `${words} (${failed})`;
  },
  /** /proc/sys can be written. */
  "proc-sys": () => {
    try {
      accessSync("/proc/sys/net/ipv6/conf/lo/disable_ipv6", constants.W_OK);
      return undefined;
    } catch (error) {
      return `a writable /proc/sys/net/ipv6 (${(error as Error).message})`;
    }
  },
  /** A container can be run. */
  container: containerObstacle,
  /** It is podman that runs it, which knows flags that Docker does not. */
  podman: () =>
    process.env.FLINTAP_CONTAINER_ENGINE === "docker"
      ? "podman containers (FLINTAP_CONTAINER_ENGINE says docker)"
      : containerObstacle("podman"),
  strace: () => {
    const failed = complaint("strace", "-o", "/dev/null", "true");
    return failed && `strace, Debian's strace (${failed})`;
  },
  /** What witnesses descriptors that were sent. */
  python: () => {
    const failed = complaint("python3", "-c", "import socket; socket.recv_fds");
    return failed && `python3 with socket.recv_fds (${failed})`;
  },
  tcpdump: () => {
    const failed = complaint("tcpdump", "--version");
    return failed && `tcpdump, Debian's tcpdump (${failed})`;
  },
  /** Real guests can be made and run, and have a DHCP server and a witness. */
  guests: () => {
    try {
      requireGuestNetwork();
      return undefined;
    } catch (error) {
      return `guests (${(error as Error).message})`;
    }
  },
  /** The addon's test build, in which system calls can be made to fail. */
  seam: () => {
    const path = process.env.FLINTAP_ADDON;
    if (path === undefined || !existsSync(path))
      return "the addon's test build (node scripts/build-addon.mjs testing)";
    const addon: { seam?: unknown } = createRequire(import.meta.url)(path);
    return addon.seam === undefined ? `${path} was built without the test seam` : undefined;
  },
} satisfies Record<string, () => string | undefined>;

/** Something a test may need. */
export type Capability = keyof typeof probes;

const known = new Map<Capability, string | undefined>();

/** Why a capability is missing, or undefined when it is there. Each is probed once a process. */
export function missing(capability: Capability): string | undefined {
  if (!known.has(capability)) known.set(capability, probes[capability]());
  return known.get(capability);
}

/** Gives vitest's `it` for a test that needs all of these, or skips the test with the reason. */
export function needs(
  ...capabilities: Capability[]
): (name: string, body: TestFunction, timeout?: number) => void {
  const reason = capabilities.map(missing).find((words) => words !== undefined);
  if (reason === undefined) return (name, body, timeout) => it(name, body, timeout);
  return (name, body) => it(name, { skip: true, meta: { skipReason: reason } }, body);
}
