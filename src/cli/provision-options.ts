/** The options of `up`, `plan` and `apply`: what devices are wanted, and how far to go for them. */
import { type Command, Option } from "commander";
import type { DesiredNetworkOptions, HostConfig } from "../flintlock/index.js";

/** What they give. */
export interface ProvisionFlags {
  config: string;
  metadataInterface?: boolean;
  hostIpv6?: DesiredNetworkOptions["hostIPv6"];
  replace?: boolean;
}

/** Adds the options. */
export function addProvisionOptions(command: Command): Command {
  const hostIPv6 = new Option("--host-ipv6 <state>", "the host's own IPv6 on the devices")
    .choices(["closed", "reduced", "open"])
    .default("closed");
  return command
    .option("--metadata-interface", "add eth0 for the VMM's metadata service, as flintlock does")
    .addOption(hostIPv6)
    .option("--replace", "replace what cannot be repaired; a guest that uses it loses it");
}

/** What devices are wanted, in the library's words. */
export function networkOptions(flags: ProvisionFlags, config: HostConfig): DesiredNetworkOptions {
  const { metadataInterface, hostIpv6 } = flags;
  return { config, metadataInterface, hostIPv6: hostIpv6 };
}
