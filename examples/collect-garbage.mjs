// Deletes what an earlier run has left: devices of microVMs that the daemon does not have any more.
//   node collect-garbage.mjs
import { collectGarbage, NetworkNamespace } from "flintap";

const namespace = NetworkNamespace.current({ owner: "my-daemon" });
for (const microvm of ["default/vm1", "default/vm2"])
  await namespace.createTap({ tag: { microvm, interface: "eth1" } });

const microvms = new Set(["default/vm1"]); // what the daemon has; noted before it makes devices
const keep = () => [...microvms].map((microvm) => ({ microvm }));
const names = (/** @type {{ tag?: { microvm?: string } }[]} */ links) =>
  links.map(({ tag }) => tag?.microvm).join();

const { young } = await collectGarbage({ namespace, keep });
console.log(`young: ${names(young)}`);
const { removed, kept } = await collectGarbage({ namespace, keep, minAge: 0 });
console.log(`removed: ${names(removed)}, kept: ${names(kept)}`);

microvms.clear();
await collectGarbage({ namespace, keep, minAge: 0 });
await namespace.close();
