// What a guest's root is made of, out of this machine's own files, as two ext4 images: the system
// (Node, the tools, their libraries, node_modules), kept until one of them changes, and the checkout,
// made anew every time. Every Debian kernel has ext4 built in; QEMU throws away what a guest writes.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cached } from "../guest/debian-kernel.mjs";
import { filesBelow, fingerprint, requireTool, root, run, runOrThrow } from "../toolchain.mjs";
import { bundlePackage } from "./bundle.mjs";

/** What tests run besides Node, and the packages that it comes with. All else is busybox's. */
const tools = {
  sh: "dash",
  bash: "bash",
  busybox: "busybox-static",
  ...{ cat: "coreutils", env: "coreutils", ls: "coreutils", mknod: "coreutils" },
  ...{ readlink: "coreutils", sleep: "coreutils", true: "coreutils" },
  ...{ mount: "mount", umount: "mount" },
  ...{ nsenter: "util-linux", prlimit: "util-linux", setpriv: "util-linux", unshare: "util-linux" },
  ...{ bridge: "iproute2", ip: "iproute2", tc: "iproute2" },
  strace: "strace",
};

/** Throws MissingTool where no image can be made. */
export function requireImageTools() {
  requireTool("mke2fs", "e2fsprogs");
  for (const [name, debianPackage] of Object.entries(tools)) requireTool(name, debianPackage);
}

/** What ldd tells of programs and of Node's addons. */
async function librariesOf(files) {
  const { output } = await run("ldd", files);
  return [...new Set(Array.from(output.matchAll(/(\/\S+) \(0x/g), ([, path]) => path))];
}

/** With a /usr that holds all, whichever way this machine's files are named. */
const inUsr = (path) => path.replace(/^\/(bin|sbin|lib|lib32|lib64|libx32)\//, "/usr/$1/");

function layOut(into) {
  for (const name of ["dev", "proc", "sys", "run", "tmp", "etc", "root", "var/tmp", "node_modules"])
    mkdirSync(join(into, name), { recursive: true });
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    mkdirSync(join(into, "usr", name), { recursive: true });
    symlinkSync(join("usr", name), join(into, name));
  }
}

/** Makes an image that has the content of a folder, and room. */
async function makeImage(folder, image) {
  const [used] = (await runOrThrow("du", ["-sm", folder])).split("\t");
  const options = ["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", folder];
  await runOrThrow("mke2fs", [...options, image, `${Math.ceil(Number(used) * 1.2) + 256}M`]);
}

/** Gives `fill` a folder and makes an image of what it puts there. */
async function imageOf(image, fill) {
  const folder = mkdtempSync(join(tmpdir(), "flintap-image-"));
  try {
    await fill(folder);
    rmSync(image, { force: true });
    await makeImage(folder, image);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What only linters and the documentation need is most of node_modules, and no test's matter. */
const unneeded = /^node_modules\/(@arethetypeswrong|@biomejs|@shikijs|typedoc|typescript)(\/|$)/;

/**
 * The image of the system. Its `node_modules` stands at its root, to be mounted where the checkout
 * is.
 */
export async function systemImage() {
  const programs = Object.keys(tools).map((name) => realpathSync(requireTool(name)));
  const addons = filesBelow("node_modules", /\.node$/).map((path) => join(root, path));
  const libraries = await librariesOf([process.execPath, ...programs, ...addons]);
  const named = Object.keys(tools).map((name) => requireTool(name));
  const files = [process.execPath, ...named, ...libraries];
  const stamps = files.map((path) => [path, statSync(path).size, statSync(path).mtimeMs]);
  const print = fingerprint(
    ["package-lock.json", "scripts/kernels/images.mjs"],
    [root, stamps],
  ).slice(0, 16);
  const folder = await cached(`system-${print}`, async (into) => {
    await imageOf(join(into, "system.ext4"), (content) => {
      layOut(content);
      for (const path of files) {
        mkdirSync(join(content, dirname(inUsr(path))), { recursive: true });
        copyFileSync(path, join(content, inUsr(path)));
      }
      for (const path of ["passwd", "group", "machine-id", "iproute2"].map(
        (name) => `/etc/${name}`,
      ))
        if (existsSync(path)) cpSync(path, join(content, path), { recursive: true });
      cpSync(join(root, "node_modules"), join(content, "node_modules"), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => !unneeded.test(path.slice(root.length + 1)),
      });
    });
  });
  return join(folder, "system.ext4");
}

/** What of the checkout no test needs, by its path. */
const leftOut = /^(\.git|node_modules)(\/|$)|^build\/(?!Release$|Release\/flintap\.node$)/;

/** Makes the image of the checkout, with `script` in it, as `guest.sh`. */
export async function checkoutImage(image, script) {
  await imageOf(image, async (content) => {
    cpSync(root, content, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !leftOut.test(path.slice(root.length + 1)),
    });
    await bundlePackage(join(content, "dist"));
    mkdirSync(join(content, "node_modules"));
    writeFileSync(join(content, "guest.sh"), script);
  });
  return image;
}
