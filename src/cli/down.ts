/** `flintap down`: deletes the devices of a microVM. */
import { Command } from "commander";
import { loadSpec, release } from "../flintlock/index.js";
import { NetworkNamespace } from "../network-namespace.js";
import { addSpecOptions, type SpecFlags } from "./spec-options.js";
import { formatTable } from "./table.js";

/** Builds the command; `print` takes what goes to standard output. */
export function downCommand(print: (text: string) => void): Command {
  const command = new Command("down").description(
    "Delete the network devices of a microVM. Devices that are gone already are no failure.",
  );
  return addSpecOptions(command).action(async (flags: SpecFlags) => {
    const microvm = await loadSpec(flags.file, flags);
    await using namespace = NetworkNamespace.current();
    const released = await release(microvm, { namespace });
    if (flags.json) return print(JSON.stringify(released, undefined, 2));
    const rows = released.map(({ deviceId, hostDeviceName, deleted }) => {
      return [deviceId, hostDeviceName, deleted ? "deleted" : "not there"];
    });
    print(formatTable(["INTERFACE", "DEVICE", ""], rows));
  });
}
