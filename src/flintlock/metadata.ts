import type { Microvm } from "./microvm.js";
export function withMetadataInterface(microvm: Microvm): Microvm {
  return microvm;
}
