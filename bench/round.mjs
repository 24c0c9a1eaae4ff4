// One round of one case, in network and mount namespaces of its own: `node bench/round.mjs CASE`,
// with CASE in JSON. Prints an outcome, in JSON. The namespaces and all that is left in them go
// with this process.
import process from "node:process";
import { FlintapError, NetworkNamespace } from "flintap";
import { enterNamespaces } from "../examples/quickstart/namespace.mjs";
import { deviceKinds } from "./devices.mjs";
import { IpFailure } from "./peers/ip-batch.mjs";
import { subjects } from "./subjects.mjs";

/**
 * What is measured: how many are made together, how often, after how many that don't count, and
 * whether deleting them counts, too.
 *
 * @typedef {object} Case
 * @property {string} kind
 * @property {number} count
 * @property {string} subject
 * @property {number} repetitions
 * @property {number} warmUp
 * @property {boolean} deletes
 */

/**
 * One cost for each repetition, or why there is none.
 *
 * @typedef {{ create: Cost[], delete: Cost[] } | { obstacle: string }} Outcome
 * @typedef {import("./meter.mjs").Cost} Cost
 */

/** @param {Case} settings @returns {Promise<Outcome>} */
async function measureCase({ count, repetitions, warmUp, deletes, ...names }) {
  const [kind, startSubject] = [deviceKinds[names.kind], subjects[names.subject]];
  if (kind === undefined || startSubject === undefined) throw new Error("No such kind or subject");
  const namespace = NetworkNamespace.current();
  await kind.stage(namespace);
  const subject = await startSubject(namespace, kind);
  // Its deletes also wait for the kernel to take down the namespace of the case before, which
  // would otherwise hold its lock in the middle of this one.
  await (await subject.make(warmUp)).remove();
  const outcome = { create: /** @type {Cost[]} */ ([]), delete: /** @type {Cost[]} */ ([]) };
  for (let left = repetitions; left > 0; left -= 1) {
    const { cost, remove } = await subject.make(count);
    outcome.create.push(cost);
    if (deletes) outcome.delete.push(await remove());
    else if (left > 1) await remove();
  }
  await subject.close();
  return outcome;
}

/** @param {unknown} error @returns {Outcome} */
function obstacleOf(error) {
  if (error instanceof FlintapError || error instanceof IpFailure) {
    return { obstacle: error.message };
  }
  throw error;
}

enterNamespaces();
const settings = JSON.parse(process.argv[2] ?? "");
console.log(JSON.stringify(await measureCase(settings).catch(obstacleOf)));
