// A daemon that runs microVMs: reads the host's config and a folder of specs, gives each microVM its
// devices and a QEMU, starts again what ends, keeps the devices as they are to be, deletes those of
// microVMs that have no spec any more, and takes everything back on SIGTERM.
//
//   node daemon.mjs --config FILE --specs FOLDER --kernel FILE --initrd FILE [--append WORDS]
//                   [--logs FOLDER] [--min-age SECONDS] [-- QEMU-ARGUMENT…]
//
// Tells what happens in a line of JSON each. A guest's serial console is in --logs.
import { once, setMaxListeners } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import { basename, extname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { collectGarbage, keepInState, NetworkNamespace } from "flintap";
import { loadConfig, loadSpecs, microvmName, microvmTags } from "flintap/flintlock";
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

/** The microVMs by name, and whether these are all. @param {string} folder */
async function readMicrovms(folder) {
  const microvms = new Map();
  let isComplete = true;
  for (const file of readdirSync(folder).filter((name) => /\.(json|ya?ml)$/.test(name))) {
    try {
      for (const spec of await loadSpecs(join(folder, file))) {
        // One that does not say which microVM it is for is for the one that its file is called by.
        const microvm = { ...spec, id: spec.id ?? basename(file, extname(file)) };
        const name = microvmName(microvm);
        if (microvms.has(name)) throw new Error(`${file}: ${name} has a spec already`);
        microvms.set(name, microvm);
      }
    } catch (error) {
      fail(error, { file }); // the others are run
      isComplete = false;
    }
  }
  return { microvms, isComplete };
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

/**
 * Deletes what microVMs have left that are none of these, now and every minute.
 *
 * @param {Omit<import("flintap").CollectOptions, "signal">} options
 */
async function keepClean(options) {
  const { signal } = stopping;
  const unclear = new Set(); // is told once
  while (!signal.aborted) {
    try {
      const collected = await collectGarbage({ ...options, signal });
      for (const { name, tag } of collected.removed)
        tell({ event: "collected", microvm: tag?.microvm, device: name });
      for (const { link, error } of collected.failed)
        tell({ event: "failed", device: link.name, error });
      for (const { link, why } of collected.unclear)
        if (unclear.size < unclear.add(link.index).size)
          tell({ event: "unclear", device: link.name, why });
    } catch (error) {
      if (!signal.aborted) tell({ event: "failed", error });
    }
    await setTimeout(60_000, undefined, { signal }).catch(() => {});
  }
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
      "min-age": { type: "string", default: "60" },
    },
    allowPositionals: true,
  });
  const config = await loadConfig(values.config);
  const namespace = NetworkNamespace.current({ owner: "microvm-daemon" });
  const { microvms, isComplete } = await readMicrovms(values.specs);
  if (microvms.size === 0) throw new Error(`${values.specs}: there is no microVM to run`);
  // One daemon at a time: an abstract socket is its network namespace's, and goes with its process.
  await once(createServer().listen(`\0${namespace.owner}`).unref(), "listening");
  const { signal } = stopping;
  /** @type {Map<string | undefined, Guest>} */
  const guests = new Map();
  const keeper = keepInState(
    { devices: [] }, // each guest's are kept while it runs
    {
      namespace,
      repair: true,
      signal,
      report: (told) => guests.get(told.device?.tag.microvm)?.hear(told),
    },
  );
  const host = { ...values, config, namespace, keeper, machine, tell };
  for (const [name, microvm] of microvms) guests.set(name, new Guest(microvm, host));
  const running = Promise.all([...guests.values()].map((guest) => keepRunning(guest).catch(fail)));
  // Where a spec cannot be read it is not known which microVMs there are.
  const keep = microvmTags([...microvms.values()]);
  const minAge = Number(values["min-age"]) * 1000;
  const cleaning = isComplete ? keepClean({ namespace, keep, minAge }) : undefined;
  await keeper.done.catch(fail);
  stopping.abort(); // also where it no longer sees what goes
  await Promise.all([running, cleaning]);
  await namespace.close();
}

process.stdout.on("error", () => {}); // the guests run on where nobody reads what is told
await main().catch(fail);
