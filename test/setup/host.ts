/** A host on which microVMs get their devices, for the kernel tests of a file. */
import { afterAll, beforeAll } from "vitest";
import type { Microvm } from "../../src/flintlock/index.js";
import { NetworkNamespace } from "../../src/index.js";
import { needs } from "./capabilities.js";
import { addBridge, addParent } from "./iproute2.js";
import { stage } from "./stage.js";

/** What flintlockd's config says of it. */
export const config = { parentIface: "enp0", bridgeName: "br0" };

/** A microVM for it, with a device of both kinds. */
export const microvm: Microvm = {
  id: "mvm1",
  namespace: "ns1",
  interfaces: [
    { deviceId: "eth1", type: "macvtap", guestMac: "02:00:00:00:00:0a" },
    { deviceId: "eth2", type: "tap" },
  ],
};

/** Registers a test that needs all of a host. */
export const onHost = needs("tun", "macvtap", "veth", "bridge", "proc-sys");

/**
 * Lays out the wired interfaces `enp0` and `enp1` and the bridges `br0` and `br1`; after every test
 * they are all there is. Gives a handle, which is there when the tests run.
 */
export function hostOfFile(): { readonly namespace: NetworkNamespace } {
  let namespace: NetworkNamespace;
  stage(async () => {
    await addParent();
    await addParent("enp1", "wire1");
    await addBridge("br0");
    await addBridge("br1");
  });
  beforeAll(() => {
    namespace = NetworkNamespace.current();
  });
  afterAll(() => namespace.close());
  return {
    get namespace() {
      return namespace;
    },
  };
}
