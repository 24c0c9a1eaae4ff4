// A microVM's day: its spec is read, its devices are made, its VMM gets them, and they go with it.
//   node microvm.mjs CONFIG SPEC VMM [ARGUMENT…]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { handOver, NetworkNamespace } from "flintap";
import * as flintlock from "flintap/flintlock";

const [configFile = "", specFile = "", vmm = "", ...machine] = process.argv.slice(2);
const config = await flintlock.loadConfig(configFile);
const microvm = await flintlock.loadSpec(specFile, { id: "vm1" });

const namespace = NetworkNamespace.current();
try {
  // All of them or none; what is there already, from before a restart, is adopted.
  const { interfaces } = await flintlock.provision(microvm, {
    ...{ config, namespace },
    for: "cloud-hypervisor",
  });

  // The VMM is handed the queues of its devices; this process keeps no copy of them.
  const { args, queues } = flintlock.cloudHypervisorNetwork(interfaces);
  const guest = flintlock.networkConfigParameter(flintlock.networkConfig(interfaces));
  const { exit } = await handOver(queues, (fds) => {
    const child = spawn(vmm, [...machine, "--cmdline", guest, ...args], {
      stdio: ["ignore", "inherit", "inherit", ...fds],
    });
    // Listened for at once: it may end before this process's copies are closed.
    return { exit: once(child, "exit") };
  });
  const [code] = await exit;
  console.log(`${flintlock.microvmName(microvm)} ended with ${code}`);
} finally {
  await flintlock.release(microvm, { namespace });
  await namespace.close();
}
