// The main job of flintap in a network namespace of its own: a flintlock config, a microVM's spec and
// a CAPMVM template go in, devices come out, a frame goes from guest to guest, what drifts is repaired,
// everything is taken down.
//   npm run quickstart
//   npm run quickstart -- --guests      the same with real guests, see guests.mjs
import { readFileSync } from "node:fs";
import { apply, formatPlan, NetworkNamespace, plan } from "flintap";
import {
  desiredNetwork,
  firecrackerNetwork,
  microvmName,
  networkConfig,
  networkConfigYaml,
  parseConfig,
  parseSpec,
  provision,
  release,
} from "flintap/flintlock";
import { formatTable } from "../../dist/cli/table.js";
import { arpRequest, experimental, frameOf, receive, send } from "./frames.mjs";
import { enterNamespaces, isInside, isRoot } from "./namespace.mjs";
import { cannot, heading, quote, say, timed, verdict, witness } from "./screen.mjs";

/** @typedef {import("flintap").Link} Link */
/** @typedef {import("flintap/flintlock").Microvm} Microvm */

const withGuests = process.argv.includes("--guests");
const guestShow = withGuests ? await import("./guests.mjs") : undefined;
// What guests boot is fetched by the host's network.
if (!isInside) await guestShow?.prepareGuests();
enterNamespaces();
if (guestShow !== undefined) {
  await guestShow.showGuests();
  process.exit();
}

/** @param {string} name */
const beside = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const configText = beside("config.yaml");
const [specText, templateText] = [beside("spec.json"), beside("template.yaml")];

// Two handles on the namespace: what the host has, and what flintap makes for guests.
const host = NetworkNamespace.current({ owner: "quickstart-host" });
const guests = NetworkNamespace.current();

heading("A host: a wired interface and a bridge");
await makeHost();
heading("flintlockd's config.yaml");
quote(configText);
heading("A microVM's spec for flintlock, spec.json");
quote(specText);
heading("The same from a cluster: CAPMVM's template.yaml");
quote(templateText);

heading("Two microVMs, one of each");
const config = parseConfig(configText, "config.yaml");
const microvms = await provisionAll([
  parseSpec(specText, { id: "mvm1", source: "spec.json" }),
  parseSpec(templateText, { id: "mvm2", source: "template.yaml" }),
]);
await showDevices();

heading("What mvm2's VMM and guest are told of its tap");
await showFragments();

heading("A frame from guest to guest");
await exchangeFrames();

heading("A port leaves its bridge: what is wanted is compared with what is there");
await repairDrift();

heading("Everything down");
for (const microvm of microvms) {
  const [released, time] = await timed(release(microvm, { namespace: guests }));
  const names = released.map(({ hostDeviceName }) => hostDeviceName);
  say(`${microvmName(microvm)}: ${names.join(" and ")} deleted in ${time}`);
}
const left = await guests.listLinks({ owner: guests.owner });
verdict(left.length === 0, `flintap lists ${left.length} devices of its own`);
for (const name of ["enp0", "br0"]) await host.deleteLink(name);
const shown = witness("ip", "-brief", "link");
if (shown !== undefined) verdict(/^lo\s[^\n]*\n$/.test(shown), "ip shows nothing but lo");
await Promise.all([host.close(), guests.close()]);

/** A veth pair stands for the wire: enp0 is the host's end, wire0 sees what leaves the host. */
async function makeHost() {
  const quiet = /** @type {const} */ ({ hostIPv6: "closed" });
  const [, peer] = await host.createVeth({ name: "enp0", peer: { name: "wire0" }, ...quiet });
  const bridge = await host.createBridge({ name: "br0" });
  say(
    `enp0 (its other end is ${peer.name}) and ${bridge.name}, in a network namespace of their own`,
  );
  return [peer];
}

/**
 * Provisions microVMs; where taps can't be had, with their macvtaps only.
 *
 * @param {Microvm[]} wanted
 */
