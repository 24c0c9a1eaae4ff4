// Debian's own cloud kernels, for guests: fetched by apt's client, unpacked once, and kept by version.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { CommandFailed, Obstacle, requireTool, runOrThrow } from "../toolchain.mjs";

/** Where kernels and images for guests are kept: they are the same for every checkout. */
export const guestCache = join(
  process.env.XDG_CACHE_HOME || join(homedir(), ".cache"),
  "flintap/guests",
);

/**
 * Makes a folder of the cache, or finds it: `fill` is given a folder beside it, which gets the name
 * when it is complete. What is killed in the middle leaves nothing under the name.
 *
 * @param {string} name
 * @param {(folder: string) => Promise<void>} fill
 */
export async function cached(name, fill) {
  const folder = join(guestCache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(guestCache, { recursive: true });
  const unfinished = mkdtempSync(join(guestCache, ".unfinished-"));
  try {
    await fill(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    // Somebody else has made it meanwhile.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/**
 * The package that the meta package stands for today: its name changes with each update.
 *
 * @param {readonly string[]} aptOptions
 */
async function currentPackage(aptOptions) {
  const text = await runOrThrow("apt-cache", [...aptOptions, "depends", "linux-image-cloud-amd64"]);
  const [, name] = /Depends: (linux-image-\S+)/.exec(text) ?? [];
  if (name === undefined) throw new Obstacle(`apt-cache names no kernel: ${text.trim()}`);
  return name;
}

/**
 * The package, fetched and unpacked. Throws an Obstacle with apt's last words where it cannot be had.
 *
 * @param {readonly string[]} aptOptions
 */
async function fetched(aptOptions) {
  try {
    const name = await currentPackage(aptOptions);
    const folder = await cached(name, async (into) => {
      await runOrThrow("apt-get", [...aptOptions, "download", name], { cwd: into });
      const [archive] = /** @type {[string]} */ (readdirSync(into));
      await runOrThrow("dpkg-deb", ["--extract", archive, "."], { cwd: into });
      rmSync(join(into, archive));
    });
    return { name, folder };
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    const words = error.message.trim().split("\n").at(-1);
    throw new Obstacle(`Debian's linux-image-cloud-amd64 cannot be had: ${words}`, {
      cause: error,
    });
  }
}

/**
 * A cloud kernel of the Debian release that apt is set up for, or that `aptOptions` say.
 *
 * @param {readonly string[]} [aptOptions]
 * @returns {Promise<{ version: string, vmlinuz: string, modules: string }>} Its release, such as
 *   `6.1.0-56-cloud-amd64`, its image, and the folder of its modules.
 */
export async function debianKernel(aptOptions = []) {
  requireTool("apt-get", "apt");
  const { name, folder } = await fetched(aptOptions);
  const version = name.replace("linux-image-", "");
  return {
    version,
    vmlinuz: join(folder, "boot", `vmlinuz-${version}`),
    modules: join(folder, "lib/modules", version),
  };
}
