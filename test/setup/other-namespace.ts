/** A second network namespace, for tests of what stands between two. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { unshare } from "./namespace.js";
import { execute } from "./shell.js";

/** Lives until it is disposed of; its links go with it. */
export interface OtherNamespace extends AsyncDisposable {
  /** Of the process that holds it: `ip link set … netns <pid>` moves a link there. */
  pid: number;
  /** Runs a program in it; gives what that prints. */
  run(program: string, ...args: string[]): Promise<string>;
}

/** Makes one, held by a process that does nothing else. */
export async function otherNamespace(): Promise<OtherNamespace> {
  const holder = spawn(unshare, ["--net", "--", "/bin/sh", "-c", "echo there; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  return {
    pid: holder.pid as number,
    run: (...command) => execute("nsenter", `--net=/proc/${holder.pid}/ns/net`, ...command),
    [Symbol.asyncDispose]: async () => {
      const exit = once(holder, "exit");
      holder.stdin.end();
      await exit;
    },
  };
}
