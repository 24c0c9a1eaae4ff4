/**
 * Node processes that a test starts, in its own namespace: for what ends a process (kills, exits,
 * signals) and for what must be looked at from outside (strace).
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const packageRoot = fileURLToPath(new URL("../..", import.meta.url));

/** How a child ended. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** For {@link runNode}. */
export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  /** A command to run Node under, such as `["strace", "-f", "-o", path]`. */
  under?: string[];
  /** Called with every piece of standard output, and the child's pid. */
  onOutput?: (text: string, pid: number) => void;
}

/** The command that starts Node, with the sanitizer's library preloaded where one watches. */
export function nodeCommand(under: string[] | undefined): string[] {
  const preload = process.env.FLINTAP_PRELOAD;
  if (preload === undefined) return [...(under ?? []), process.execPath];
  // By env, so that what it runs under is spared. A tracer and the leak checker exclude each other.
  const leaks = under === undefined ? [] : ["ASAN_OPTIONS=detect_leaks=0"];
  return [...(under ?? []), "env", `LD_PRELOAD=${preload}`, ...leaks, process.execPath];
}

/** Runs Node with these arguments, in the package's root, to its end. */
export function runNode(args: string[], options: RunOptions = {}): Promise<Ending> {
  const [command, ...rest] = [...nodeCommand(options.under), ...args];
  const child = spawn(command as string, rest, {
    cwd: packageRoot,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ending: Ending = { code: null, signal: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    ending.stdout += text;
    options.onOutput?.(text, child.pid as number);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    ending.stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ ...ending, code, signal }));
  });
}

/**
 * Runs an ES module, given as text. It imports the built package by its own name:
 * `import { createTap } from "flintap"`.
 */
export function runModule(source: string, options?: RunOptions): Promise<Ending> {
  return runNode(["--input-type=module", "--eval", source], options);
}
