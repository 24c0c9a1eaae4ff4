// Who makes the devices: flintap, called in either way, and the peer. Each makes and deletes them
// with the clock running; what is measured, and beside what, is decided elsewhere.
import { randomInt } from "node:crypto";
import { measure } from "./meter.mjs";
import { IpBatch } from "./peers/ip-batch.mjs";

/**
 * @typedef {import("flintap").NetworkNamespace} NetworkNamespace
 * @typedef {import("flintap").Link} Link
 * @typedef {import("./devices.mjs").DeviceKind} DeviceKind
 * @typedef {import("./meter.mjs").Cost} Cost
 */

/**
 * @typedef {object} Made
 * @property {Cost} cost
 * @property {() => Promise<Cost>} remove Deletes them again, one by one.
 */

/**
 * @typedef {object} Subject
 * @property {(count: number) => Promise<Made>} make
 * @property {() => Promise<void>} close
 */

/**
 * @param {NetworkNamespace} namespace
 * @param {(count: number) => Promise<Link[]>} create
 * @returns {Subject}
 */
function flintap(namespace, create) {
  return {
    make: async (count) => {
      const { result: links, cost } = await measure(count, () => create(count));
      const removeAll = async () => {
        for (const link of links) await namespace.deleteLink(link);
      };
      return { cost, remove: async () => (await measure(count, removeAll)).cost };
    },
    close: () => namespace.close(),
  };
}

/** @param {NetworkNamespace} namespace @param {DeviceKind} kind */
function oneByOne(namespace, kind) {
  return flintap(namespace, async (count) => {
    const links = [];
    for (let made = 0; made < count; made += 1) links.push(await kind.create(namespace));
    return links;
  });
}

/** @param {NetworkNamespace} namespace @param {DeviceKind} kind */
function atOnce(namespace, kind) {
  return flintap(namespace, (count) =>
    Promise.all(Array.from({ length: count }, () => kind.create(namespace))),
  );
}

/**
 * @param {NetworkNamespace} namespace
 * @param {DeviceKind} kind
 * @returns {Promise<Subject>}
 */
async function ipBatch(namespace, kind) {
  const ip = await IpBatch.start();
  // So high that hardly anybody else has it.
  let index = randomInt(1_000_000_000, 2_000_000_000);
  return {
    make: async (count) => {
      const names = Array.from({ length: count }, (_, place) => `dev${place}`);
      const additions = names.flatMap((name) => kind.ipCommands(name, index++));
      const cost = await ip.measure(count, additions);
      const removals = names.map((name) => `link delete dev ${name}`);
      return { cost, remove: () => ip.measure(count, removals) };
    },
    close: async () => {
      await ip.close();
      await namespace.close();
    },
  };
}

/** Whom flintap is held against. */
export const peer = "ip -batch";

/** @type {Record<string, (namespace: NetworkNamespace, kind: DeviceKind) => Subject | Promise<Subject>>} */
export const subjects = {
  "flintap, one by one": oneByOne,
  "flintap, at once": atOnce,
  [peer]: ipBatch,
};
