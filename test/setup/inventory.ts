/** Everything that a failed call may have left behind, or changed: equal before and after. */
import { readdirSync } from "node:fs";
import { openDescriptors } from "./descriptors.js";
import { links } from "./iproute2.js";

/** What there is. */
export interface Inventory {
  /** All links with all that iproute2 tells of them, apart from what changes by itself. */
  links: unknown;
  /** What the process has open that may be the core's. */
  descriptors: string[];
  /** /dev, without the nodes of macvtaps: it is the machine's, where other tests make some. */
  devices: string[];
}

/** Timers, and the carrier's state, to which the kernel attends when it has the time. */
const changesByItself = /timer|usedbcqueuelen|operstate/;
const carrierFlags = ["NO-CARRIER", "LOWER_UP"];

/** Takes stock. */
export async function inventory(): Promise<Inventory> {
  const seen = JSON.stringify(await links(), (key, value) => {
    if (changesByItself.test(key)) return undefined;
    if (key !== "flags") return value;
    return (value as string[]).filter((flag) => !carrierFlags.includes(flag));
  });
  return {
    links: JSON.parse(seen),
    descriptors: openDescriptors(),
    devices: readdirSync("/dev").filter((name) => !/^(tap\d|\.flintap)/.test(name)),
  };
}
