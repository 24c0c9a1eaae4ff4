// Prints the newest glibc and libstdc++ symbol versions that a built addon needs, with the symbols
// that need them: the oldest system it loads on. `node scripts/abi-floor.mjs [ADDON]`, by default
// the one that is loaded here: what was built, or else what was shipped.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findTool, main, Obstacle, requireTool, root, runOrThrow } from "./toolchain.mjs";

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

/** The newest version of each family that an addon needs, with the symbols that need it. */
async function newestVersions(addon) {
  const table = await runOrThrow("objdump", ["-T", addon]);
  return families.flatMap((family) => {
    const versions = symbolsByVersion(table, family);
    const [newest] = [...versions.keys()].sort(newestFirst);
    return newest === undefined
      ? []
      : [{ version: `${family}_${newest}`, symbols: versions.get(newest) }];
  });
}

/** As src/load-addon.ts looks for it. musl has no symbol versions. */
function loadedHere() {
  const places = [
    "build/Release/flintap.node",
    `prebuilds/linux-${process.arch}/flintap.glibc.node`,
  ];
  const found = places.map((place) => join(root, place)).find((path) => existsSync(path));
  if (found === undefined) throw new Obstacle(`there is no addon: neither ${places.join(" nor ")}`);
  return found;
}

/** The versions alone, in one line; empty where there is no objdump to tell them. */
export async function abiFloor(addon) {
  if (findTool("objdump") === undefined) return "";
  return (await newestVersions(addon)).map(({ version }) => version).join(", ");
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    requireTool("objdump", "Debian's binutils");
    requireTool("c++filt", "Debian's binutils");
    const addon = process.argv[2] ?? loadedHere();
    for (const { version, symbols } of await newestVersions(addon)) {
      const names = await runOrThrow("c++filt", symbols);
      console.log(`${version}: ${names.trim().split("\n").join(", ")}`);
    }
  });
}
