/** Containers of tests; scripts/container.mjs runs them. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** The command that runs another in a container with these flags of the engine's. */
export function container(...flags: string[]): string[] {
  return [process.execPath, "scripts/container.mjs", ...flags, "--"];
}

/** A container that does nothing until it is ended. */
export interface RunningContainer {
  /** What runs it. */
  script: ChildProcess;
  /** What the script started, as far as it still runs. */
  processes(): number[];
  /** The cgroups that the script made. */
  cgroups(): Promise<string[]>;
}

/** The state and the parent of a process; undefined when it is gone. */
function stateOf(pid: number): { state: string; parent: number } | undefined {
  try {
    const [, state = "", parent] =
      /^.*\) (\S) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

function descendants(ancestor: number): number[] {
  const all = readdirSync("/proc").map(Number).filter(Boolean);
  const children = all.filter((pid) => stateOf(pid)?.parent === ancestor);
  return children.flatMap((pid) => [pid, ...descendants(pid)]);
}

/** Looks past the sysfs of this process's own, which hides the machine's cgroups. */
async function cgroupsOf(pid: number): Promise<string[]> {
  const look = `umount /sys; find /sys/fs/cgroup -maxdepth 2 -name flintap-container-${pid}`;
  const { stdout } = await execute("unshare", ["--mount", "--", "sh", "-c", look]);
  return stdout.split("\n").filter(Boolean);
}

/** Starts a container, and waits until a command runs in it. */
export async function startContainer(): Promise<RunningContainer> {
  const [program = "", ...flags] = container();
  const command = ["sh", "-c", "echo there; exec sleep infinity"];
  const script = spawn(program, [...flags, ...command], { stdio: ["ignore", "pipe", "inherit"] });
  await once(script.stdout, "data");
  const pid = script.pid as number;
  const started = descendants(pid);
  return {
    script,
    processes: () => started.filter((one) => ![undefined, "Z"].includes(stateOf(one)?.state)),
    cgroups: () => cgroupsOf(pid),
  };
}
