// Captures what this machine's kernel and iproute2 say over rtnetlink, as fixtures of the native
// tests: `node scripts/capture-fixtures.mjs [NAME …]` writes native/tests/fixtures/NAME.hex, by
// default all. Run it as root: an ordinary user has no taps in a namespace. Every scene has a
// network namespace of its own; the host's is not touched.
//
// A fixture holds what was done, what iproute2 said of the link (its JSON, and that in flintap's
// names as `expect` lines), and the datagrams in hexadecimal, one attribute after the other.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { arch, release, tmpdir } from "node:os";
import { join } from "node:path";
import { addonPath, buildAddon } from "./build-addon.mjs";
import { annotate } from "./capture/annotate.mjs";
import { scenes } from "./capture/scenes.mjs";
import { expectations } from "./capture/witness.mjs";
import { main, requireTool, root, runOrThrow } from "./toolchain.mjs";

const folder = join(root, "native/tests/fixtures");

// In the words of the scenes. Each thread is traced into a file of its own, lest their lines mix.
const trace = `#!/bin/sh
exec strace -ff -o "$SCRATCH/trace" -e trace=sendmsg,sendto,recvmsg -e read=all -e write=all "$@"
`;
const look = `#!/bin/sh
set -e
trace ip -j -d -s -s link show dev "$1" > "$SCRATCH/link"
ip -j link show > "$SCRATCH/links"
for setting in disable_ipv6 accept_ra forwarding; do
  file="/proc/sys/net/ipv6/conf/$1/$setting"
  [ ! -e "$file" ] || echo "$setting $(cat "$file")"
done > "$SCRATCH/sysctl"
`;

/** The datagrams of a trace, as { direction, bytes }, in their order. */
function datagramsOf(text) {
  const datagrams = [];
  for (const line of text.split("\n")) {
    const [, call] = /^(sendmsg|sendto|recvmsg)\(/.exec(line) ?? [];
    const [, digits] = /^ \| [0-9a-f]+ {2}((?:[0-9a-f]{2} {1,2})+)/.exec(line) ?? [];
    if (call !== undefined)
      datagrams.push({
        direction: call === "recvmsg" ? "received" : "sent",
        bytes: Buffer.alloc(0),
      });
    if (digits === undefined) continue;
    const datagram = datagrams.at(-1);
    const more = Buffer.from(digits.replaceAll(" ", ""), "hex");
    datagram.bytes = Buffer.concat([datagram.bytes, more]);
  }
  // Without bytes: one that was only asked for its length. With the sequence 0, but for events:
  // iproute2 finds out what the kernel can do.
  const isOfUse = (datagram) => isEvent(datagram) || datagram.bytes.readUInt32LE(8) !== 0;
  return datagrams.filter((datagram) => datagram.bytes.length > 0 && isOfUse(datagram));
}

/** RTM_NEWLINK or RTM_DELLINK that answers no request. */
function isEvent({ direction, bytes }) {
  const answersNothing = direction === "received" && bytes.readUInt32LE(8) === 0;
  return answersNothing && [16, 17].includes(bytes.readUInt16LE(4));
}

function readTrace(scratch) {
  const traced = readdirSync(scratch).filter((name) => name.startsWith("trace."));
  return traced.flatMap((name) => datagramsOf(readFileSync(join(scratch, name), "utf8")));
}

/** The n-th datagram of each direction that `keep` names. */
function choose(datagrams, keep) {
  if (keep === "all") return datagrams;
  if (keep === "events") return datagrams.filter(isEvent);
  return Object.entries(keep).map(([direction, place]) =>
    datagrams.filter((datagram) => datagram.direction === direction).at(place),
  );
}

function sysctlOf(scratch) {
  const lines = readFileSync(join(scratch, "sysctl"), "utf8").trim().split("\n");
  const settings = lines.filter((line) => line !== "").map((line) => line.split(" "));
  return Object.fromEntries(settings.map(([name, value]) => [name, Number(value)]));
}

/** What `look` left: the link's message, and what the witnesses said of it. */
function seen(scratch) {
  const read = (name) => JSON.parse(readFileSync(join(scratch, name), "utf8"));
  const [said] = read("link");
  const sysctl = sysctlOf(scratch);
  const expected = expectations(said, read("links"), sysctl);
  // ip also looks up what the link stands on.
  const isAbout = ({ direction, bytes }) =>
    direction === "received" && bytes.readInt32LE(20) === said.ifindex;
  return {
    datagrams: readTrace(scratch).filter(isAbout).slice(-1),
    witnesses: [
      `# ip: ${JSON.stringify(said)}`,
      `# sysctl: ${JSON.stringify(sysctl)}`,
      "",
      ...expected.map(([path, value]) => `expect ${path} = ${value}`.trimEnd()),
    ],
  };
}

function comment(text) {
  return text.split("\n").map((line) => `#   ${line}`);
}

async function play({ name, about, script, keep }, tools, origin) {
  const scratch = mkdtempSync(join(tmpdir(), "flintap-capture-"));
  const path = `${tools}:${process.env.PATH}`;
  const env = { SCRATCH: scratch, ADDON: addonPath("release"), PATH: path };
  // Some scenes are about a program that fails.
  const steps = `set -e\n${script}${keep === undefined ? "" : " || true"}`;
  try {
    const said = (
      await runOrThrow("unshare", ["--net", "--", "bash", "-c", steps], { env })
    ).trim();
    const { datagrams, witnesses = [] } =
      keep === undefined ? seen(scratch) : { datagrams: choose(readTrace(scratch), keep) };
    const lines = [
      `# ${about}.`,
      `# ${origin}`,
      ...comment(script),
      ...(said === "" ? [] : ["# It printed:", ...comment(said)]),
      ...witnesses,
      ...datagrams.flatMap(({ direction, bytes }) => ["", direction, ...annotate(bytes)]),
    ];
    writeFileSync(join(folder, `${name}.hex`), `${lines.join("\n")}\n`);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

await main(async () => {
  requireTool("strace", "strace");
  requireTool("ip", "iproute2");
  await buildAddon("release");
  const wanted = process.argv.slice(2);
  const tools = mkdtempSync(join(tmpdir(), "flintap-capture-"));
  try {
    writeFileSync(join(tools, "trace"), trace, { mode: 0o755 });
    writeFileSync(join(tools, "look"), look, { mode: 0o755 });
    mkdirSync(folder, { recursive: true });
    const iproute2 = (await runOrThrow("ip", ["-Version"])).trim();
    const origin = `Linux ${release()} ${arch()}, ${iproute2}; scripts/capture-fixtures.mjs`;
    for (const scene of scenes) {
      if (wanted.length === 0 || wanted.includes(scene.name)) await play(scene, tools, origin);
    }
  } finally {
    rmSync(tools, { recursive: true });
  }
});
