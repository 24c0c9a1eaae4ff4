// Tries every call in the process that it runs in, and prints what came of each as JSON. Plain
// JavaScript on the built package, since it runs in containers and as users who can do little else.
//
//   node survey.mjs prepare    makes the links that the calls are about, by iproute2
//   node survey.mjs run        tries the calls; with `prepare run`, on links of its own making
import { execFileSync } from "node:child_process";
import * as flintap from "flintap";

/** @param {string} command */
const ip = (command) => execFileSync("ip", command.split(" "), { encoding: "utf8" });

function prepare() {
  // High and random, as the library's own are: /dev/tapN is one for all network namespaces.
  const index = 1_900_000_000 + Math.floor(Math.random() * 100_000_000);
  ip("link add enp0 type veth peer name wire0");
  for (const end of ["enp0", "wire0"]) ip(`link set ${end} addrgenmode none up`);
  for (const bridge of ["br0", "doomed0", "doomed1"]) ip(`link add ${bridge} type bridge`);
  ip("link add port0 type veth peer name port1");
  ip("link set port0 master br0");
  ip(`link add link enp0 name vtap0 index ${index} type macvtap mode bridge`);
  ip("link set vtap0 addrgenmode none up");
  ip("tuntap add tap0 mode tap user root");
}

/** @typedef {"closed" | "reduced"} Wanted */

/** @param {{ name: string, ipv6?: { state?: string } }} link @param {Wanted} wanted */
function checkState({ name, ipv6 }, wanted) {
  if (ipv6?.state !== "closed" && ipv6?.state !== wanted)
    throw new Error(`${name} is ${ipv6?.state}, not ${wanted}`);
}

/** @param {import("flintap").Link} link @param {Wanted} wanted */
async function deleteAgain(link, wanted) {
  await flintap.deleteLink(link);
  checkState(link, wanted);
}

/** @param {Wanted} hostIPv6 */
const taps = (hostIPv6) => ({
  createTap: async () => deleteAgain(await flintap.createTap({ hostIPv6 }), hostIPv6),
  "createTap, persist: false": async () => {
    const tap = await flintap.createTap({ hostIPv6, persist: false });
    await tap.close();
    checkState(tap, hostIPv6);
  },
});

/** @param {Wanted} hostIPv6 */
const macvtaps = (hostIPv6) => ({
  createMacvtap: async () =>
    deleteAgain(await flintap.createMacvtap({ parent: "enp0", hostIPv6 }), hostIPv6),
});

// The columns of the table in docs/containers.md, each with its calls.
const columns = {
  "list, watch": {
    listLinks: () => flintap.listLinks(),
    watchLinks: async () => {
      for await (const _ of flintap.watchLinks({ initial: true })) return;
    },
  },
  "veth; set, attach, detach, delete": {
    createVeth: async () => flintap.deleteLink((await flintap.createVeth())[0]),
    setLink: () => flintap.setLink("port1", { alias: "ours", mtu: 1400 }),
    attachToBridge: () => flintap.attachToBridge("port1", "br0"),
    detachFromBridge: () => flintap.detachFromBridge("port0"),
    deleteLink: () => flintap.deleteLink("doomed0", { force: true }),
    deleteLinks: async () => {
      const [result] = await flintap.deleteLinks(["doomed1"], { force: true });
      if (result?.deleted === false) throw result.error;
    },
  },
  bridge: { createBridge: async () => flintap.deleteLink(await flintap.createBridge()) },
  tap: taps("closed"),
  macvtap: macvtaps("closed"),
  'tap, `"reduced"`': taps("reduced"),
  'macvtap, `"reduced"`': macvtaps("reduced"),
  openTap: { openTap: async () => (await flintap.openTap("tap0")).close() },
  openMacvtap: { openMacvtap: async () => (await flintap.openMacvtap("vtap0")).close() },
  "other namespace": {
    "NetworkNamespace.open": async () =>
      (await flintap.NetworkNamespace.open({ pid: process.pid })).close(),
  },
};

/** What of the links there must be left as it was, apart from what the calls are to change. */
const stock = () =>
  JSON.parse(ip("-json link show"))
    .map((/** @type {{ ifname: string }} */ { ifname }) => ifname)
    .filter((/** @type {string} */ name) => !name.startsWith("doomed"))
    .sort();

async function run() {
  const before = stock();
  /** @type {Record<string, string>} */
  const row = {};
  const refusals = [];
  for (const [column, calls] of Object.entries(columns)) {
    /** @type {Set<string>} */
    const outcomes = new Set();
    for (const [call, make] of Object.entries(calls)) {
      try {
        await make();
        outcomes.add("yes");
      } catch (error) {
        if (!(error instanceof flintap.FlintapError)) throw error;
        const { code, reason, hint, message, leftBehind } = error;
        refusals.push({ call, code, reason, hint, message, leftBehind });
        outcomes.add(`\`${reason}\``);
      }
    }
    row[column] = [...outcomes].join(", ");
  }
  console.log(JSON.stringify({ row, refusals, before, after: stock() }));
}

const steps = process.argv.slice(2);
if (steps.includes("prepare")) prepare();
if (steps.includes("run")) await run();
