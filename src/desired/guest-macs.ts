/** That no two guests which reach each other have the same MAC. */
import { FlintapError } from "../error.js";
import { holderText } from "../holder.js";
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
export function duplicateGuestMac(
  device: DesiredDevice,
  { name, kind, alias = "" }: Link,
): FlintapError {
  return refusal(device, holderText({ name, kind, alias }, "duplicate-guest-mac"));
}

function refusal(device: DesiredDevice, holder: string): FlintapError {
  return new FlintapError({
    errno: 0,
    reason: "duplicate-guest-mac",
    operation: "plan",
    step: "compare the guests' MACs",
    device: device.name,
    on: placeOf(device),
    holder,
  });
}
