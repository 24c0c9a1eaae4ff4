/** What people are told of bridges that are getting full. */
import type { BridgeUsage } from "../desired/index.js";
import type { Terminal } from "./terminal.js";

const grouped = (number: number): string => number.toLocaleString("en-US");

/** `12 of 1,023 ports`. */
export function portsText({ ports, most }: Pick<BridgeUsage, "ports" | "most">): string {
  return `${grouped(ports)} of ${grouped(most)} ports`;
}

/** Notes each of the bridges. */
export function noteNearlyFull(bridges: readonly BridgeUsage[], { note }: Terminal): void {
  for (const usage of bridges)
    note(
      `bridge ${usage.bridge} has ${portsText(usage)}: make another and add it to bridge-name's list, or look for leftovers`,
    );
}
