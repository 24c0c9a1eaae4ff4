// Works in another network namespace, with a macvtap there whose parent stays here. As root:
// node namespaces.mjs /run/netns/blue
import { getLink, NetworkNamespace } from "flintap";

const path = process.argv[2] ?? "/run/netns/blue";
const blue = await NetworkNamespace.open(path, { owner: "my-daemon" });

const tap = await blue.createTap();
const nic = await blue.createMacvtap({ parent: await getLink("enp0") });
console.log(`${tap.name} and ${nic.name} are in namespace ${nic.namespace}`);
console.log((await blue.listLinks({ owner: "my-daemon" })).map(({ kind }) => kind).sort());
await blue.close();
