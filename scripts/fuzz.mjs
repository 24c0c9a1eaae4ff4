// Fuzzes what reads the kernel's messages and what reads requests: `node scripts/fuzz.mjs [SECONDS]`,
// by default 60 each. It starts from the captured datagrams, from some requests, and from what
// earlier runs found (build/fuzz/*-corpus). A finding fails the run, and stays in build/fuzz as
// crash-….
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

function writeDatagrams(seeds) {
  for (const path of filesBelow("native/tests/fixtures", /\.hex$/)) {
    const datagrams = datagramsOf(readFileSync(join(root, path), "utf8"));
    for (const [place, datagram] of datagrams.entries())
      writeFileSync(join(seeds, `${basename(path, ".hex")}-${place}`), datagram);
  }
}

/** What requests are made of; the fuzzer puts it together anew. */
const requests = [
  {},
  { link: { identity: "flintap-0", index: 7, name: "mv0", namespace: 4026531840 }, tagPrefix: "" },
  { link: { name: 'a"\\\n\u{1f600}\ud800' }, statistics: true, force: false },
  {
    link: {
      details: { mode: "bridge" },
      kind: "macvtap",
      name: "mv0",
      altNames: ["a", "b"],
      alias: "",
      mac: "02:00:5e:10:00:01",
      mtu: 1500,
      up: true,
    },
    parent: { name: "enp0" },
    hostIPv6: "closed",
  },
  { link: { kind: "bridge", name: "br0", alias: "", up: true, details: { ageingTime: 1e21 } } },
  { bridge: { index: 5 }, port: { isolated: true, learning: false }, queues: -0.5, uid: 0 },
  { fd: 7 },
  { places: [{ role: "parent", link: { name: "enp0" } }], names: ["a"], aliasFields: ["x"] },
];

function writeRequests(seeds) {
  for (const [place, request] of requests.entries())
    writeFileSync(join(seeds, `request-${place}`), JSON.stringify(request));
}

const targets = [
  { name: "fuzz_link", writeSeeds: writeDatagrams },
  { name: "fuzz_request", writeSeeds: writeRequests },
];

async function build() {
  requireTool("clang++-16", "clang-16");
  requireTool("cmake", "cmake");
  const options = ["-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCMAKE_CXX_COMPILER=clang++-16"];
  await runOrThrow("cmake", ["-S", "native", "-B", folder, "-DFUZZ=ON", ...options]);
  const jobs = String(availableParallelism());
  await runOrThrow("cmake", [
    "--build",
    folder,
    "--parallel",
    jobs,
    "--target",
    ...targets.map(({ name }) => name),
  ]);
}

async function fuzz({ name, writeSeeds }, seconds) {
  const [seeds, corpus] = ["seeds", "corpus"].map((kind) => join(folder, `${name}-${kind}`));
  for (const path of [seeds, corpus]) mkdirSync(path, { recursive: true });
  writeSeeds(seeds);
  const options = [`-max_total_time=${seconds}`, "-max_len=8192", "-print_final_stats=1"];
  const { code } = await run(join(folder, name), [...options, corpus, seeds], {
    cwd: folder,
    echo: true,
  });
  return code;
}

await main(async () => {
  const seconds = process.argv[2] ?? "60";
  await build();
  for (const target of targets) process.exitCode ||= await fuzz(target, seconds);
});
