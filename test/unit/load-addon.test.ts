import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FlintapError } from "../../src/error.js";
import { loadAddon } from "../../src/load-addon.js";

const seen: string[] = [];

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const existsSync = (path: string): boolean => {
    seen.push(path);
    return path.startsWith(join(tmpdir(), "flintap-load-")) && fs.existsSync(path);
  };
  return { ...fs, existsSync };
});

const root = fileURLToPath(new URL("../..", import.meta.url));
const { platform, execPath } = process;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flintap-load-"));
  seen.length = 0;
  vi.stubEnv("FLINTAP_ADDON", "");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.unstubAllEnvs();
  Object.defineProperty(process, "platform", { value: platform });
  process.execPath = execPath;
});

function loadError(): unknown {
  try {
    return loadAddon();
  } catch (error) {
    return error;
  }
}

test("the addon that FLINTAP_ADDON names is taken, and no other is looked for", () => {
  const path = join(folder, "addon.cjs");
  writeFileSync(path, "module.exports = { reasons: ['mine'] };");
  vi.stubEnv("FLINTAP_ADDON", path);
  expect(loadAddon()).toEqual({ reasons: ["mine"] });
  expect(seen).toEqual([path]);
});

test.each([
  ["/lib64/ld-linux-x86-64.so.2", "glibc"],
  ["/lib/ld-musl-x86_64.so.1", "musl"],
])(
  "with a Node.js whose loader is %s it is the build here, then the prebuild for %s",
  (loader, libc) => {
    process.execPath = join(folder, "node");
    writeFileSync(process.execPath, `\u007fELF${"\0".repeat(800)}${loader}\0`);
    expect(loadError()).toBeInstanceOf(FlintapError);
    expect(seen).toEqual([
      join(root, "build/Release/flintap.node"),
      join(root, `prebuilds/linux-${process.arch}/flintap.${libc}.node`),
    ]);
  },
);

test("with a Node.js whose file is gone it is the prebuild for either C library", () => {
  process.execPath = join(folder, "gone");
  expect(loadError()).toMatchObject({ code: "ERR_FLINTAP_ADDON", reason: "addon" });
  expect(seen.slice(1)).toEqual(
    ["glibc", "musl"].map((libc) =>
      join(root, `prebuilds/linux-${process.arch}/flintap.${libc}.node`),
    ),
  );
});

test("where there is none, the error tells where it was looked for and how to build it", () => {
  expect(loadError()).toMatchObject({
    code: "ERR_FLINTAP_ADDON",
    reason: "addon",
    message: expect.stringContaining("build/Release/flintap.node"),
    hint: expect.stringContaining("npm run build:addon"),
  });
});

test("one that cannot be loaded is an error with the cause", () => {
  const path = join(folder, "broken.node");
  writeFileSync(path, "not an ELF file");
  vi.stubEnv("FLINTAP_ADDON", path);
  expect(loadError()).toMatchObject({
    code: "ERR_FLINTAP_ADDON",
    message: expect.stringContaining(path),
    cause: expect.objectContaining({ code: "ERR_DLOPEN_FAILED" }),
  });
});

test("elsewhere than on Linux the error says so, and nothing is looked for", () => {
  Object.defineProperty(process, "platform", { value: "darwin" });
  expect(loadError()).toMatchObject({ code: "ERR_FLINTAP_PLATFORM", reason: "platform" });
  expect(seen).toEqual([]);
});
