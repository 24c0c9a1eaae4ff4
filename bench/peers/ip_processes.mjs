// A process of `ip` for each command, by execFile, 8 devices side by side: as a daemon without a
// library does it. Here the start of processes is what is measured, and their processor time counts.
// `ip_processes.mjs KIND`.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { promisify } from "node:util";
import { answerCommands } from "./answer.mjs";
import { additionsOf, freshNames } from "./ip_commands.mjs";

const run = promisify(execFile);
const sideBySide = 8;
/** The kernel's USER_HZ: its unit of what children have used. */
const tickUs = 10_000;
const kind = process.argv[2] ?? "";
/** @type {string[]} */
const names = [];

/** This process's time on a processor, and its children's, which the kernel counts in ticks. */
function cpuUs() {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ") ?? [];
  const { user, system } = process.cpuUsage();
  return user + system + (Number(fields[13]) + Number(fields[14])) * tickUs;
}

/** @param {string[]} queue @param {(name: string) => string[]} commandsOf */
async function work(queue, commandsOf) {
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    for (const command of commandsOf(name)) await run("ip", command.split(" "));
  }
}

/** @param {string[]} devices @param {(name: string) => string[]} commandsOf */
async function measure(devices, commandsOf) {
  const count = devices.length;
  const queue = [...devices];
  const cpu = cpuUs();
  const start = performance.now();
  await Promise.all(Array.from({ length: sideBySide }, () => work(queue, commandsOf)));
  const wall = performance.now() - start;
  return { wallUs: (wall * 1000) / count, cpuUs: (cpuUs() - cpu) / count };
}

/** @param {number} times */
async function list(times) {
  const cpu = cpuUs();
  const start = performance.now();
  for (let time = 0; time < times; time += 1) {
    const { stdout } = await run("ip", ["-json", "link"], { maxBuffer: 2 ** 30 });
    JSON.parse(stdout);
  }
  const wall = performance.now() - start;
  return { wallUs: (wall * 1000) / times, cpuUs: (cpuUs() - cpu) / times };
}

await answerCommands({
  "make-awaited": (count) => {
    const fresh = freshNames(names.length, count);
    names.push(...fresh);
    return measure(fresh, (name) => additionsOf(kind, name));
  },
  "delete-each": (count) => measure(names.splice(-count), (name) => [`link delete dev ${name}`]),
  list,
});
