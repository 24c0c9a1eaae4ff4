// The commands of `ip` that make a device: attached and up, as its users write them.

/** @param {string} kind @param {string} name */
export function additionsOf(kind, name) {
  if (kind === "macvtap") {
    return [
      `link add link parent0 name ${name} type macvtap mode bridge`,
      `link set dev ${name} up`,
    ];
  }
  return [`tuntap add dev ${name} mode tap`, `link set dev ${name} master br0 up`];
}

/** @param {number} from @param {number} count */
export function freshNames(from, count) {
  return Array.from({ length: count }, (_, at) => `ip${from + at}`);
}
