// A daemon that runs microVMs: reads the host's config and a folder of specs, gives each microVM its
// devices and a QEMU, starts again what ends, and takes everything back on SIGTERM.
//
//   node daemon.mjs --config FILE --specs FOLDER --kernel FILE --initrd FILE [--append WORDS]
//                   [--logs FOLDER] [-- QEMU-ARGUMENT…]
//
// Tells what happens in a line of JSON each. A guest's serial console is in --logs.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { NetworkNamespace } from "flintap";
import { loadConfig, loadSpecs, microvmName } from "flintap/flintlock";
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

const tell = (event) => console.log(JSON.stringify({ time: new Date().toISOString(), ...event }));

const config = await loadConfig(values.config);
const files = readdirSync(values.specs).filter((name) => /\.(json|ya?ml)$/.test(name));
const microvms = (
  await Promise.all(files.map((name) => loadSpecs(join(values.specs, name))))
).flat();

const namespace = NetworkNamespace.current({ owner: "microvm-daemon" });
const watch = namespace.watchLinks({ owner: namespace.owner });
await watch.ready;
const guests = new Map(
  microvms.map((microvm) => [
    microvmName(microvm),
    new Guest(microvm, { config, namespace, machine, tell, ...values }),
  ]),
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

/** The longer the more often a guest has failed; one that has run for a while begins anew. */
const pause = (failures) => Math.min(30_000, 250 * 2 ** failures);

async function keepRunning(guest) {
  for (let failures = 0; !stopping.signal.aborted; ) {
    const since = performance.now();
    try {
      await guest.run(stopping.signal);
    } catch (error) {
      if (stopping.signal.aborted) break;
      tell({ event: "failed", microvm: guest.name, error: error.message, hint: error.hint });
    }
    failures = performance.now() - since > 30_000 ? 0 : failures + 1;
    await setTimeout(pause(failures), undefined, { signal: stopping.signal }).catch(() => {});
  }
  await guest.release();
}

const looking = lookAfterDevices();
const results = await Promise.allSettled([...guests.values()].map(keepRunning));
await watch.close();
await looking;
await namespace.close();
for (const { reason } of results.filter(({ status }) => status === "rejected")) {
  tell({ event: "not released", error: reason.message, leftBehind: reason.leftBehind });
  process.exitCode = 1;
}
