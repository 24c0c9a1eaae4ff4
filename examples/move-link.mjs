// Makes a tap here and moves it to another network namespace, where it is up and closed as before.
// As root: node move-link.mjs /run/netns/blue
import { createTap, FlintapError, getLink, moveLink, NetworkNamespace } from "flintap";

const blue = await NetworkNamespace.open(process.argv[2] ?? "/run/netns/blue");
const tap = await createTap({ name: "guest0" });
const moved = await moveLink(tap, blue);
console.log(`${moved.name}: up ${moved.up}, host IPv6 ${moved.ipv6?.state}`);

const error = await getLink(tap).catch((thrown) => thrown);
if (error instanceof FlintapError) console.log(`here: ${error.code}`);
await blue.close();
