// Opens a tap's queue, as a VMM does that is handed a descriptor, and hands it to a child process.
//   node open-tap.mjs
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createTap, deleteLink, getLink, openTap } from "flintap";

const tap = await createTap();
const queue = await openTap(tap);
try {
  // It is close-on-exec: only what stands in `stdio` gets it, here as descriptor 3.
  const vmm = spawn("readlink", ["/proc/self/fd/3"], {
    stdio: ["ignore", "inherit", "inherit", queue.fd],
  });
  await once(vmm, "exit");
  const { carrier } = await getLink(tap);
  console.log(`${tap.name} has ${carrier ? "a" : "no"} carrier while its queue is open`);
} finally {
  await queue.close();
  await deleteLink(tap);
}
