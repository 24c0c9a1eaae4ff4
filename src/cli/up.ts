/** `flintap up`: makes the devices of a microVM. */
import { Command } from "commander";
import { loadConfig, loadSpec, type Provisioned, provision } from "../flintlock/index.js";
import { NetworkNamespace } from "../network-namespace.js";
import { addSpecOptions, type SpecFlags } from "./spec-options.js";
import { formatTable } from "./table.js";

/** Builds the command; `print` takes what goes to standard output. */
export function upCommand(print: (text: string) => void): Command {
  const command = new Command("up")
    .description("Make the network devices of a microVM: all of them, or none.")
    .option("-c, --config <file>", "flintlockd's configuration", "/etc/opt/flintlockd/config.yaml");
  return addSpecOptions(command).action(async (flags: SpecFlags & { config: string }) => {
    const config = await loadConfig(flags.config);
    const microvm = await loadSpec(flags.file, flags);
    await using namespace = NetworkNamespace.current();
    const provisioned = await provision(microvm, { config, namespace });
    print(flags.json ? JSON.stringify(provisioned.status, undefined, 2) : table(provisioned));
  });
}

function table({ interfaces }: Provisioned): string {
  const header = ["INTERFACE", "TYPE", "DEVICE", "INDEX", "GUEST MAC"];
  const rows = interfaces.map(({ deviceId, link, guestMac }) => {
    const type = link.kind === "tun" ? "tap" : link.kind;
    return [deviceId, type, link.name, `${link.index}`, guestMac];
  });
  return formatTable(header, rows);
}
