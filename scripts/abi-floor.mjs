// Prints the newest glibc and libstdc++ symbol versions that a built addon needs, with the symbols
// that need them: the oldest system it loads on. `node scripts/abi-floor.mjs [ADDON]`, by default
// the release build.
import { addonPath } from "./build-addon.mjs";
import { main, requireTool, runOrThrow } from "./toolchain.mjs";

const families = ["GLIBC", "GLIBCXX", "CXXABI", "GCC"];

const newestFirst = (a, b) => b.localeCompare(a, undefined, { numeric: true });

/** A map from version to the undefined symbols that ask for it, for one family. */
function symbolsByVersion(table, family) {
  const found = new Map();
  const line = new RegExp(`\\*UND\\*.*\\b${family}_([\\d.]+)\\)?\\s+(\\S+)$`, "gm");
  for (const [, version, symbol] of table.matchAll(line))
    found.set(version, [...(found.get(version) ?? []), symbol]);
  return found;
}

await main(async () => {
  const addon = process.argv[2] ?? addonPath("release");
  requireTool("objdump", "Debian's binutils");
  requireTool("c++filt", "Debian's binutils");
  const table = await runOrThrow("objdump", ["-T", addon]);
  for (const family of families) {
    const versions = symbolsByVersion(table, family);
    const [newest] = [...versions.keys()].sort(newestFirst);
    if (newest === undefined) continue;
    const names = await runOrThrow("c++filt", versions.get(newest));
    console.log(`${family}_${newest}: ${names.trim().split("\n").join(", ")}`);
  }
});
