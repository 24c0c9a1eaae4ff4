// The kinds of devices that are made, and how flintap and iproute2 are asked for one. One entry a
// kind; nothing else here names kinds.

/** @typedef {import("flintap").NetworkNamespace} NetworkNamespace */

/**
 * @typedef {object} DeviceKind
 * @property {string} title
 * @property {(namespace: NetworkNamespace) => Promise<unknown>} stage Makes what they stand on.
 * @property {(namespace: NetworkNamespace) => Promise<import("flintap").Link>} create Makes one.
 * @property {(name: string, index: number) => string[]} ipCommands The commands of `ip` that make
 *   a device like it: as complete, and up.
 */

const parent = "parent0";
const bridge = "br0";

/** @type {Record<string, DeviceKind>} */
export const deviceKinds = {
  macvtap: {
    title: "macvtap on a veth",
    stage: (namespace) => namespace.createVeth({ name: parent, peer: { name: "wire0" } }),
    create: (namespace) => namespace.createMacvtap({ parent }),
    // The index names /dev/tapN, which namespaces share: a small one would often be taken.
    ipCommands: (name, index) => [
      `link add link ${parent} name ${name} index ${index} up type macvtap mode bridge`,
    ],
  },
  tap: {
    title: "tap on a bridge",
    stage: (namespace) => namespace.createBridge({ name: bridge }),
    create: (namespace) => namespace.createTap({ bridge }),
    ipCommands: (name) => [
      `tuntap add dev ${name} mode tap`,
      `link set dev ${name} master ${bridge} up`,
    ],
  },
  bridge: {
    title: "bridge",
    stage: async () => {},
    create: (namespace) => namespace.createBridge(),
    ipCommands: (name) => [`link add name ${name} up type bridge stp_state 0 forward_delay 0`],
  },
  veth: {
    title: "veth (a pair counts as one)",
    stage: async () => {},
    create: async (namespace) => (await namespace.createVeth())[0],
    ipCommands: (name) => [
      `link add name ${name} up type veth peer name ${name}p`,
      `link set dev ${name}p up`,
    ],
  },
};
