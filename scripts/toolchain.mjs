// What the other scripts share: finding tools, running them, and telling whether a result is
// still that of its sources. Plain Node, no dependencies: it runs before `npm ci`.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's root. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Something that this machine does not allow; its message is one line for people. */
export class Obstacle extends Error {}

/** A program that is not there. */
export class MissingTool extends Obstacle {
  /** @param {string} tool @param {string} packageName */
  constructor(tool, packageName) {
    super(`${tool} is missing; it comes with ${packageName}`);
  }
}

/**
 * How a program ended, and what it printed.
 *
 * @typedef {{ code: number, signal: NodeJS.Signals | null, output: string }} Ending
 *
 * @typedef {{ env?: NodeJS.ProcessEnv, cwd?: string, echo?: boolean }} RunOptions
 */

/** A program that failed; its message is the command, how it ended and what it printed. */
export class CommandFailed extends Error {
  /** @param {string} command @param {Ending} ending */
  constructor(command, { code, signal, output }) {
    super(`${command} ${signal ? `was killed by ${signal}` : `exited with ${code}`}\n${output}`);
  }
}

/** The path of a program, or undefined. @param {string} name */
export function findTool(name) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/**
 * Throws {@link MissingTool} unless the program is there.
 *
 * @param {string} name
 * @param {string} debianPackage
 */
export function requireTool(name, debianPackage) {
  const path = findTool(name);
  if (path === undefined) throw new MissingTool(name, `Debian's ${debianPackage}`);
  return path;
}

/** A program that npm installed for this package. @param {string} name */
export function npmTool(name) {
  const path = join(root, "node_modules", ".bin", name);
  if (!existsSync(path)) throw new MissingTool(name, "`npm ci` (a development dependency)");
  return path;
}

/**
 * The prefix whose include/node holds the headers of the Node that runs this. Outside npm,
 * node-gyp looks for it nowhere and would download the headers.
 */
export function headersPrefix() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, "include/node/node_api.h")) ? prefix : undefined;
}

/**
 * Runs a program to its end; standard output and error come back as one text, in order.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<Ending>}
 */
export function run(command, args, { env, cwd = root, echo = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        output += text;
        if (echo) process.stdout.write(text);
      });
    }
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: code ?? 1, signal, output }));
  });
}

/**
 * Like {@link run}, but throws {@link CommandFailed} unless the program exits with 0.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export async function runOrThrow(command, args, options) {
  const result = await run(command, args, options);
  if (result.code !== 0) throw new CommandFailed(`${command} ${args.join(" ")}`, result);
  return result.output;
}

/**
 * The files below a folder whose names pass, as sorted paths relative to the package's root.
 *
 * @param {string} folder
 * @param {RegExp} pattern
 */
export function filesBelow(folder, pattern) {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

/**
 * A hash over the contents of files (missing ones count as such) and any further facts.
 *
 * @param {readonly string[]} files
 * @param {readonly unknown[]} [facts]
 */
export function fingerprint(files, facts = []) {
  const hash = createHash("sha256").update(JSON.stringify(facts));
  for (const file of files) {
    const path = join(root, file);
    hash.update(`\0${file}\0`).update(existsSync(path) ? readFileSync(path) : "");
  }
  return hash.digest("hex");
}

/** @param {string} name */
const stampPath = (name) => join(root, "build/stamps", name);

/**
 * Whether `name` was last made from sources with this fingerprint.
 *
 * @param {string} name
 * @param {string} print
 */
export function isFresh(name, print) {
  return existsSync(stampPath(name)) && readFileSync(stampPath(name), "utf8") === print;
}

/**
 * Remembers that `name` has been made from sources with this fingerprint.
 *
 * @param {string} name
 * @param {string} print
 */
export function remember(name, print) {
  mkdirSync(dirname(stampPath(name)), { recursive: true });
  writeFileSync(stampPath(name), print);
}

/**
 * Runs a script's main part; what people can mend is printed without a stack.
 *
 * @param {() => void | Promise<void>} body
 */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    const isExpected = error instanceof Obstacle || error instanceof CommandFailed;
    console.error(isExpected ? error.message : error);
    process.exitCode = 1;
  }
}

/** "1.4 s" since a time that `performance.now()` gave. @param {number} start */
export function since(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
