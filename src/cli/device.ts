/** A device in the words of the command's tables and JSON. Pure. */
import type { Link } from "../link.js";

/** What stands in a table's cell where there is nothing. */
export const nothing = "-";

/** A device, for programs; the shape is stable. */
export interface DeviceReport {
  device: string;
  /** `macvtap`, `tap`, or the kernel's word for another kind. */
  kind: string;
  index: number;
  /** The MAC that the guest uses. */
  guestMac: string | null;
  /** The device's own MAC. */
  mac: string | null;
  /** The name of a macvtap's parent, or of a tap's bridge. */
  on: string | null;
  mtu: number;
  state: DeviceState;
  microvm: string | null;
  interface: string | null;
  owner: string | null;
  /** ISO 8601. */
  createdAt: string | null;
}

/** `no-carrier`: it is up, and no VMM has the tap open, or the parent has no carrier. */
export type DeviceState = "up" | "no-carrier" | "down";

/** The kind in flintap's word: the kernel's for a tap is "tun". */
export function kindOf(link: Link): string {
  return link.kind === "tun" ? link.details.type : link.kind;
}

/** The MAC that the guest uses: a macvtap's own, where no tag says which. */
export function guestMacOf({ kind, mac, tag }: Link): string | undefined {
  return tag?.guestMac ?? (kind === "macvtap" ? mac : undefined);
}

/** The state in one word. */
export function stateOf({ up, carrier }: Link): DeviceState {
  if (!up) return "down";
  return carrier === false ? "no-carrier" : "up";
}

/** A link for programs; `on` is the name of what it hangs on. */
export function reportOf(link: Link, on: string | undefined): DeviceReport {
  const { name, index, mac, mtu, tag } = link;
  return {
    device: name,
    kind: kindOf(link),
    index,
    guestMac: guestMacOf(link) ?? null,
    mac: mac ?? null,
    on: on ?? null,
    mtu,
    state: stateOf(link),
    microvm: tag?.microvm ?? null,
    interface: tag?.interface ?? null,
    owner: tag?.owner ?? null,
    createdAt: tag?.createdAt.toISOString() ?? null,
  };
}

const units = [
  { letter: "d", seconds: 86_400 },
  { letter: "h", seconds: 3_600 },
  { letter: "m", seconds: 60 },
] as const;

/** How long ago, in the largest unit of which there are two or more: `90s`, `3h`, `12d`. */
export function ageOf(createdAt: Date, now: Date): string {
  const age = Math.max(0, Math.floor((now.getTime() - createdAt.getTime()) / 1000));
  const unit = units.find(({ seconds }) => age >= 2 * seconds);
  return unit === undefined ? `${age}s` : `${Math.floor(age / unit.seconds)}${unit.letter}`;
}
