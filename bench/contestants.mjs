// Who is measured: flintap, bare C as the limit, and what else there is. Makes them runnable: compiles
// what has to be compiled, and says what is missing and where it comes from.
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { findTool, requireTool, root, run, runOrThrow } from "../scripts/toolchain.mjs";

const built = join(root, "build/bench");
const peers = join(import.meta.dirname, "peers");
const goPath = "/usr/share/gocode";
const goLibrary = join(goPath, "src/github.com/vishvananda/netlink");

/** A peer that cannot be had here; its message says why. */
class Missing extends Error {}

/**
 * @typedef {object} Contestant
 * @property {string} id
 * @property {string} title
 * @property {"bulk" | "awaited"} how How it is asked for many devices.
 * @property {boolean} [own] Closes the host's IPv6 on each device itself, as flintap does.
 * @property {readonly string[]} works What it can be asked for beside creates.
 * @property {string} program Whose program it is: the key of `programs`.
 * @property {(kind: string, ipv6: string, bridges: number) => string[]} command
 */

const node = process.execPath;
const bareC = join(built, "bare_c");
const goNetlink = join(built, "go_netlink");
const npmFolder = join(built, "npm_netlink");
const python = "/usr/bin/python3";

/** @param {string} file @returns {Contestant["command"]} */
const ours = (file) => (kind, ipv6, bridges) => [node, join(peers, file), kind, ipv6, `${bridges}`];
/** @type {Contestant["command"]} */
const inC = (kind, ipv6, bridges) => [bareC, kind, ipv6, `${bridges}`];
const readings = ["list", "get"];

/** @type {readonly Contestant[]} */
export const contestants = [
  {
    id: "flintap bulk",
    title: "flintap, Promise.all",
    how: "bulk",
    own: true,
    works: [...readings, "delete-bulk"],
    program: "flintap",
    command: ours("flintap.mjs"),
  },
  {
    id: "C bulk",
    title: "bare C, in batches",
    how: "bulk",
    own: true,
    works: [...readings, "delete-bulk"],
    program: "bare C",
    command: inC,
  },
  {
    id: "flintap awaited",
    title: "flintap, one by one",
    how: "awaited",
    own: true,
    works: ["event", "delete-single"],
    program: "flintap",
    command: ours("flintap.mjs"),
  },
  {
    id: "C awaited",
    title: "bare C, one by one",
    how: "awaited",
    own: true,
    works: ["event", "delete-single"],
    program: "bare C",
    command: inC,
  },
  {
    id: "Go flintlock",
    title: "Go, flintlock's calls",
    how: "awaited",
    works: [...readings, "delete-each"],
    program: "Go",
    command: (kind) => [goNetlink, "flintlock", kind],
  },
  {
    id: "Go lean",
    title: "Go, lean",
    how: "awaited",
    works: ["delete-parallel"],
    program: "Go",
    command: (kind) => [goNetlink, "lean", kind],
  },
  {
    id: "ip -batch",
    title: "ip -batch",
    how: "awaited",
    works: ["delete-each"],
    program: "iproute2",
    command: (kind) => [node, join(peers, "ip_batch.mjs"), kind],
  },
  {
    id: "ip processes",
    title: "ip, a process each, 8 side by side",
    how: "awaited",
    works: ["list", "delete-each"],
    program: "iproute2",
    command: (kind) => [node, join(peers, "ip_processes.mjs"), kind],
  },
  {
    id: "pyroute2",
    title: "pyroute2",
    how: "awaited",
    works: [...readings, "delete-each"],
    program: "pyroute2",
    command: (kind) => [python, join(peers, "pyroute2_peer.py"), kind],
  },
  {
    id: "npm netlink",
    title: "npm netlink",
    how: "awaited",
    works: [...readings, "delete-each"],
    program: "npm netlink",
    command: (kind) => [node, join(peers, "npm_netlink/main.mjs"), kind, npmFolder],
  },
];

/** @param {string} id */
export function contestant(id) {
  const found = contestants.find((one) => one.id === id);
  if (found === undefined) throw new Error(`No contestant "${id}"`);
  return found;
}

// ---- making them runnable ----

/** What a program says of its version. @param {string} command @param {string[]} args @param {RegExp} pattern */
async function versionOf(command, args, pattern) {
  const { output } = await run(command, args);
  return pattern.exec(output)?.[1] ?? output.split("\n")[0] ?? "";
}

/** @param {string} debianPackage */
async function debianVersion(debianPackage) {
  if (findTool("dpkg-query") === undefined) return "";
  const { code, output } = await run("dpkg-query", ["-W", "-f", "$" + "{Version}", debianPackage]);
  return code === 0 ? output.trim() : "";
}

