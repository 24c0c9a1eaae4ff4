// What the figures depend on beside the code: kernel, processor and versions.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, release } from "node:os";
import process from "node:process";
import { gunzipSync } from "node:zlib";

/** @typedef {ReturnType<typeof describeHost>} Host */

/** @param {() => string} read */
function textOf(read) {
  try {
    return read();
  } catch {
    return "";
  }
}

/** The kernel's CONFIG_HZ: waits in the kernel, as in a delete, are counted in its ticks. */
function kernelHz() {
  const configuration =
    textOf(() => gunzipSync(readFileSync("/proc/config.gz")).toString()) ||
    textOf(() => readFileSync(`/boot/config-${release()}`, "utf8"));
  const [, hz] = /^CONFIG_HZ=(\d+)$/m.exec(configuration) ?? [];
  return hz === undefined ? undefined : Number(hz);
}

function iproute2Version() {
  const { stdout } = spawnSync("ip", ["-Version"], { encoding: "utf8" });
  return /iproute2-([^\s,]+)/.exec(stdout ?? "")?.[1];
}

function flintapVersion() {
  /** @type {{ version: string }} */
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return version;
}

/** What is not known is absent. */
export function describeHost() {
  return {
    date: new Date().toISOString(),
    flintap: flintapVersion(),
    node: process.version,
    iproute2: iproute2Version(),
    kernel: release(),
    hz: kernelHz(),
    arch: arch(),
    cpu: cpus()[0]?.model.trim(),
    cpus: cpus().length,
    /** How much else ran: processes that wanted a processor in the minute before. */
    load: loadavg()[0],
  };
}