async function provisionAll(wanted) {
  const [first] = wanted;
  if (first === undefined || (await tryProvision(first))) {
    for (const microvm of wanted.slice(1)) await tryProvision(microvm);
    return wanted;
  }
  say("All interfaces or none: no device was made. Again, with the macvtaps alone:");
  const reduced = wanted.map((microvm) => ({
    ...microvm,
    interfaces: microvm.interfaces.filter(({ type }) => type === "macvtap"),
  }));
  for (const microvm of reduced) await tryProvision(microvm);
  return reduced;
}

/** @param {Microvm} microvm */
async function tryProvision(microvm) {
  try {
    const [{ status }, time] = await timed(provision(microvm, { config, namespace: guests }));
    say(`${microvmName(microvm)}: ${Object.keys(status).join(" and ")} in ${time}`);
    return true;
  } catch (error) {
    cannot(error);
    return false;
  }
}

/** Provisioning again gives what is there. */
async function showFragments() {
  const [, microvm] = microvms;
  if (microvm === undefined) return;
  const { interfaces } = await provision(microvm, { config, namespace: guests });
  const taps = interfaces.filter(({ type }) => type === "tap");
  if (taps.length === 0) return say("There is no tap.");
  say("Firecracker:");
  quote(JSON.stringify(firecrackerNetwork(taps), undefined, 2));
  say("cloud-init:");
  quote(networkConfigYaml(networkConfig(taps)));
}

async function repairDrift() {
  const wanted = desiredNetwork(microvms, { config });
  const [tap] = (await guests.listLinks({ kind: "tun" })).sort(byMicrovm);
  if (tap !== undefined) await host.detachFromBridge(tap);
  const drifted = await plan(wanted, { namespace: guests });
  say(formatPlan(drifted));
  const [, time] = await timed(apply(drifted, { namespace: guests }));
  say(`applied in ${time}; planned again:`);
  say(formatPlan(await plan(wanted, { namespace: guests })));
}

async function showDevices() {
  const all = await guests.listLinks();
  const names = new Map(all.map(({ index, name }) => [index, name]));
  const rows = all
    .filter((link) => link.tag?.owner === guests.owner)
    .sort(byMicrovm)
    .map((link) => [
      link.name,
      link.kind === "tun" ? "tap" : link.kind,
      `${link.index}`,
      link.mac ?? "",
      names.get(link.master ?? link.parent ?? 0) ?? "",
      `${link.mtu}`,
      link.operState ?? "",
      `${link.tag?.microvm} ${link.tag?.interface}`,
    ]);
  say("");
  say(formatTable(["DEVICE", "KIND", "INDEX", "MAC", "ON", "MTU", "STATE", "MICROVM"], rows));
  say("\nThe same, as iproute2 sees it:");
  witness("ip", "-brief", "link");
  witness("bridge", "link");
}

async function exchangeFrames() {
  const [a, b] = (await guests.listLinks({ kind: "macvtap" })).sort(byMicrovm);
  if (a?.mac === undefined || b?.mac === undefined) return say("There are no two macvtaps.");
  try {
    const [from, to] = await Promise.all([guests.openMacvtap(a), guests.openMacvtap(b)]);
    const unicast = frameOf({
      to: b.mac,
      from: a.mac,
      type: experimental,
      payload: Buffer.from("hello, neighbour"),
    });
    const before = await seenOnWire();
    send(from, unicast);
    const got = await receive(to, unicast);
    verdict(got !== undefined, `mvm1 sent "hello, neighbour" to ${b.mac}, and mvm2 received it`);
    const between = await seenOnWire();
    verdict(between === before, `of that frame, the wire saw ${between - before}`);
    const request = arpRequest(a.mac);
    send(from, request);
    await receive(to, request);
    const after = await seenOnWire();
    verdict(after - between === 1n, `of a broadcast (ARP), the wire saw ${after - between}`);
    await Promise.all([from.close(), to.close()]);
  } catch (error) {
    cannot(error);
    if (!isRoot) say("Run it as root to see the frames.");
  }
}

/** The frames that reached the parent's other end. */
async function seenOnWire() {
  const { statistics } = await host.getLink("wire0", { statistics: true });
  return statistics?.rxPackets ?? 0n;
}

/** @param {Link} a @param {Link} b */
function byMicrovm({ tag: a }, { tag: b }) {
  return `${a?.microvm} ${a?.interface}`.localeCompare(`${b?.microvm} ${b?.interface}`);
}
