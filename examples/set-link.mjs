// Changes a device: all that is named, or nothing. The held link works on after a rename.
import { createTap, FlintapError, setLink } from "flintap";

const tap = await createTap({ name: "guest0" });
const changes = { name: "guest1", mtu: 1000, addAltNames: ["web-1"] };
const renamed = await setLink(tap, { ...changes, up: false }); // down: Linux 6.2 renames any link
console.log(`${renamed.name}, MTU ${renamed.mtu}, also ${renamed.altNames.at(-1)}`);

const raised = await setLink(tap, { mtu: 1500, up: true });
console.log(`host IPv6 ${raised.ipv6?.state}`); // held, though the kernel makes it anew

const error = await setLink(tap, { alias: "mine" }).catch((thrown) => thrown);
if (error instanceof FlintapError) console.log(error.reason);
