// A microVM's day: its spec is read, its devices are made, its VMM gets them, and they go with it.
//   node microvm.mjs CONFIG SPEC VMM [ARGUMENT…]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { NetworkNamespace } from "flintap";
import * as flintlock from "flintap/flintlock";

const [configFile = "", specFile = "", vmm = "", ...machine] = process.argv.slice(2);
const config = await flintlock.loadConfig(configFile);
const microvm = await flintlock.loadSpec(specFile, { id: "vm1" });

const namespace = NetworkNamespace.current();
try {
  // All of them or none; what is there already, from before a restart, is adopted.
  const { interfaces } = await flintlock.provision(microvm, { config, namespace });

  // A tap is opened by the VMM itself, by its name; a macvtap's queue is handed over.
  const macvtaps = interfaces.filter(({ link }) => link.kind === "macvtap");
  const queues = await Promise.all(macvtaps.map(({ link }) => namespace.openMacvtap(link)));
  const fds = Object.fromEntries(macvtaps.map(({ deviceId }, at) => [deviceId, 3 + at]));
  const guest = flintlock.networkConfigParameter(flintlock.networkConfig(interfaces));
  const child = spawn(
    vmm,
    [...machine, "--cmdline", guest, "--net", ...flintlock.cloudHypervisorNet(interfaces, { fds })],
    { stdio: ["ignore", "inherit", "inherit", ...queues.map(({ fd }) => fd)] },
  );
  // Listened for at once: it may end before this process's copies are closed.
  const ended = once(child, "exit");
  const [[code]] = await Promise.all([ended, ...queues.map((queue) => queue.close())]);
  console.log(`${flintlock.microvmName(microvm)} ended with ${code}`);
} finally {
  await flintlock.release(microvm, { namespace });
  await namespace.close();
}
