// A daemon that runs microVMs: reads the host's config and a folder of specs, gives each microVM its
// devices and a QEMU, starts again what ends, and takes everything back on SIGTERM.
//
//   node daemon.mjs --config FILE --specs FOLDER --kernel FILE --initrd FILE [--append WORDS]
//                   [--logs FOLDER] [-- QEMU-ARGUMENT…]
//
// Tells what happens in a line of JSON each. A guest's serial console is in --logs.
import { readdirSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { NetworkNamespace } from "flintap";
import { loadConfig, loadSpecs } from "flintap/flintlock";
import { Guest } from "./guest.mjs";

const { values, positionals: machine } = parseArgs({
  options: {
    config: { type: "string" },
    specs: { type: "string", default: "." },
    kernel: { type: "string", default: "vmlinuz" },
    initrd: { type: "string", default: "initrd.gz" },
    append: { type: "string", default: "console=ttyS0 quiet panic=-1" },
    logs: { type: "string" },
  },
  allowPositionals: true,
});

/** @param {object} event */
const tell = (event) => console.log(JSON.stringify({ time: new Date().toISOString(), ...event }));

const config = await loadConfig(values.config);
const files = readdirSync(values.specs).filter((name) => /\.(json|ya?ml)$/.test(name));
const specs = await Promise.all(
  files.map(async (name) => {
    // A spec that does not say which microVM it is for is for the one that its file is called by.
    const byFile = basename(name, extname(name));
    const read = await loadSpecs(join(values.specs, name));
    return read.map(({ id = byFile, ...spec }) => ({ id, ...spec }));
  }),
);

const namespace = NetworkNamespace.current({ owner: "microvm-daemon" });
const watch = namespace.watchLinks({ owner: namespace.owner });
await watch.ready;
const guests = new Map(
  specs.flat().map((spec) => {
    const guest = new Guest(spec, { ...values, config, namespace, machine, tell });
    return [guest.name, guest];
  }),
);

// A guest's descriptor says nothing when its device is gone: the guest is given a new one by starting
// it again. A tap that went with its VMM is no news.
async function lookAfterDevices() {
  for await (const { type, link } of watch) {
    if (type !== "removed") continue;
    const { microvm = "", interface: deviceId } = link.tag ?? {};
    tell({ event: "device gone", microvm, interface: deviceId, device: link.name });
    guests.get(microvm)?.lose(link);
  }
}

const stopping = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => stopping.abort());

/** @param {Guest} guest */
async function keepRunning(guest) {
  for (let failures = 0; !stopping.signal.aborted; ) {
    const since = performance.now();
    try {
      await guest.run(stopping.signal);
    } catch (error) {
      if (stopping.signal.aborted) break;
      const { message, hint } = /** @type {import("flintap").FlintapError} */ (error);
      tell({ event: "failed", microvm: guest.name, error: message, hint });
    }
    // The longer the more often it has failed; one that has run for a while begins anew.
    failures = performance.now() - since > 30_000 ? 0 : failures + 1;
    const pause = Math.min(30_000, 250 * 2 ** failures);
    await setTimeout(pause, undefined, { signal: stopping.signal }).catch(() => {});
  }
  await guest.release();
}

const looking = lookAfterDevices();
const results = await Promise.allSettled([...guests.values()].map(keepRunning));
await watch.close();
await looking;
await namespace.close();
for (const result of results) {
  if (result.status === "fulfilled") continue;
  const { message, leftBehind } = result.reason;
  tell({ event: "not released", error: message, leftBehind });
  process.exitCode = 1;
}
