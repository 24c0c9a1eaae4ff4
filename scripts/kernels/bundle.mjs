// The package as few files: each process that a test starts is there in half the time. In a guest,
// where a processor is ten times slower, that is minutes.
import { join } from "node:path";
import { root } from "../toolchain.mjs";

const entries = ["index", "flintlock/index", "cli/main"];

/** Puts the package's entries, with all that they import, over those in a copy of `dist`. */
export async function bundlePackage(folder) {
  // Not at the top: what lists the steps of `npm test` is read before there is a node_modules.
  const { rolldown } = await import("rolldown");
  const bundle = await rolldown({
    cwd: root,
    input: Object.fromEntries(entries.map((name) => [name, join("dist", `${name}.js`)])),
    platform: "node",
    // The other builds of dependencies load their parts in ways that no bundler can follow.
    resolve: { mainFields: ["module", "main"] },
    logLevel: "silent",
  });
  await bundle.write({ dir: folder, chunkFileNames: "[name]-[hash].js" });
  await bundle.close();
}
