/** Microvms as flintlock's specs describe them. */
import { type Microvm, parseSpec } from "../../../src/flintlock/index.js";

/** An interface in flintlock's words. */
export interface SpecInterface {
  device_id: string;
  type: "MACVTAP" | "TAP";
  guest_mac?: string;
  address?: { address: string; gateway?: string; nameservers?: string[] };
  overrides?: { bridge_name: string };
}

/** The microVM of a spec. */
export function microvmOf(id: string, interfaces: SpecInterface[]): Microvm {
  return parseSpec(JSON.stringify({ microvm: { id, namespace: "e2e", interfaces } }));
}
