// One process of `ip -batch`, started before the clock and told what to do over a pipe: so that
// neither its start nor a process per command is measured. `ip_batch.mjs KIND`.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { answerCommands } from "./answer.mjs";
import { additionsOf, freshNames } from "./ip_commands.mjs";

// `ip` answers no command but one that shows something: that one tells that all before it are done.
const question = "link show dev lo";

// Brief: then the answer is a single line.
const child = spawn("ip", ["-brief", "-batch", "-"]);
const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
const complaint = text(child.stderr);
// Where it has died, the missing answer tells, and why.
child.stdin.on("error", () => {});

/** Time on a processor, to the nanosecond; a kernel without CONFIG_SCHED_INFO does not tell. */
function cpuUs() {
  try {
    const [onCpu] = readFileSync(`/proc/${child.pid}/schedstat`, "utf8").split(" ");
    return Number(onCpu) / 1000;
  } catch {
    return undefined;
  }
}

/** @param {readonly string[]} commands */
async function run(commands) {
  child.stdin.write(`${[...commands, question].join("\n")}\n`);
  const { done } = await lines.next();
  if (done) throw new Error((await complaint).trim().replaceAll("\n", "; "));
}

/** @param {number} count @param {readonly string[]} commands */
async function measure(count, commands) {
  const cpu = cpuUs();
  const start = performance.now();
  await run(commands);
  const wall = performance.now() - start;
  const cpuAfter = cpuUs();
  return {
    wallUs: (wall * 1000) / count,
    cpuUs: cpu === undefined || cpuAfter === undefined ? undefined : (cpuAfter - cpu) / count,
  };
}

const kind = process.argv[2] ?? "";
/** @type {string[]} */
const names = [];

await run([]);
await answerCommands({
  "make-awaited": (count) => {
    const fresh = freshNames(names.length, count);
    names.push(...fresh);
    return measure(
      count,
      fresh.flatMap((name) => additionsOf(kind, name)),
    );
  },
  "delete-each": (count) => {
    const taken = names.splice(-count);
    return measure(
      count,
      taken.map((name) => `link delete dev ${name}`),
    );
  },
});
child.stdin.end();
