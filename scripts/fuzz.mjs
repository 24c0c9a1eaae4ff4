// Fuzzes what reads the kernel's messages: `node scripts/fuzz.mjs [SECONDS]`, by default 60. It
// starts from the captured datagrams and from what earlier runs found (build/fuzz/corpus). A
// finding fails the run, and stays in build/fuzz as crash-….
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { filesBelow, main, requireTool, root, run, runOrThrow } from "./toolchain.mjs";

const folder = join(root, "build/fuzz");

/** The datagrams of a fixture: everything in hexadecimal between two headings. */
function datagramsOf(text) {
  const hexadecimal = text.replace(/ *#.*$/gm, "").replace(/^expect .*$/gm, "");
  const [, ...datagrams] = hexadecimal.split(/^(?:sent|received)$/m);
  return datagrams.map((digits) => Buffer.from(digits.replace(/\s/g, ""), "hex"));
}

function writeSeeds(seeds) {
  for (const path of filesBelow("native/tests/fixtures", /\.hex$/)) {
    const datagrams = datagramsOf(readFileSync(join(root, path), "utf8"));
    for (const [place, datagram] of datagrams.entries())
      writeFileSync(join(seeds, `${basename(path, ".hex")}-${place}`), datagram);
  }
}

async function build() {
  requireTool("clang++-16", "clang-16");
  requireTool("cmake", "cmake");
  const options = ["-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCMAKE_CXX_COMPILER=clang++-16"];
  await runOrThrow("cmake", ["-S", "native", "-B", folder, "-DFUZZ=ON", ...options]);
  const jobs = String(availableParallelism());
  await runOrThrow("cmake", ["--build", folder, "--target", "fuzz_link", "--parallel", jobs]);
}

await main(async () => {
  const seconds = process.argv[2] ?? "60";
  const [seeds, corpus] = ["seeds", "corpus"].map((name) => join(folder, name));
  for (const path of [seeds, corpus]) mkdirSync(path, { recursive: true });
  await build();
  writeSeeds(seeds);
  const options = [`-max_total_time=${seconds}`, "-max_len=8192", "-print_final_stats=1"];
  const { code } = await run(join(folder, "fuzz_link"), [...options, corpus, seeds], {
    cwd: folder,
    echo: true,
  });
  process.exitCode = code;
});
