// Tells which guests lose their device, and why: here the host's interface goes, and with it every
// macvtap on it. A guest's open descriptor says nothing of that.
import { createMacvtap, createVeth, deleteLink, watchLinks } from "flintap";

const [parent] = await createVeth(); // stands for the host's interface
for (const microvm of ["default/mvm1", "default/mvm2"])
  await createMacvtap({ parent, tag: { microvm, interface: "eth1" } });

const watch = watchLinks({ kind: "macvtap", owner: "flintap" });
await watch.ready;
await deleteLink(parent);
let lost = 0;
for await (const event of watch) {
  if (event.type !== "removed") continue;
  console.log(`${event.link.tag?.microvm} has lost ${event.link.tag?.interface}`);
  if (++lost === 2) break;
}
