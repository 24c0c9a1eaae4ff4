// Gives a running VMM one more network device: its API socket takes the opened queue.
//   node hand-over.mjs [API-SOCKET] [bridge]
import { createTap, requestOverSocket } from "flintap";

const [apiSocket = "/run/vm1.sock", bridge = "br0"] = process.argv.slice(2);

// Cloud Hypervisor takes for granted that a descriptor carries the virtio-net header.
const tap = await createTap({ bridge, persist: false, vnetHeader: true });
try {
  const { status, body } = await requestOverSocket(apiSocket, {
    path: "/api/v1/vm.add-net",
    body: JSON.stringify({ id: "eth1", mac: "02:00:00:00:00:01" }),
    descriptors: tap.queues,
  });
  if (status >= 300) throw new Error(`${status}: ${body}`);
  // The VMM alone has the tap now: it goes when the VMM ends.
  console.log(`${tap.name} is the VMM's: ${body}`);
} finally {
  await tap.close();
}
