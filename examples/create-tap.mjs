// Makes a tap for a VMM that opens it by name, such as Firecracker, and attaches it to a bridge.
//   node create-tap.mjs [bridge] [uid]
import { createTap, deleteLink } from "flintap";

const [bridge = "br0", uid = "0"] = process.argv.slice(2);

// Isolated: the guest reaches the bridge's uplink, but no other isolated guest.
const tap = await createTap({ bridge, isolated: true, uid: Number(uid) });
console.log(`${tap.name}: port of ${bridge}, isolated: ${tap.port?.isolated}`);
// The guest needs a MAC of its own: with the tap's, the bridge would keep its frames.
console.log(`the host's end has MAC ${tap.mac}`);

await deleteLink(tap);
