// Makes a bridge and a host's uplink its port; then guests' taps on it reach the wire.
//   node attach-to-bridge.mjs [uplink]
import { attachToBridge, createBridge, deleteLink, detachFromBridge, listLinks } from "flintap";

const [uplink = "enp0"] = process.argv.slice(2);

const bridge = await createBridge({ name: "br1" });
await attachToBridge(uplink, bridge);
const ports = await listLinks({ master: bridge });
console.log(`${bridge.name}: ${ports.map((port) => port.name).join(", ")}`);

await detachFromBridge(uplink);
await deleteLink(bridge);
