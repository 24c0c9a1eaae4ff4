// Flintlock's words: a config and a microVM's spec go in, devices come out.
//   node flintlock.mjs [config.yaml] [spec.json]
import { fileURLToPath } from "node:url";
import { NetworkNamespace } from "flintap";
import { loadConfig, loadSpec, provision, release } from "flintap/flintlock";

/** @param {string} name */
const beside = (name) => fileURLToPath(new URL(`quickstart/${name}`, import.meta.url));
const [configFile = beside("config.yaml"), specFile = beside("spec.json")] = process.argv.slice(2);

const config = await loadConfig(configFile);
const microvm = await loadSpec(specFile, { id: "example" });

const namespace = NetworkNamespace.current();
try {
  const { interfaces, status } = await provision(microvm, { config, namespace });
  console.log(JSON.stringify(status, undefined, 2));
  for (const { deviceId, link, guestMac } of interfaces) {
    // What a VMM is told: the tap's name, or the macvtap's node, and the MAC of the guest's end.
    const device = link.kind === "macvtap" ? `/dev/tap${link.index}` : link.name;
    console.log(`${deviceId}: ${device}, guest MAC ${guestMac}`);
  }
  await release(microvm, { namespace });
} finally {
  await namespace.close();
}
