/** The options of `up`, `plan` and `apply`: what devices are wanted, and how far to go for them. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { DesiredNetworkOptions, HostConfig } from "../flintlock/index.js";
import { mostQueues } from "../shared-options.js";
import { takesDescriptors, type Vmm, vmms } from "../vmm.js";

/** What they give. */
export interface ProvisionFlags {
  config: string;
  metadataInterface?: boolean;
  hostIpv6?: DesiredNetworkOptions["hostIPv6"];
  replace?: boolean;
  for?: Vmm;
  queues?: number;
  dryRun?: boolean;
}

/** Adds the options. */
export function addProvisionOptions(command: Command): Command {
  const hostIPv6 = new Option("--host-ipv6 <state>", "the host's own IPv6 on the devices")
    .choices(["closed", "reduced", "open"])
    .default("closed");
  const vmm = new Option("--for <vmm>", "the VMM that opens the devices").choices([...vmms]);
  return command
    .addOption(vmm)
    .option("--queues <number>", "how many queues each interface has, with --for", queuesIn)
    .option("--metadata-interface", "add eth0 for the VMM's metadata service, as flintlock does")
    .addOption(hostIPv6)
    .option("--replace", "replace what cannot be repaired; a guest that uses it loses it");
}

function queuesIn(value: string): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 1 && number <= mostQueues) return number;
  throw new InvalidArgumentError(`It is a number from 1 to ${mostQueues}.`);
}

/** Refuses to make what would be gone when the command ends: taps that go with their queues. */
export function requireLasting(flags: ProvisionFlags, command: Command): void {
  if (flags.dryRun || !takesDescriptors(flags.for)) return;
  const words = "hands its queues to nobody: only a daemon can, by the library";
  command.error(`error: option '--for ${flags.for}': the command ${words}; --dry-run compares`);
}

/** What devices are wanted, in the library's words. */
export function networkOptions(flags: ProvisionFlags, config: HostConfig): DesiredNetworkOptions {
  const { metadataInterface, hostIpv6, for: vmm, queues } = flags;
  return { config, metadataInterface, hostIPv6: hostIpv6, for: vmm, queues };
}
