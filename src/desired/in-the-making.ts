/**
 * Devices that another process is just making. It marks a link by several requests and then sets it
 * up, and its last step makes a tap persistent. All of this is told of by the kernel, so nobody has to
 * ask again and again.
 */
import { isGone } from "../error.js";
import type { Link } from "../link.js";
import { keyPrefix } from "./device.js";
import type { Looking } from "./looking.js";

/** How long a device may take to be made, in milliseconds, while thousands wait for the kernel. */
const patience = 5_000;

/** Whether a link that has a device's derived names, or its name only, may be half made. */
export function isInTheMaking(link: Link): boolean {
  const { identity, alias, up } = link;
  if (link.kind === "macvtap") return alias === undefined && !up;
  if (link.kind !== "tun" || link.details.persistent === true) return false;
  // An ephemeral tap has no such name: it is not in the making all its life.
  return isKnown(link) || (identity === undefined && alias === undefined);
}

function isKnown({ altNames }: Link): boolean {
  return altNames.some((name) => name.startsWith(keyPrefix));
}

/** Waits until a link is made or gone; false: after a time, no longer. */
export async function untilMade(link: Link, { namespace, signal }: Looking): Promise<boolean> {
  const tooLong = AbortSignal.timeout(patience);
  const either = signal === undefined ? tooLong : AbortSignal.any([signal, tooLong]);
  const watch = namespace.watchLinks({ kind: link.kind, signal: either });
  try {
    await watch.ready;
    if (!isInTheMaking(await namespace.getLink(link, { signal: either }))) return true;
    for await (const { link: seen, type } of watch) {
      if (seen.index === link.index && (type === "removed" || !isInTheMaking(seen))) return true;
    }
  } catch (error) {
    if (isGone(error)) return true;
    if (signal?.aborted || !tooLong.aborted) throw error;
  } finally {
    await watch.close();
  }
  return false;
}
