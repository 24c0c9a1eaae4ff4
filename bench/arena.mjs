// Where one case runs: network and mount namespaces of its own with what devices stand on, and a
// contestant in them, which takes commands. The next case begins when the kernel has taken down all that
// was in them.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

/** @typedef {import("./meter.mjs").Cost} Cost */

/** A contestant could not do what it was asked for. */
export class Refusal extends Error {}

/** A bridge holds 1,023 ports. Those that are shared out go on a bridge 128 in a row. */
const [mostOnOne, portsPerBridge] = [1000, 900];

/** @param {number} devices */
export const bridgesFor = (devices) =>
  devices <= mostOnOne ? 1 : Math.ceil(devices / portsPerBridge);

/**
 * @typedef {object} Setting
 * @property {string} kind
 * @property {number} bridges
 * @property {boolean} closedByDefault Whether a new link has no host IPv6 unless it is opened.
 * @property {readonly string[]} command
 */

// One end of this pair is with the benchmark: it goes when the namespace of the case is taken down.
const mark = "benchmark0";

/** @param {Setting} setting */
function stage({ kind, bridges, closedByDefault }) {
  const names = Array.from({ length: bridges }, (_, at) => `br${at}`);
  const links =
    kind === "macvtap"
      ? ["link add parent0 type veth peer name wire0", "link set parent0 up", "link set wire0 up"]
      : names.flatMap((name) => [`link add ${name} type bridge`, `link set ${name} up`]);
  const commands = [`link add ${mark} type veth peer name ${mark} netns ${process.pid}`, ...links];
  const close = "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6";
  return [
    "set -e",
    `ip -batch - <<END\n${commands.join("\n")}\nEND`,
    ...(closedByDefault ? [close] : []),
    'exec "$@"',
  ].join("\n");
}

const isLeft = () => readFileSync("/proc/self/net/dev", "utf8").includes(`${mark}:`);

async function untilGone() {
  while (isLeft()) await delay(2);
}

/**
 * Runs a case: `play` is given the means to ask the contestant.
 *
 * @template Result
 * @param {Setting} setting
 * @param {(ask: (verb: string, count: number) => Promise<Cost>) => Promise<Result>} play
 */
export async function inArena(setting, play) {
  const arena = ["--net", "--mount", "--", "sh", "-c", stage(setting), "sh", ...setting.command];
  const child = spawn("unshare", arena, { stdio: "pipe" });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const complaint = text(child.stderr);
  child.stdin.on("error", () => {}); // Where it has died, the missing answer tells, and why.
  /** @param {string} verb @param {number} count */
  const ask = async (verb, count) => {
    child.stdin.write(`${verb} ${count}\n`);
    const { done, value } = await lines.next();
    if (done) throw new Refusal((await complaint).trim().split("\n").at(-1) || "it died");
    const reply = JSON.parse(value);
    if ("error" in reply) throw new Refusal(reply.error);
    return reply;
  };
  try {
    return await play(ask);
  } finally {
    child.stdin.end();
    child.stdin.destroy();
    await complaint;
    await untilGone();
  }
}
