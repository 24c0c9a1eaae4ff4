// flintap itself: `flintap.mjs KIND IPV6 BRIDGES`, in a network namespace that has parent0 or br0, br1 …

import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { NetworkNamespace } from "flintap";
import { measure } from "../meter.mjs";
import { median } from "../statistics.mjs";
import { answerCommands } from "./answer.mjs";

const [, , kind, ipv6, bridges] = process.argv;
const hostIPv6 = ipv6 === "closed" ? "closed" : "open";
const namespace = NetworkNamespace.current({ owner: "bench" });
/** @type {import("flintap").Link[]} */
const links = [];
/** Longer than the kernel waits for the end of a delete, and for the news of a create. */
const quietMs = 40;
/** As many as bare C puts on a bridge before it goes on to the next. */
const portsInARow = 128;

/** @param {string} on The parent or the bridge. @returns {Promise<import("flintap").Link>} */
function createOn(on) {
  if (kind === "macvtap") return namespace.createMacvtap({ parent: on, hostIPv6 });
  return namespace.createTap({ bridge: on, hostIPv6, multiQueue: kind === "multi-queue-tap" });
}

/** @param {number} at */
function createOne(at) {
  if (kind === "macvtap") return createOn("parent0");
  return createOn(`br${Math.floor(at / portsInARow) % Number(bridges)}`);
}

/**
 * A daemon's JavaScript has been compiled long since: calls that the kernel answers at once, and that
 * make nothing.
 */
async function compile() {
  const burst = 250;
  for (let left = 20; left > 0; left -= 1) {
    await Promise.all(Array.from({ length: burst }, () => namespace.getLink("lo")));
    await Promise.allSettled(Array.from({ length: burst / 2 }, () => createOn("none0")));
  }
}

/** @param {number} count @param {(from: number) => Promise<import("flintap").Link[]>} create */
async function make(count, create) {
  const { result, cost } = await measure(count, () => create(links.length));
  links.push(...result);
  return cost;
}

/** @param {number} count */
const makeAtOnce = (count) =>
  make(count, (from) =>
    Promise.all(Array.from({ length: count }, (_, at) => createOne(from + at))),
  );

/** @param {number} count */
const makeAwaited = (count) =>
  make(count, async (from) => {
    const made = [];
    for (let at = 0; at < count; at += 1) made.push(await createOne(from + at));
    return made;
  });

/** @param {number} times @param {(time: number) => Promise<unknown>} call */
async function repeat(times, call) {
  const work = async () => {
    for (let time = 0; time < times; time += 1) await call(time);
  };
  return (await measure(times, work)).cost;
}

/** The median of single waits. @param {number} times @param {() => Promise<number>} wait */
async function waitEach(times, wait) {
  const waits = [];
  for (let time = 0; time < times; time += 1) waits.push(await wait());
  return { wallUs: (median(waits) ?? NaN) * 1000 };
}

/** From the call that makes a device until the watch tells of it. @param {number} times */
async function hearOfCreates(times) {
  const watch = namespace.watchLinks();
  await watch.ready;
  const events = watch[Symbol.asyncIterator]();
  const cost = await waitEach(times, async () => {
    await delay(quietMs);
    const start = performance.now();
    const made = createOne(links.length);
    let event = await events.next();
    while (!event.done && !(event.value.type === "added" && !event.value.initial))
      event = await events.next();
    const heard = performance.now() - start;
    links.push(await made);
    return heard;
  });
  watch.close();
  return cost;
}

/** @param {number} times */
const deleteSingle = (times) =>
  waitEach(times, async () => {
    await delay(quietMs);
    const link = links.pop();
    if (link === undefined) throw new Error("no link is left");
    const start = performance.now();
    await namespace.deleteLink(link);
    return performance.now() - start;
  });

async function deleteAll() {
  const all = links.splice(0);
  const { result, cost } = await measure(all.length, () => namespace.deleteLinks(all));
  for (const outcome of result) if (!outcome.deleted) throw outcome.error;
  return cost;
}

await compile();
await answerCommands({
  "make-bulk": makeAtOnce,
  "make-awaited": makeAwaited,
  list: (times) => repeat(times, () => namespace.listLinks()),
  get: (times) =>
    repeat(times, (time) => namespace.getLink(links[time % links.length]?.name ?? "")),
  event: hearOfCreates,
  "delete-single": deleteSingle,
  "delete-bulk": deleteAll,
});
await namespace.close();
