/**
 * Devices that another process is just making. It marks a link by several requests and then sets it
 * up, and its last step makes a tap persistent. The kernel does not tell of all of that, least of all
 * while the link is down, so it is looked at again and again.
 */
import { pauseFor } from "../cancellation.js";
import type { Link } from "../link.js";
import { isKnown } from "./device.js";
import type { Looking } from "./looking.js";

/** Milliseconds that a device may take to be made, while thousands wait for the kernel. */
const patience = 5_000;

/**
 * The same for a link that has a device's name only, and is more likely somebody else's; and for one that
 * is up already, which lacks no more than the last step, if it is not to stay as it is.
 */
const shortPatience = 500;

/** Milliseconds between two looks: the first pause, and the longest. */
const [firstPause, longestPause] = [1, 64];

/**
 * Whether a link that has a device's derived names, or its name only, may be half made.
 *
 * @param persist The device that is meant is to be persistent: a tap that is not is in the making.
 */
export function isInTheMaking(link: Link, persist = false): boolean {
  const { alias, up } = link;
  if (link.kind === "macvtap") return alias === undefined && !up;
  if (link.kind !== "tun" || link.details.persistent === true) return false;
  return alias === undefined || (persist && isKnown(link));
}

/**
 * Calls `look` until it gives none of the links that are in the making any more, or some that have been
 * so for too long.
 */
export async function untilMade(look: () => Promise<Link[]>, { signal }: Looking): Promise<void> {
  const since = performance.now();
  for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
    const unfinished = await look();
    const isHalfMade = (link: Link) => isKnown(link) && !link.up;
    const most = unfinished.some(isHalfMade) ? patience : shortPatience;
    if (unfinished.length === 0 || performance.now() - since > most) return;
    await pauseFor(pause, signal);
  }
}
