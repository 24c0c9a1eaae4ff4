/**
 * What Cloud Hypervisor is told of a microVM's interfaces, by its documentation of version 51. Pure:
 * the descriptors are its caller's.
 */
import { argumentError, arrayOf, type Check, integer, object, type Place } from "../check.js";
import type { ProvisionedInterface } from "./status.js";

/** For {@link cloudHypervisorNet}. */
export interface CloudHypervisorOptions {
  /**
   * By device id: the numbers that the queues of an interface's device have in Cloud Hypervisor's
   * process, such as 3 for the fourth entry of `stdio`; a list for several queues. A macvtap needs
   * them (`openMacvtap`). A tap is opened by its name without them, and is better left so: Cloud
   * Hypervisor takes for granted that a descriptor carries the virtio-net header, which is up to
   * the tap (`vnetHeader` of `createTap`).
   */
  fds?: Readonly<Record<string, number | readonly number[]>>;
}

const call = "cloudHypervisorNet";

/** Cloud Hypervisor refuses the numbers of the standard streams. */
const descriptor = integer(3, 2_147_483_647);

const descriptors: Check<number[]> = (value, place) => {
  if (typeof value === "number") return [descriptor(value, place)];
  const expected = "the descriptor of its queue in the VMM, or a list of them";
  if (!Array.isArray(value)) throw argumentError("ERR_INVALID_ARG_TYPE", expected, place, value);
  if (value.length === 0) throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, value);
  return arrayOf(descriptor)(value, place);
};

/**
 * Puts what was provisioned into the values of Cloud Hypervisor's `--net`, one for each interface, in
 * the spec's order. Each has the device id as its `id`, by which it can be removed later.
 *
 * ```ts
 * using queue = await openMacvtap(interfaces[0].link);
 * const net = cloudHypervisorNet(interfaces, { fds: { eth1: 3 } });
 * spawn("cloud-hypervisor", [...others, "--net", ...net], {
 *   stdio: ["ignore", "inherit", "inherit", queue.fd],
 * });
 * ```
 *
 * Several queues need as many virtual CPUs. Before version 49, Cloud Hypervisor has an address of
 * its own for a tap, but leaves one that exists already as it is.
 *
 * @param interfaces What {@link provision} returned.
 * @param options The descriptors.
 * @throws {TypeError} A macvtap has no descriptor, a descriptor is for no interface or for two, or a
 *   device id has what the syntax of `--net` has no place for: `,`, `=`, `"`, a bracket, white space,
 *   a control character, or two underscores at its beginning.
 * @throws {RangeError} A number is no descriptor above the standard streams'.
 */
export function cloudHypervisorNet(
  interfaces: readonly ProvisionedInterface[],
  options: CloudHypervisorOptions = {},
): string[] {
  const fds = checkFds(interfaces, options);
  return interfaces.map(({ deviceId, link, guestMac }, at) => {
    const queues = fds[deviceId];
    const from = `interfaces[${at}]`;
    return [
      queues === undefined ? `tap=${word(link.name, `${from}.link.name`)}` : fdValue(queues),
      `mac=${guestMac}`,
      // Each queue has two of what Cloud Hypervisor counts: one to send, one to receive.
      ...(queues !== undefined && queues.length > 1 ? [`num_queues=${2 * queues.length}`] : []),
      `id=${identifier(deviceId, `${from}.deviceId`)}`,
    ].join(",");
  });
}

function checkFds(
  interfaces: readonly ProvisionedInterface[],
  options: CloudHypervisorOptions,
): Record<string, number[] | undefined> {
  const checks = Object.fromEntries(interfaces.map(({ deviceId }) => [deviceId, descriptors]));
  const macvtaps = interfaces.filter(({ type }) => type === "macvtap");
  const needed = macvtaps.map(({ deviceId }) => deviceId);
  const place = { call, argument: "options" };
  const check = object({ fds: object(checks, needed) }, ["fds"]);
  const { fds } = check({ ...options, fds: options.fds ?? {} }, place);
  const numbers = Object.values(fds).flatMap((queues) => queues ?? []);
  const twice = numbers.find((number, at) => numbers.indexOf(number) !== at);
  if (twice !== undefined) {
    const expected = "each descriptor once";
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, { ...place, option: "fds" }, twice);
  }
  return fds;
}

function fdValue(queues: readonly number[]): string {
  return queues.length === 1 ? `fd=${queues[0]}` : `fd=[${queues.join(",")}]`;
}

/** What is written as it stands: the versions of Cloud Hypervisor differ in what quotes do. */
function word(value: string, argument: string): string {
  const place: Place = { call, argument };
  if (/[,="[\]\s\p{Cc}]/u.test(value)) {
    const expected = "a name without ',', '=', '\"', brackets, white space and control characters";
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, value);
  }
  return value;
}

/** What begins with two underscores is for devices of the VMM's own. */
function identifier(value: string, argument: string): string {
  if (!value.startsWith("__")) return word(value, argument);
  const expected = "a name that does not begin with two underscores";
  throw argumentError("ERR_INVALID_ARG_VALUE", expected, { call, argument }, value);
}
