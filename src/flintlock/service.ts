/**
 * Gives a microVM its devices, all or none, and takes them from it again: plans and applies. Decided
 * here is only which plan.
 */

import { object, oneOf, refuseOptions } from "../check.js";
import { applyThen } from "../desired/apply.js";
import { isKnown, keyName } from "../desired/device.js";
import {
  type AppliedDevice,
  apply,
  type BridgeUsage,
  type DesiredState,
  type Plan,
  type PlanOptions,
  plan,
} from "../desired/index.js";
import { findByPurpose } from "../desired/look.js";
import { inTurn } from "../desired/turns.js";
import { notOurs } from "../error.js";
import type { Link, MacvtapLink, TapLink } from "../link.js";
import type { NetworkNamespace } from "../network-namespace.js";
import type { OperationOptions } from "../options.js";
import { queueCount } from "../shared-options.js";
import { tagMatches } from "../tag.js";
import { takesDescriptors } from "../vmm.js";
import type { HostConfig } from "./config.js";
import { type DeviceSettings, desiredDevices } from "./devices.js";
import { withMetadataInterface } from "./metadata.js";
import type { Microvm, MicrovmInterface } from "./microvm.js";
import { hostDeviceName, microvmName, microvmTags } from "./names.js";
import { requireUnheld, withQueues } from "./queues.js";
import { type NetworkStatus, type ProvisionedInterface, statusOf } from "./status.js";

/** What devices a microVM is to have. */
export interface DesiredNetworkOptions extends DeviceSettings {
  /** The host's parent interface and bridge. */
  config: HostConfig;
  /**
   * Add the interface by which the guest reaches its VMM's metadata service, as flintlock does for
   * Firecracker; see `withMetadataInterface`. Default: false.
   */
  metadataInterface?: boolean;
}

/** For {@link provision}. */
export interface ProvisionOptions extends DesiredNetworkOptions, PlanOptions {
  /**
   * With `for` a VMM that takes descriptors. `"starting"`: the guest is about to be started, and gets
   * the queues of all its devices; where a process has one open, nothing is done (reason
   * `"queues-held"`). `"running"`: it runs, and keeps those that it has; only devices that were made,
   * because they were gone, come with queues. Default: `"starting"`.
   */
  guest?: "starting" | "running";
}

/** For {@link release}. */
export interface ReleaseOptions extends OperationOptions {
  /** Where the devices are, and whose. */
  namespace: NetworkNamespace;
}

/** What {@link provision} made or found. */
export interface Provisioned {
  /**
   * The interfaces, in the spec's order, and what was done for the device of each. With `for` a VMM
   * that takes descriptors, each has the queues that it is to be given: close them, or hand them over.
   */
  interfaces: (ProvisionedInterface & Pick<AppliedDevice, "action">)[];
  /** The same in flintlock's words, by device id. */
  status: NetworkStatus;
  /**
   * Bridges that are getting full: of those on which taps were made or repaired, the ones with less than
   * a tenth of their ports free, as `apply` tells.
   */
  nearlyFull: BridgeUsage[];
}

/**
 * What is to be for some microVMs, for `plan` and `apply`: each has the devices of its spec, and no
 * others.
 *
 * @throws {InvalidDocumentError} The config lacks a key that an interface needs.
 */
export function desiredNetwork(
  microvms: readonly Microvm[],
  { config, metadataInterface = false, ...settings }: DesiredNetworkOptions,
): DesiredState {
  const whole = metadataInterface ? microvms.map(withMetadataInterface) : microvms;
  return {
    devices: whole.flatMap((microvm) => desiredDevices(microvm, config, settings)),
    prune: microvmTags(microvms),
  };
}

/**
 * Gives a microVM the devices of all its interfaces, or none: if one cannot be had, what was done for
 * the others is taken back, and the error's `leftBehind` names what could not be.
 *
 * Devices that the microVM has already are adopted, and repaired where that takes nothing from a
 * guest that uses them; so it can be called again, also by a daemon that restarted, and by two
 * processes at once. Calls for the same microVM run one after the other. It looks for them by name,
 * which costs the same however many links a host has, but for the count behind `nearlyFull`; devices of
 * interfaces that are no longer in the spec are found by {@link release}, and by planning
 * {@link desiredNetwork}.
 *
 * With `for` a VMM that takes descriptors, queues are opened as well; where one cannot be had, all is
 * taken back, too. Then processes take turns, so that no two get a guest's queues: one that waits longer
 * than half a minute is refused with reason `"microvm-busy"`.
 *
 * @throws {InvalidDocumentError} The config lacks a key that an interface needs. Nothing was sent.
 * @throws {FlintapError} What is wrong in the spec's order: with reason `"no-such-parent"`,
 *   `"no-such-bridge"`, `"not-a-bridge"`, `"duplicate-guest-mac"` or `"not-repairable"` (see `replace`)
 *   before anything was changed.
 */
