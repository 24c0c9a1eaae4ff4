/**
 * What Cloud Hypervisor is told of a microVM's interfaces, by its documentation and source of version 51.
 * Pure.
 */
import { argumentError, type Place } from "../check.js";
import type { DeviceQueue } from "../queue.js";
import {
  type DescriptorOptions,
  descriptorOptions,
  type NumberedInterface,
  numbered,
  requireOpenable,
} from "./descriptors.js";
import type { ProvisionedInterface } from "./status.js";

/** The body of `PUT /api/v1/vm.add-net`; the descriptors go with the request, by SCM_RIGHTS. */
export interface CloudHypervisorAddNet {
  /** The device id, by which it can be removed later. */
  id: string;
  /** The guest's MAC. */
  mac: string;
  /** A persistent tap that Cloud Hypervisor opens by its name. */
  tap?: string;
  /** Two for each of several queues: one to send, one to receive. */
  num_queues?: number;
}

/** An entry of `net_fds` in the body of `PUT /api/v1/vm.restore`. */
export interface CloudHypervisorNetFds {
  /** The device id. */
  id: string;
  /** How many of the descriptors that go with the request are its queues. */
  num_fds: number;
}

/** What {@link cloudHypervisorNetwork} gives. */
export interface CloudHypervisorNetwork {
  /** `--net` and a value for each interface, in the spec's order; none where there is no interface. */
  args: string[];
  /** What the child is to have from `firstFd` on, in this order; see `handOver`. */
  queues: DeviceQueue[];
  /** The same for a virtual machine that runs: each is a request of its own. */
  addNet: {
    /** The request's body. */
    body: CloudHypervisorAddNet;
    /** What is sent with it. */
    queues: DeviceQueue[];
  }[];
  /** `net_fds` of a restore, with all of `queues`. */
  netFds: CloudHypervisorNetFds[];
}

const call = "cloudHypervisorNetwork";

/**
 * Puts what was provisioned into Cloud Hypervisor's words: `fd=N` for what has queues, `tap=NAME` for a
 * persistent tap, which it opens itself. Each has the device id as its `id`, by which it can be removed
 * later.
 *
 * ```ts
 * const { interfaces } = await provision(microvm, { config, namespace, for: "cloud-hypervisor" });
 * const { args, queues } = cloudHypervisorNetwork(interfaces);
 * const child = await handOver(queues, (fds) =>
 *   spawn("cloud-hypervisor", [...machine, ...args], { stdio: ["ignore", "pipe", "pipe", ...fds] }),
 * );
 * ```
 *
 * Several queues need as many virtual CPUs. Before version 49, Cloud Hypervisor has an address of
 * its own for a tap, but leaves one that exists already as it is.
 *
 * @param interfaces What {@link provision} returned.
 * @param options The first descriptor's number.
 * @throws {FlintapError} With reason `"no-queues"`: a macvtap, or a tap that goes with its queues, has
 *   none here; its guest runs.
 * @throws {TypeError} A device id has what the syntax of `--net` has no place for: `,`, `=`, `"`, a
 *   bracket, white space, a control character, or two underscores at its beginning.
 */
export function cloudHypervisorNetwork(
  interfaces: readonly ProvisionedInterface[],
  options: DescriptorOptions = {},
): CloudHypervisorNetwork {
  const checked = descriptorOptions(options, { call, argument: "options" });
  const { entries, queues } = numbered(interfaces, checked);
  const bodies = entries.map((one, at) => addNet(one, `interfaces[${at}]`));
  const values = entries.map(({ fds }, at) => netValue(bodies[at] as CloudHypervisorAddNet, fds));
  return {
    args: values.length === 0 ? [] : ["--net", ...values],
    queues,
    addNet: bodies.map((body, at) => ({ body, queues: interfaces[at]?.queues ?? [] })),
    netFds: entries.flatMap(({ entry, fds }) =>
      fds.length === 0 ? [] : [{ id: entry.deviceId, num_fds: fds.length }],
    ),
  };
}

function addNet({ entry, fds }: NumberedInterface, argument: string): CloudHypervisorAddNet {
  requireOpenable(entry, { call, argument });
  const { deviceId, link, guestMac } = entry;
  return {
    id: identifier(deviceId, `${argument}.deviceId`),
    mac: guestMac,
    ...(fds.length === 0 ? { tap: word(link.name, `${argument}.link.name`) } : {}),
    ...(fds.length > 1 ? { num_queues: 2 * fds.length } : {}),
  };
}

function netValue({ id, mac, tap, num_queues }: CloudHypervisorAddNet, fds: number[]): string {
  const device =
    tap === undefined ? `fd=${fds.length === 1 ? fds[0] : `[${fds.join(",")}]`}` : `tap=${tap}`;
  const queues = num_queues === undefined ? [] : [`num_queues=${num_queues}`];
  return [device, `mac=${mac}`, ...queues, `id=${id}`].join(",");
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
