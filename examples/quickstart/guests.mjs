// The quickstart with real guests: two microVMs of the spec boot in QEMU, each with a macvtap and a tap;
// they get addresses by DHCP, and reach each other in both ways.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { handOver, NetworkNamespace } from "flintap";
import {
  microvmName,
  networkConfig,
  networkConfigParameter,
  parseConfig,
  parseSpec,
  provision,
  qemuNetwork,
  release,
} from "flintap/flintlock";
import { formatTable } from "../../dist/cli/table.js";
import { GuestConsole } from "../../scripts/guest/console.mjs";
import { guestImage, requireGuests } from "../../scripts/guest/image.mjs";
import { qemuArguments } from "../../scripts/guest/qemu.mjs";
import { Obstacle, requireTool, run } from "../../scripts/toolchain.mjs";
import { heading, quote, say, timed, verdict, watched, witness } from "./screen.mjs";

/** @typedef {import("flintap/flintlock").Microvm} Microvm */
/** @typedef {Awaited<ReturnType<typeof start>>} StartedGuest */
/** @typedef {Awaited<ReturnType<typeof comeUp>>} Guest */

/** Where DHCP servers listen, for which interface of a guest, and their network. */
const networks = [
  { device: "wire0", interface: "eth1", prefix: "10.81.0" },
  { device: "br0", interface: "eth2", prefix: "10.82.0" },
];

/** Fetches and makes what guests boot; the second time it is there. Exits where guests can't be had. */
export async function prepareGuests() {
  try {
    heading("Real guests");
    if (process.getuid?.() !== 0) throw new Obstacle("devices for QEMU take root");
    requireTool("dnsmasq", "dnsmasq-base");
    requireTool("setpriv", "util-linux");
    requireTool("ip", "iproute2");
    requireGuests();
    const what = "Debian's cloud kernel and an initramfs of busybox, fetched if they are not there";
    const [, time] = await watched(what, guestImage());
    say(`there, in ${time}`);
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error;
    say(`not possible here: ${error.message}`);
    process.exit(1);
  }
}

/** The show: boots, leases, pings, the end. */
export async function showGuests() {
  const host = NetworkNamespace.current({ owner: "quickstart-host" });
  const namespace = NetworkNamespace.current();
  heading("A host: enp0 with a wire behind it, and br0; a DHCP server on each");
  await host.createVeth({ name: "enp0", peer: { name: "wire0" } });
  await host.createBridge({ name: "br0" });
  for (const { device, prefix } of networks)
    await run("ip", ["address", "add", `${prefix}.1/24`, "dev", device]);
  const folder = mkdtempSync(join(tmpdir(), "flintap-quickstart-"));
  const dhcp = startDhcp(join(folder, "leases"));
  witness("ip", "-brief", "address");

  heading("A microVM's spec for flintlock, spec.json: two of them boot");
  const [config, spec] = ["config.yaml", "spec.json"].map(beside);
  quote(spec ?? "");
  const microvms = ["mvm1", "mvm2"].map((id) => parseSpec(spec ?? "", { id, source: "spec.json" }));
  const options = { config: parseConfig(config ?? "", "config.yaml"), namespace };
  const started = await Promise.all(microvms.map((microvm) => start(microvm, options)));
  const [guests] = await watched("Booting", Promise.all(started.map(comeUp)));
  for (const { name, time } of guests) say(`${name}: has its addresses after ${time}`);

  heading("Their leases, as the guests and the DHCP servers tell");
  showLeases(guests, readFileSync(join(folder, "leases"), "utf8"));
  heading("Pings");
  await showPings(guests);

  heading("The guests are killed: their taps go with them");
  await Promise.all(guests.map((guest) => guest.kill()));
  witness("ip", "-brief", "link", "show", "type", "tun");
  for (const microvm of microvms) {
    const devices = await release(microvm, { namespace });
    const words = devices.map(
      ({ deviceId, deleted }) => `${deviceId} ${deleted ? "deleted" : "was gone"}`,
    );
    say(`${microvmName(microvm)}: ${words.join(", ")}`);
  }
  const left = await namespace.listLinks({ owner: namespace.owner });
  verdict(left.length === 0, `flintap lists ${left.length} devices of its own`);
  dhcp.kill();
  await once(dhcp, "exit");
  rmSync(folder, { recursive: true });
  await Promise.all([host.close(), namespace.close()]);
}

