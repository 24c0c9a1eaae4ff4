/** A second namespace for the fault tests, with a parent for macvtaps in it. */
import { type Link, NetworkNamespace } from "../../src/index.js";
import { missing } from "../setup/capabilities.js";
import { type OtherNamespace, otherNamespace } from "../setup/other-namespace.js";

interface Elsewhere {
  holder: OtherNamespace;
  handle: NetworkNamespace;
  parent: Link;
}

let opened: Elsewhere | undefined;

/** Opens it, where the process may; its path is in the environment of children. */
export async function openElsewhere(): Promise<void> {
  if (missing("root") !== undefined) return;
  const holder = await otherNamespace();
  const handle = await NetworkNamespace.open({ pid: holder.pid });
  const [parent] = await handle.createVeth();
  // What a handle keeps open for its deletes is there from then on.
  await handle.deleteLink(await handle.createTap());
  opened = { holder, handle, parent };
  process.env.FLINTAP_ELSEWHERE = `/proc/${holder.pid}/ns/net`;
}

/** Its handle, and a link in it; both were there before any fault. */
export function elsewhere(): Elsewhere {
  if (opened === undefined) throw new Error("openElsewhere has not opened it");
  return opened;
}

/** Deletes what came there. */
export async function emptyElsewhere(): Promise<void> {
  const { handle } = elsewhere();
  const taps = await handle.listLinks({ kind: "tun" });
  await Promise.all(taps.map((tap) => handle.deleteLink(tap)));
}

export async function closeElsewhere(): Promise<void> {
  await opened?.handle.close();
  await opened?.holder[Symbol.asyncDispose]();
}

/**
 * Text for a child: opens it as `blue`, with the `parent` in it. Held, since the end of a handle that
 * is collected lets go what stands still.
 */
export const openBlue = `
  const blue = await flintap.NetworkNamespace.open(process.env.FLINTAP_ELSEWHERE);
  globalThis.blue = blue;
  const [parent] = await blue.listLinks({ kind: "veth" });`;
