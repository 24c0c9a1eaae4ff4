/** Says in words who has what a call asked for. */
import { inspect } from "node:util";
import type { NativeHolder } from "./addon.js";
import type { Reason } from "./reasons.js";
import { shown } from "./shown.js";
import { parseTag } from "./tag.js";

/** "owner 'flintap', microVM 'ns/vm', interface 'eth1'", as far as the alias is a tag that says so. */
function whose(alias: string): string | undefined {
  const tag = parseTag(alias);
  if (tag === undefined) return undefined;
  const parts = { owner: tag.owner, microVM: tag.microvm, interface: tag.interface };
  return Object.entries(parts)
    .filter(([, text]) => text !== undefined)
    .map(([part, text]) => `${part} ${shown(inspect(text))}`)
    .join(", ");
}

/**
 * "bridge br0 (no tag)", "macvtap flvtap0 (owner 'flintap', microVM 'ns/vm')", "process 4711 (qemu)";
 * for reason `not-ours`, where the link is known, only whose it is.
 */
export function holderText(holder: NativeHolder, reason: Reason): string {
  const { name } = holder;
  if ("pid" in holder) {
    if (holder.pid === process.pid) return "this process";
    return name === "" ? `process ${holder.pid}` : `process ${holder.pid} (${shown(name)})`;
  }
  const owner = whose(holder.alias);
  if (reason === "not-ours") return owner ?? "nobody (no tag)";
  const kind = holder.kind === "tun" ? "tap" : holder.kind || "link";
  return `${kind} ${shown(name)} (${owner ?? "no tag"})`;
}
