// Makes a macvtap for a guest, on the host's wired interface.
//   node create-macvtap.mjs [parent]
import { createMacvtap, deleteLink } from "flintap";

const [parent = "enp0"] = process.argv.slice(2);

const nic = await createMacvtap({ parent, tag: { microvm: "example", interface: "eth1" } });
// A VMM takes the device node (or a descriptor: see open-macvtap.mjs); its guest uses this MAC.
console.log(`${nic.name}: /dev/tap${nic.index}, guest MAC ${nic.mac}, MTU ${nic.mtu}`);

await deleteLink(nic);
