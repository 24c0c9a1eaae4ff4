// The kernels of other Debian releases: apt is asked with a state of its own, so that this machine's
// stays as it is.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debianKernel, guestCache } from "../guest/debian-kernel.mjs";
import { Obstacle, run } from "../toolchain.mjs";

const hostRelease = () => {
  const words = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  return /^VERSION_CODENAME=(\w+)$/m.exec(words)?.[1];
};

/** This machine's apt sources, as entries: of one line each, or of several (deb822). */
function hostSources() {
  const folder = "/etc/apt/sources.list.d";
  const listed = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  return ["/etc/apt/sources.list", ...listed]
    .filter((path) => /\.(list|sources)$/.test(path) && existsSync(path))
    .flatMap((path) => {
      const extension = path.split(".").at(-1);
      const text = readFileSync(path, "utf8").replace(/^#.*\n/gm, "");
      return text
        .split(extension === "list" ? "\n" : /\n{2,}/)
        .map((entry) => ({ extension, entry }));
    });
}

/** The options that make apt speak of another release. */
async function aptOf(codename, host) {
  const folder = join(guestCache, `apt-${codename}`);
  for (const part of ["sources", "state/lists/partial", "cache/archives/partial"])
    mkdirSync(join(folder, part), { recursive: true });
  const ofHost = new RegExp(`(?<=\\s)${host}(?=(-\\S+)?(\\s|$))`, "g");
  for (const extension of ["list", "sources"]) {
    const entries = hostSources().filter((one) => one.extension === extension);
    const theirs = entries.map(({ entry }) => entry).filter((entry) => entry.search(ofHost) >= 0);
    const text = theirs.map((entry) => `${entry.replace(ofHost, codename)}\n\n`).join("");
    writeFileSync(join(folder, "sources", `release.${extension}`), text);
  }
  return [
    ["Dir::Etc::sourcelist", "/dev/null"],
    ["Dir::Etc::sourceparts", join(folder, "sources")],
    ["Dir::State", join(folder, "state")],
    ["Dir::State::status", "/dev/null"],
    ["Dir::Cache", join(folder, "cache")],
  ].flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

/** The cloud kernel of a Debian release, such as `bullseye`; as debianKernel gives it. */
export async function kernelOf(codename) {
  const host = hostRelease();
  if (host === codename) return await debianKernel();
  if (host === undefined) throw new Obstacle(`apt sources of Debian, to find ${codename}'s by`);
  const options = await aptOf(codename, host);
  try {
    return await debianKernel(options);
  } catch {
    // What is known of the release is nothing yet, or too old. A source that has no such release
    // makes apt complain, too; the kernel is there or it is not.
    await run("apt-get", [...options, "update"]);
    return await debianKernel(options);
  }
}
