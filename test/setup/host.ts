/** A host on which microVMs get their devices, for the kernel tests of a file. */
import { afterAll, beforeAll } from "vitest";
import type { Microvm } from "../../src/flintlock/index.js";
import { type DesiredMacvtap, type DesiredTap, NetworkNamespace } from "../../src/index.js";
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

/** Devices of the same microVM, as a plan has them. */
export const macvtap: DesiredMacvtap = {
  kind: "macvtap",
  name: "guest0",
  parent: "enp0",
  mac: "02:00:00:00:00:0a",
  tag: { microvm: "ns1/mvm1", interface: "eth1" },
};
export const tap: DesiredTap & { bridge: string } = {
  kind: "tap",
  name: "guest1",
  bridge: "br0",
  tag: { microvm: "ns1/mvm1", interface: "eth2", guestMac: "02:00:00:00:00:0b" },
};

const all = ["tun", "macvtap", "veth", "bridge", "proc-sys"] as const;

/** Registers a test that needs all of a host. */
export const onHost = needs(...all);

/** The same, on a kernel where a link that is up can be renamed: since Linux 6.2. */
export const renaming = needs(...all, "live-rename");

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