const cFlags = ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread"];

/** Compiles all C files of a folder to one program. @param {string} name */
export async function compileC(name) {
  const gcc = requireTool("gcc", "gcc");
  mkdirSync(built, { recursive: true });
  const folder = join(peers, name);
  const sources = readdirSync(folder).filter((file) => file.endsWith(".c"));
  const target = join(built, name);
  await runOrThrow(gcc, [...cFlags, "-o", target, ...sources.map((file) => join(folder, file))]);
  return target;
}

async function makeBareC() {
  await compileC("bare_c");
  return `gcc ${await versionOf("gcc", ["-dumpfullversion"], /^(\S+)/)}, -O2`;
}

async function makeGo() {
  const go = requireTool("go", "golang-go");
  if (!existsSync(goLibrary)) {
    throw new Missing(
      "vishvananda/netlink is missing; it comes with Debian's golang-github-vishvananda-netlink-dev",
    );
  }
  await runOrThrow(go, ["build", "-o", goNetlink, "."], {
    cwd: join(peers, "go_netlink"),
    env: { GO111MODULE: "off", GOPATH: goPath },
  });
  const library = await debianVersion("golang-github-vishvananda-netlink-dev");
  return `vishvananda/netlink ${library}, ${await versionOf("go", ["version"], /(go[\d.]+)/)}`;
}

async function findIproute2() {
  requireTool("ip", "iproute2");
  return `iproute2 ${await versionOf("ip", ["-Version"], /iproute2-([^\s,]+)/)}`;
}

async function findPyroute2() {
  const tool = existsSync(python) ? python : requireTool("python3", "python3");
  const { code } = await run(tool, ["-c", "import pyroute2"]);
  if (code !== 0) throw new Missing("pyroute2 is missing; it comes with Debian's python3-pyroute2");
  const version = await debianVersion("python3-pyroute2");
  return `pyroute2 ${version}, Python ${await versionOf(tool, ["--version"], /Python (\S+)/)}`;
}

/** @returns {{ version: string, folder: string }} */
function wantedNpmNetlink() {
  const wanted = readFileSync(join(peers, "npm_netlink/package.json"), "utf8");
  /** @type {{ dependencies: { netlink: string } }} */
  const { dependencies } = JSON.parse(wanted);
  return { version: dependencies.netlink, folder: join(npmFolder, "node_modules/netlink") };
}

/**
 * Installs npm's netlink, into a folder of its own: it is native and nothing else here needs it. Where
 * that fails, npm's reason is printed, and the peer is missing.
 */
export async function installNpmNetlink() {
  const { version, folder } = wantedNpmNetlink();
  if (existsSync(folder)) return;
  mkdirSync(npmFolder, { recursive: true });
  // It carries prebuilt binaries: its install script would only look for them.
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
  // npm would wait for a registry that does not answer for many minutes.
  const patience = ["--fetch-timeout=20000", "--fetch-retries=1"];
  console.error(`bench: installs npm's netlink into ${relative(root, npmFolder)}`);
  const command = [...args, ...patience, "--prefix", npmFolder, `netlink@${version}`];
  const { code, output } = await run("npm", command);
  if (code !== 0) console.error(output.trim() || "npm ended without a word");
}

async function findNpmNetlink() {
  const { version, folder } = wantedNpmNetlink();
  if (!existsSync(folder)) throw new Missing("npm could not install it");
  return `netlink ${version}`;
}

async function findFlintap() {
  /** @type {{ version: string }} */
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { code, output } = await run("git", [
    "-C",
    root,
    "describe",
    "--always",
    "--dirty",
    "--exclude=*",
  ]);
  return `flintap ${version}${code === 0 ? ` (${output.trim()})` : ""}, Node.js ${process.version}`;
}

/** Makes each program ready and gives its version. @type {Record<string, () => Promise<string>>} */
const programs = {
  flintap: findFlintap,
  "bare C": makeBareC,
  Go: makeGo,
  iproute2: findIproute2,
  pyroute2: findPyroute2,
  "npm netlink": findNpmNetlink,
};

/**
 * Of each program, its version, or the reason why it is missing.
 *
 * @typedef {Record<string, { version: string } | { missing: string }>} Programs
 */

/** @param {readonly string[]} names @returns {Promise<Programs>} */
export async function makeReady(names) {
  /** @type {Programs} */
  const ready = {};
  for (const name of names) {
    try {
      ready[name] = { version: (await programs[name]?.()) ?? "" };
    } catch (error) {
      ready[name] = { missing: /** @type {Error} */ (error).message };
    }
  }
  return ready;
}
