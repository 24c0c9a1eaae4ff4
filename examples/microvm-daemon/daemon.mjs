// A daemon that runs microVMs: reads the host's config and a folder of specs, gives each microVM its
// devices and a QEMU, starts again what ends, and takes everything back on SIGTERM.
//
//   node daemon.mjs --config FILE --specs FOLDER --kernel FILE --initrd FILE [--append WORDS]
//                   [--logs FOLDER] [-- QEMU-ARGUMENT…]
//
// Tells what happens in a line of JSON each. A guest's serial console is in --logs.
import { once, setMaxListeners } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import { basename, extname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { NetworkNamespace } from "flintap";
import { loadConfig, loadSpecs } from "flintap/flintlock";
import { Guest } from "./guest.mjs";

/** @type {import("./guest.mjs").Host["tell"]} */
function tell({ error, ...event }) {
  const failure = { error: error?.message, hint: error?.hint, leftBehind: error?.leftBehind };
  console.log(JSON.stringify({ time: new Date().toISOString(), ...event, ...failure }));
}

/** For what is not tried again. @param {unknown} error @param {object} [about] */
function fail(error, about) {
  tell({ event: "failed", ...about, error });
  process.exitCode = 1;
}

/** The guests by name. @param {string} folder @param {import("./guest.mjs").Host} host */
async function readGuests(folder, host) {
  const guests = new Map();
  for (const file of readdirSync(folder).filter((name) => /\.(json|ya?ml)$/.test(name))) {
    try {
      for (const spec of await loadSpecs(join(folder, file))) {
        // One that does not say which microVM it is for is for the one that its file is called by.
        const guest = new Guest({ ...spec, id: spec.id ?? basename(file, extname(file)) }, host);
        if (guests.has(guest.name)) throw new Error(`${file}: ${guest.name} has a spec already`);
        guests.set(guest.name, guest);
      }
    } catch (error) {
      fail(error, { file }); // the others are run
    }
  }
  return guests;
}

const stopping = new AbortController();
setMaxListeners(0, stopping.signal); // each guest has some
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => stopping.abort());

/** @param {Guest} guest */
async function keepRunning(guest) {
  for (let failures = 0; !stopping.signal.aborted; ) {
    const since = performance.now();
    try {
      await guest.run(stopping.signal);
    } catch (error) {
      if (stopping.signal.aborted) break;
      tell({ event: "failed", microvm: guest.name, error });
    }
    // The longer the more often it has failed; one that has run for a while begins anew.
    failures = performance.now() - since > 30_000 ? 0 : failures + 1;
    const pause = Math.min(30_000, 250 * 2 ** failures);
    await setTimeout(pause, undefined, { signal: stopping.signal }).catch(() => {});
  }
  await guest.release();
}

async function main() {
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
  const config = await loadConfig(values.config);
  const namespace = NetworkNamespace.current({ owner: "microvm-daemon" });
  const guests = await readGuests(values.specs, { ...values, config, namespace, machine, tell });
  if (guests.size === 0) throw new Error(`${values.specs}: there is no microVM to run`);
  // One daemon at a time: an abstract socket is its network namespace's, and goes with its process.
  await once(createServer().listen(`\0${namespace.owner}`).unref(), "listening");
  const watch = namespace.watchLinks({ owner: namespace.owner, signal: stopping.signal });
  await watch.ready.catch(() => {}); // whoever iterates hears of it
  const running = Promise.all([...guests.values()].map((guest) => keepRunning(guest).catch(fail)));
  try {
    // A guest's descriptor says nothing when its device is gone: the guest is given a new one by
    // starting it again.
    for await (const { type, link } of watch)
      if (type === "removed") guests.get(link.tag?.microvm ?? "")?.lose(link);
  } catch (error) {
    if (!stopping.signal.aborted) fail(error);
  }
  stopping.abort(); // also where it no longer sees what goes
  await running;
  await namespace.close();
}

process.stdout.on("error", () => {}); // the guests run on where nobody reads what is told
await main().catch(fail);
