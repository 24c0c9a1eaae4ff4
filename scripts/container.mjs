// Runs a command in a container that shows this checkout: `node scripts/container.mjs [FLAGS] -- COMMAND`.
//
//   --join=PID     in the network namespace of that process, instead of one of its own (podman only)
//   any other flag is the engine's own, such as --privileged, --cap-add=NET_ADMIN, --env=A=B
//
// With podman the container's files are the host's, under an overlay that is thrown away: no image
// is needed. All that podman makes (state, overlay, processes) is in a mount and a PID namespace
// that end with this process, however it ends. With Docker it is an image built from
// test/container/Containerfile. FLINTAP_CONTAINER_ENGINE chooses between the two.
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { findTool, MissingTool, Obstacle, root, run } from "./toolchain.mjs";

const engines = ["podman", "docker"];
const image = "flintap-test";

/** The engine to use; throws {@link MissingTool} where there is none. */
function chooseEngine() {
  const wanted = process.env.FLINTAP_CONTAINER_ENGINE;
  const found = (wanted === undefined ? engines : [wanted]).find(findTool);
  if (found === undefined)
    throw new MissingTool(wanted ?? "a container engine", "Debian's podman and crun");
  return found;
}

/** The prefix of the Node that runs this. */
const nodePrefix = dirname(dirname(process.execPath));

/** As many as a container may have whose engine may not raise limits; kernels may allow more. */
function limits() {
  const most = 16_384;
  return [
    ["nofile", "Max open files"],
    ["nproc", "Max processes"],
  ].map(([name, title]) => {
    const line = new RegExp(`^${title} +\\S+ +(\\d+)`, "m");
    const [, hard = most] = line.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    const limit = Math.min(Number(hard), most);
    return `--ulimit=${name}=${limit}:${limit}`;
  });
}

// ---- podman ----

// Cgroups are below /sys, where a sysfs that was mounted over the machine's hides them (the kernel
// tests' workers have one).
const uncoverCgroups = '[ "$(ls -A /sys/fs/cgroup)" ] || umount /sys';

// All state is on file systems of our own. The runtimes don't know what to do with both versions of
// cgroups at once, so where both are mounted the second is hidden from them.
const podmanSession = `
set -e
joined=$1; shift
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm
if [ "$joined" ]; then
  : >/run/joined
  mount --bind "/proc/$joined/ns/net" /run/joined
fi
mount -t proc proc /proc
${uncoverCgroups}
! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified
exec podman --root=/run/flintap --cgroup-manager=cgroupfs run --rm "$@"
`;

const cgroupPrefix = "flintap-container-";

const sweep = `
${uncoverCgroups}
for cgroup in /sys/fs/cgroup/${cgroupPrefix}* /sys/fs/cgroup/*/${cgroupPrefix}*; do
  pid=\${cgroup##*-}
  if [ -d "$cgroup" ] && { [ "$pid" = "$1" ] || ! [ -d "/proc/$pid" ]; }; then
    find "$cgroup" -depth -type d -exec rmdir {} +
  fi
done
`;

/**
 * Removes the cgroups of this run, and of those that were killed: no namespace ends these. One that
 * a process is still leaving stays for the next run.
 */
function removeCgroups() {
  const pid = String(process.pid);
  spawnSync("unshare", ["--mount", "--", "sh", "-c", sweep, "sh", pid], { stdio: "ignore" });
}

/** What is not on the root's own file system is not seen through its overlay. */
function nodeVolume() {
  const apart = statSync(process.execPath).dev !== statSync("/").dev;
  return apart ? [`--volume=${nodePrefix}:${nodePrefix}:ro`] : [];
}

function podmanCommand(flags, joined, command) {
  return [
    ...["setpriv", "--pdeathsig=KILL", "--"],
    ...["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--"],
    ...["sh", "-c", podmanSession, "sh", joined],
    `--network=${joined ? "ns:/run/joined" : "none"}`,
    `--cgroup-parent=/${cgroupPrefix}${process.pid}`,
    `--volume=${root}:${root}:O`,
    ...nodeVolume(),
    ...limits(),
    ...flags,
    `--workdir=${root}`,
    ...["--rootfs", "/:O"],
    ...command,
  ];
}

// ---- Docker ----

const containerName = `flintap-${process.pid}`;

function dockerCommand(flags, joined, command) {
  if (joined) throw new Obstacle("docker cannot put a container into a given network namespace");
  return [
    ...["docker", "run", "--rm", `--name=${containerName}`, "--network=none"],
    ...flags,
    image,
    // Killed itself, this process could not end it.
    ...["timeout", "1200"],
    ...command.map((word) => (word === process.execPath ? "node" : word)),
  ];
}

/** The image for Docker: Node, what the tests need, and this checkout, built, under the same path. */
async function buildImage() {
  const file = `--file=${join(root, "test/container/Containerfile")}`;
  const folder = `--build-arg=FOLDER=${root}`;
  const { code, output } = await run("docker", ["build", file, folder, `--tag=${image}`, root]);
  if (code !== 0) throw new Obstacle(`docker cannot build the image: ${lastLine(output)}`);
}

// ---- both ----

const lastLine = (text) => text.trim().split("\n").at(-1);

/** Runs a command in a container; gives its exit code. Standard output and error are ours. */
async function runInContainer(flags, joined, command) {
  const engine = chooseEngine();
  if (process.getuid() !== 0) throw new Obstacle(`${engine} is run as root here, and this is not`);
  if (engine === "docker") await buildImage();
  const make = engine === "docker" ? dockerCommand : podmanCommand;
  const [program, ...args] = make(flags, joined, command);
  const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit"] });
  const end = (signal) => {
    if (engine === "docker") spawnSync("docker", ["rm", "--force", containerName]);
    child.kill("SIGKILL");
    process.exitCode = signal === "SIGINT" ? 130 : 143;
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, end);
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (engine === "podman") removeCgroups();
      resolve(code);
    });
  });
}

/** Throws {@link Obstacle} with the reason where no container can be had. */
export async function requireContainers() {
  const { code, output } = await run(process.execPath, [import.meta.filename, "--", "true"]);
  if (code !== 0) throw new Obstacle(`containers: ${lastLine(output)}`);
}

/** The command that runs another in a container with these flags. */
export function inContainer(flags, command) {
  return [process.execPath, import.meta.filename, ...flags, "--", ...command];
}

if (process.argv[1] === import.meta.filename) {
  const separator = process.argv.indexOf("--");
  const given = process.argv.slice(2, separator);
  const joining = given.filter((flag) => flag.startsWith("--join="));
  const flags = given.filter((flag) => !flag.startsWith("--join="));
  try {
    const joined = joining.at(-1)?.slice("--join=".length) ?? "";
    const code = await runInContainer(flags, joined, process.argv.slice(separator + 1));
    process.exitCode ??= code ?? 1;
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error;
    console.error(error.message);
    // The engines' own code for "it did not come to a container".
    process.exitCode = 125;
  }
}
