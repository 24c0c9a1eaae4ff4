/**
 * The interface by which a guest reaches its VMM's metadata service, which no spec names: flintlock
 * adds it.
 */
import type { Microvm, MicrovmInterface } from "./microvm.js";

/**
 * The metadata interface as flintlock adds it: `eth0`, a tap with the guest MAC `aa:ff:00:00:00:01`
 * and the static address `169.254.0.1/16`, in whose network is that of the service. It is attached
 * to no bridge, so all guests can have the same.
 */
export const metadataInterface: Readonly<MicrovmInterface> = Object.freeze({
  deviceId: "eth0",
  type: "tap",
  guestMac: "aa:ff:00:00:00:01",
  address: Object.freeze({ address: "169.254.0.1/16" }),
  metadata: true,
});

/**
 * The microVM with the metadata interface in front of its own, for a VMM that has a metadata service
 * (Firecracker's MMDS). One that has an `eth0` already is returned as it is, also if that is none.
 *
 * @param microvm The microVM; it is not changed.
 */
export function withMetadataInterface(microvm: Microvm): Microvm {
  const { interfaces } = microvm;
  if (interfaces.some(({ deviceId }) => deviceId === metadataInterface.deviceId)) return microvm;
  return { ...microvm, interfaces: [structuredClone(metadataInterface), ...interfaces] };
}