/** @param {string} name */
const beside = (name) => readFileSync(new URL(name, import.meta.url), "utf8");

/** @param {string} leases */
function startDhcp(leases) {
  const words = networks.flatMap(({ device, prefix }) => [
    `--interface=${device}`,
    `--dhcp-range=${prefix}.10,${prefix}.99,255.255.255.0`,
  ]);
  const quiet = ["--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=/dev/null"];
  const plain = ["--port=0", "--bind-dynamic", "--except-interface=lo", "--pid-file=", "--no-ping"];
  const server = ["--user=root", "--dhcp-authoritative", `--dhcp-leasefile=${leases}`];
  return tied(
    "dnsmasq",
    [...quiet, ...plain, ...server, ...words],
    ["ignore", "ignore", "inherit"],
  );
}

/**
 * What ends with this process, however that ends.
 *
 * @param {string} program @param {string[]} args @param {import("node:child_process").StdioOptions} stdio
 */
function tied(program, args, stdio) {
  return spawn("setpriv", ["--pdeathsig", "KILL", "--", program, ...args], { stdio });
}

/**
 * @param {Microvm} microvm
 * @param {{ config: import("flintap/flintlock").HostConfig, namespace: NetworkNamespace }} options
 */
async function start(microvm, options) {
  const name = microvmName(microvm);
  const { interfaces } = await provision(microvm, { ...options, for: "qemu" });
  const { args: network, queues } = qemuNetwork(interfaces);
  const parameters = [networkConfigParameter(networkConfig(interfaces))];
  const qemu = qemuArguments(await guestImage(), { network, parameters });
  const child = await handOver(queues, (fds) =>
    tied("qemu-system-x86_64", qemu, ["pipe", "pipe", "inherit", ...fds]),
  );
  say(`${name}: QEMU has its ${queues.length} queues`);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("QEMU has no pipes");
  const serial = new GuestConsole(stdin, stdout);
  const kill = async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { name, interfaces, serial, kill };
}

/** @param {StartedGuest} guest */
async function comeUp(guest) {
  const [has, time] = await timed(guest.serial.ready);
  return { ...guest, has, time };
}

/** @param {Guest[]} guests @param {string} leases */
function showLeases(guests, leases) {
  const rows = guests.flatMap(({ name, interfaces, has }) =>
    interfaces.map(({ deviceId, type, link, guestMac }) => {
      const address = has.find((entry) => entry.deviceId === deviceId)?.address ?? "";
      const [, , leased = "none"] =
        leases
          .split("\n")
          .map((line) => line.split(" "))
          .find(([, mac]) => mac === guestMac) ?? [];
      return [name, deviceId, type, link.name, guestMac, address || "none", leased];
    }),
  );
  say(
    formatTable(["MICROVM", "IN GUEST", "KIND", "DEVICE", "GUEST MAC", "ADDRESS", "LEASE"], rows),
  );
  const agree = rows.every(([, , , , , address, leased]) => address === `${leased}/24`);
  verdict(agree, "each guest has on each interface what the server leased to it");
}

/** @param {Guest[]} guests */
async function showPings(guests) {
  /** @param {Guest | undefined} guest @param {string} deviceId */
  const addressOf = (guest, deviceId) =>
    guest?.has.find((entry) => entry.deviceId === deviceId)?.address.replace(/\/.*/, "") ?? "";
  const rows = [];
  for (const [at, from] of guests.entries())
    for (const { interface: deviceId, prefix } of networks) {
      const other = guests[1 - at];
      const targets = [
        { to: other?.name ?? "", address: addressOf(other, deviceId) },
        { to: "the server", address: `${prefix}.1` },
      ];
      for (const { to, address } of targets)
        rows.push([from.name, deviceId, to, address, ...(await ping(from, address))]);
    }
  say(formatTable(["FROM", "BY", "TO", "ADDRESS", "ANSWERED", "ROUND TRIP"], rows));
  verdict(
    rows.every(([, , , , answered]) => answered === "3 of 3"),
    "every ping was answered",
  );
}

/** @param {Guest} from @param {string} address */
async function ping(from, address) {
  const { output } = await from.serial.run(`ping -c 3 -i 0.2 -W 5 ${address}`);
  const [, received = "0"] = /(\d+) packets received/.exec(output) ?? [];
  const [, median = "-"] = /= [\d.]+\/([\d.]+)\//.exec(output) ?? [];
  return [`${received} of 3`, median === "-" ? "-" : `${median} ms`];
}
