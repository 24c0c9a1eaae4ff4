/**
 * Which of the host's bridges a tap is put on. Where the config names several, every guest's interface has
 * an order of its own in which they are taken, by rendezvous hashing: it follows from their names alone,
 * whatever the order of the list, and a bridge that is added gets its share of the new interfaces while
 * all others keep theirs. Pure.
 */
import { hash } from "node:crypto";
import type { HostConfig } from "./config.js";

/** The bridges that a config names. */
export function bridgesOf({ bridgeName = [] }: HostConfig): readonly string[] {
  return typeof bridgeName === "string" ? [bridgeName] : bridgeName;
}

/**
 * The bridges in the order in which they are taken for a guest's interface.
 *
 * @param bridges Their names, each once.
 * @param purpose What tells the interface from all others.
 */
export function inOrderFor(purpose: readonly string[], bridges: readonly string[]): string[] {
  const rank = (bridge: string) => hash("sha256", JSON.stringify([...purpose, bridge]), "hex");
  return bridges
    .map((bridge) => ({ bridge, rank: rank(bridge) }))
    .sort((one, other) => (one.rank < other.rank ? 1 : -1))
    .map(({ bridge }) => bridge);
}

/** What a device that is wanted says of its bridges; none: that it is on no bridge. */
export function onBridges([bridge, ...otherBridges]: readonly string[]):
  | { bridge?: undefined }
  | { bridge: string; otherBridges?: string[] } {
  if (bridge === undefined) return {};
  return otherBridges.length === 0 ? { bridge } : { bridge, otherBridges };
}
