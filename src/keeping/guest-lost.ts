/** Which guests lose their device with a link that has gone. Pure. */
import type { DesiredDevice } from "../desired/index.js";
import type { Link } from "../link.js";
import { takesDescriptors } from "../vmm.js";
import { comesWithQueues } from "./kept-device.js";
import type { GuestLost } from "./reports.js";

/**
 * What is told of a device that has gone; nothing of a tap that stays without a VMM and that nobody had
 * open. Of one that goes with its queues it cannot be seen whether these were closed or it was deleted.
 */
export function guestLost(device: DesiredDevice, link: Link): GuestLost | undefined {
  const { for: vmm, kind } = device;
  const isOpenedByName = kind === "tap" && !comesWithQueues(device);
  // A tap has a carrier while somebody has it open; a macvtap's is its parent's.
  if (isOpenedByName && link.carrier === false) return undefined;
  const isHanded = vmm === undefined ? !isOpenedByName : takesDescriptors(vmm);
  return { type: "guest-lost", device, link, needs: isHanded ? "new-fd" : "restart" };
}
