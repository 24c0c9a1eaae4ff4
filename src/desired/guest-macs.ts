/** That no two guests which reach each other have the same MAC. */
import { FlintapError } from "../error.js";
import type { Link } from "../link.js";
import { type DesiredDevice, placeOf } from "./device.js";

/** Compares those that are wanted with each other. */
export function checkGuestMacs(wanted: readonly DesiredDevice[]): void {
  const seen = new Map<string, DesiredDevice>();
  for (const device of wanted) {
    const mac = device.tag.guestMac;
    const place = placeOf(device);
    if (mac === undefined || place === undefined) continue;
    const key = JSON.stringify([device.kind, place, mac]);
    const first = seen.get(key);
    if (first !== undefined) throw refusal(device, `${first.name}, which is wanted too`);
    seen.set(key, device);
  }
}

/** A guest on the same bridge has the MAC. */
export function duplicateGuestMac(device: DesiredDevice, { name, tag }: Link): FlintapError {
  return refusal(device, tag === undefined ? name : `${name} of ${tag.microvm ?? tag.owner}`);
}

function refusal({ name: device }: DesiredDevice, holder: string): FlintapError {
  const where = { operation: "plan", step: "compare the guests' MACs", device };
  return new FlintapError({ errno: 0, reason: "duplicate-guest-mac", ...where, holder });
}
