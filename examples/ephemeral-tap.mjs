// Hands a tap to a VMM as a descriptor. The tap is gone when the VMM ends, however it ends.
//   node ephemeral-tap.mjs [bridge]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createTap, FlintapError, getLink } from "flintap";

const [bridge = "br0"] = process.argv.slice(2);

const tap = await createTap({ bridge, persist: false, vnetHeader: true });
// Descriptor 3 of the child; for Cloud Hypervisor this is `--net fd=3,mac=…`. It cannot ask for the
// virtio-net header any more, so the tap has it.
const vmm = spawn("cat", { stdio: ["pipe", "inherit", "inherit", tap.queues[0]?.fd] });
const ended = once(vmm, "exit");
await tap.close();
console.log(`${tap.name} is in the VMM's hands: ${(await getLink(tap)).carrier}`);

vmm.stdin?.end(); // what stands for a VMM runs until then
await ended;
await getLink(tap).catch((error) => {
  if (!(error instanceof FlintapError) || error.reason !== "no-such-link") throw error;
  console.log(`${tap.name} is gone with it`);
});
