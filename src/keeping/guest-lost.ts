/** Which guests lose their device with a link that has gone. Pure. */
import type { DesiredDevice } from "../desired/index.js";
import type { Link } from "../link.js";
import { takesDescriptors } from "../vmm.js";
import { comesWithQueues } from "./kept-device.js";
import type { GuestLost } from "./reports.js";

/** What is told of a device that has gone; nothing of a tap that nobody had open any more. */
export function guestLost(device: DesiredDevice, link: Link): GuestLost | undefined {
  // A tap has a carrier while somebody has it open; a macvtap's is its parent's.
  if (link.kind === "tun" && link.carrier === false) return undefined;
  const { for: vmm, kind } = device;
  const isOpenedByName = kind === "tap" && !comesWithQueues(device);
  const isHanded = vmm === undefined ? !isOpenedByName : takesDescriptors(vmm);
  return { type: "guest-lost", device, link, needs: isHanded ? "new-fd" : "restart" };
}
