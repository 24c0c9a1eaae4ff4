// What the quickstart prints with: colours on a terminal only, and iproute2 as a second witness.
import { spawnSync } from "node:child_process";
import { stdout } from "node:process";
import { styleText } from "node:util";
import { FlintapError } from "flintap";

/** @param {Parameters<typeof styleText>[0]} style @param {string} text */
function paint(style, text) {
  return stdout.isTTY && stdout.hasColors() ? styleText(style, text) : text;
}

/** @param {string} text */
export const heading = (text) => console.log(`\n${paint("bold", text)}`);

/** @param {string} text */
export const say = (text) => console.log(text);

/** @param {string} text */
export const quote = (text) => console.log(paint("cyan", text.trimEnd()));

/** @param {boolean} holds @param {string} text */
export function verdict(holds, text) {
  console.log(holds ? `${paint("green", "ok")}  ${text}` : `${paint("red", "NOT TRUE")}  ${text}`);
  if (!holds) process.exitCode = 1;
}

/**
 * Says what could not be done, in the error's own words.
 *
 * @param {unknown} error
 */
export function cannot(error) {
  if (!(error instanceof FlintapError)) throw error;
  console.log(`${paint("yellow", "not possible here:")} ${error.message}`);
  console.log(paint("yellow", error.hint));
}

/**
 * Runs one of iproute2's programs and shows what it prints; gives that, or undefined where it is
 * not installed.
 *
 * @param {string} program @param {...string} args
 */
export function witness(program, ...args) {
  const { stdout: output, error } = spawnSync(program, args, { encoding: "utf8" });
  console.log(paint("dim", `$ ${[program, ...args].join(" ")}`));
  if (error !== undefined) console.log(`(${program} is missing: Debian's iproute2)`);
  else quote(output.trim() === "" ? "(nothing)" : output);
  return error === undefined ? output : undefined;
}

/**
 * How long a promise takes, beside what it gives.
 *
 * @template T @param {Promise<T>} work
 * @returns {Promise<[T, string]>}
 */
export async function timed(work) {
  const start = performance.now();
  const result = await work;
  const took = performance.now() - start;
  return [result, took < 1_000 ? `${took.toFixed(1)} ms` : `${(took / 1_000).toFixed(1)} s`];
}

/**
 * The same for what takes long: on a terminal, the seconds are counted behind the text.
 *
 * @template T @param {string} text @param {Promise<T>} work
 * @returns {Promise<[T, string]>}
 */
export async function watched(text, work) {
  if (!stdout.isTTY) {
    console.log(`${text} …`);
    return await timed(work);
  }
  const start = performance.now();
  const tell = () => {
    const seconds = Math.floor((performance.now() - start) / 1_000);
    stdout.write(`\r${text} … ${paint("dim", `${seconds} s`)}`);
  };
  tell();
  const ticking = setInterval(tell, 1_000);
  try {
    return await timed(work);
  } finally {
    clearInterval(ticking);
    stdout.write("\n");
  }
}