export async function provision(microvm: Microvm, options: ProvisionOptions): Promise<Provisioned> {
  const { namespace, signal, replace, guest, metadataInterface, config, ...settings } = options;
  checkGuest(options);
  const whole = metadataInterface ? withMetadataInterface(microvm) : microvm;
  const devices = desiredDevices(whole, config, settings);
  const looking = { namespace, signal };
  const isHanded = takesDescriptors(settings.for);
  const isStarting = isHanded && guest !== "running";
  const turn = { ...looking, microvm: microvmName(microvm), ofAllProcesses: isHanded };
  const applied = await inTurn(turn, async () => {
    const planned = await plan({ devices }, { ...looking, replace });
    if (isStarting) await requireUnheld(linksOf(planned), looking);
    const count = settings.queues ?? 1;
    return await applyThen(planned, looking, async (made) =>
      isHanded ? await withQueues(made, { ...looking, count, isStarting }) : made,
    );
  });
  const interfaces = applied.devices.map(({ link, action, queues }, at) => {
    const entry = provisioned(whole.interfaces[at] as MicrovmInterface, link);
    return isHanded ? { ...entry, action, queues } : { ...entry, action };
  });
  const { nearlyFull } = applied;
  return { interfaces, status: statusOf(interfaces), nearlyFull };
}

const guestChecks = object({ guest: oneOf("starting", "running"), queues: queueCount });

function checkGuest({ for: vmm, guest, queues }: ProvisionOptions): void {
  const place = { call: "provision", argument: "options" };
  const checked = guestChecks({ guest, queues }, place);
  if (takesDescriptors(vmm)) return;
  const expected = "no value unless `for` is a VMM that takes descriptors";
  refuseOptions(checked, ["guest", "queues"], expected, place);
}

function linksOf({ steps }: Plan): Link[] {
  return steps.flatMap((step) => ("link" in step ? [step.link] : []));
}

function provisioned(entry: MicrovmInterface, link: Link): ProvisionedInterface {
  // Its own MAC would be a macvtap's guest's; a tap that flintap has made says which is.
  const guestMac = entry.guestMac ?? link.tag?.guestMac ?? link.mac ?? "";
  return { ...entry, link: link as MacvtapLink | TapLink, guestMac };
}

/** What became of an interface's device. */
export interface ReleasedInterface {
  /** The interface's name in the guest. */
  deviceId: string;
  /** The name that its device had, or would have had. */
  hostDeviceName: string;
  /** False: there was none any more. */
  deleted: boolean;
}

/**
 * Deletes all devices of a microVM, also of interfaces that are no longer in its spec. That there is
 * none any more is a success. It lists the owner's devices, which takes the longer the more links a host
 * has.
 *
 * @returns The spec's interfaces, then others that had a device.
 * @throws {FlintapError} The first failure; `leftBehind` names every device that could not be deleted.
 *   With reason `"not-ours"` where a device of the microVM's is somebody else's; then nothing was
 *   deleted.
 */
export async function release(
  microvm: Microvm,
  { namespace, signal }: ReleaseOptions,
): Promise<ReleasedInterface[]> {
  const turn = { namespace, signal, microvm: microvmName(microvm), ofAllProcesses: true };
  const { removed } = await inTurn(turn, async () => {
    const planned = await planRelease(microvm, { namespace, signal });
    return await apply(planned, { namespace, signal });
  });
  const spec = microvm.interfaces.map((entry): ReleasedInterface => {
    const { deviceId } = entry;
    const link = removed.find((one) => isFor(one, microvm, entry, namespace));
    const name = link?.name ?? hostDeviceName(microvm, entry);
    return { deviceId, hostDeviceName: name, deleted: link !== undefined };
  });
  const others = removed
    .filter((link) => !microvm.interfaces.some((entry) => isFor(link, microvm, entry, namespace)))
    .map(({ name, tag }) => ({
      deviceId: tag?.interface ?? "",
      hostDeviceName: name,
      deleted: true,
    }));
  return [...spec, ...others];
}

/** Whether a device of the microVM is for the interface: by its tag, or else by its alt name. */
function isFor(
  { tag, altNames }: Link,
  microvm: Microvm,
  { deviceId }: MicrovmInterface,
  { owner }: NetworkNamespace,
): boolean {
  if (tag !== undefined) return tagMatches(tag, { interface: deviceId });
  const wanted = { microvm: microvmName(microvm), interface: deviceId };
  return altNames.includes(keyName(owner, { tag: wanted }));
}

/** What {@link release} would do; fails as it would. */
export async function planRelease(
  microvm: Microvm,
  { namespace, signal }: ReleaseOptions,
): Promise<Plan> {
  const { owner } = namespace;
  const name = microvmName(microvm);
  const purposes = microvm.interfaces.map((entry) => ({
    tag: { microvm: name, interface: entry.deviceId },
    name: hostDeviceName(microvm, entry),
  }));
  // First, since it waits for what is just being made.
  const named = await findByPurpose(purposes, { namespace, signal });
  const planned = await plan({ devices: [], prune: [{ microvm: name }] }, { namespace, signal });
  const found = linksOf(planned);
  const others = named.filter(({ index }) => !found.some((link) => link.index === index));
  // One that has lost its tag is still known by its alt name.
  const untagged = others.filter((link) => link.tag === undefined && isKnown(link));
  const missing = microvm.interfaces.filter(
    (entry) => !found.some((link) => isFor(link, microvm, entry, namespace)),
  );
  const foreign = others.find(
    (link) =>
      !untagged.includes(link) &&
      link.tag?.owner !== owner &&
      missing.some((entry) => hostDeviceName(microvm, entry) === link.name),
  );
  // One that is called as the microVM's would be, and has another owner, is not "gone".
  if (foreign !== undefined) throw notOurs(foreign, "release");
  const steps = untagged.map((link) => ({ action: "remove" as const, link }));
  return { owner, steps: [...planned.steps, ...steps] };
}
