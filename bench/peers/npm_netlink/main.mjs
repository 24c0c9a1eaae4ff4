// The npm package `netlink`: `main.mjs KIND FOLDER`, where FOLDER has it installed. One request after
// the other: it loses acknowledgements, and aborts, where hundreds are under way. It sends on the event
// loop's thread. Makes no taps: rtnetlink does not.
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { measure } from "../../meter.mjs";
import { answerCommands } from "../answer.mjs";

/** @typedef {{ data: { index: number }, attrs: { ifname?: string, mtu?: number, txqlen?: number } }} Message */

const [, , kind, folder = ""] = process.argv;
const { createRtNetlink } = createRequire(join(folder, "package.json"))("netlink");
const socket = createRtNetlink({ ref: true });
/** @type {string[]} */
const names = [];

/** An attribute as it goes over. @param {number} type @param {Buffer} value */
function attribute(type, value) {
  const padded = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  padded.writeUInt16LE(4 + value.length, 0);
  padded.writeUInt16LE(type, 2);
  value.copy(padded, 4);
  return padded;
}

/** @param {number} value */
function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

const [infoKind, infoData, macvlanMode, bridgeMode] = [1, 2, 1, 4];
const linkinfo = Buffer.concat([
  attribute(infoKind, Buffer.from("macvtap\0")),
  attribute(infoData, attribute(macvlanMode, uint32(bridgeMode))),
]);
const createFlags = 0x600; // NLM_F_CREATE | NLM_F_EXCL

const warmUps = 1000;

/** @param {string} name @returns {Promise<Message>} */
async function lookUp(name) {
  const [found] = await socket.getLink({}, { ifname: name });
  return found;
}

/** @param {number} count */
async function make(count) {
  if (kind !== "macvtap") throw new Error("it makes no taps, since rtnetlink makes none");
  const fresh = Array.from({ length: count }, (_, at) => `nl${names.length + at}`);
  const { cost } = await measure(count, async () => {
    const parent = await lookUp("parent0");
    const { mtu, txqlen } = parent.attrs;
    const link = uint32(parent.data.index);
    for (const ifname of fresh) {
      const attributes = { ifname, link, mtu, txqlen, linkinfo };
      const up = { flags: { up: true }, change: { up: true } };
      await socket.newLink(up, attributes, { flags: createFlags });
    }
  });
  names.push(...fresh);
  return cost;
}

/** @param {number} count */
async function deleteEach(count) {
  const taken = names.splice(-count);
  const { cost } = await measure(count, async () => {
    for (const ifname of taken) await socket.delLink({}, { ifname });
  });
  return cost;
}

/** @param {number} times @param {(time: number) => Promise<unknown>} call */
async function repeat(times, call) {
  const { cost } = await measure(times, async () => {
    for (let time = 0; time < times; time += 1) await call(time);
  });
  return cost;
}

/** So that its JavaScript has been compiled, as flintap's: the kernel refuses a name that is taken. */
async function warm() {
  const parent = await lookUp("parent0");
  const link = uint32(parent.data.index);
  let refused = 0;
  for (let time = 0; time < warmUps; time += 1) {
    const attributes = { ifname: "parent0", link, linkinfo };
    await socket.newLink({}, attributes, { flags: createFlags }).catch(() => {
      refused += 1;
    });
  }
  if (refused !== warmUps) throw new Error("the kernel took a name twice");
}

if (kind === "macvtap") await warm();
await answerCommands({
  "make-awaited": make,
  "delete-each": deleteEach,
  list: (times) => repeat(times, () => socket.getLinks()),
  get: (times) => repeat(times, (time) => lookUp(names[time % names.length] ?? "")),
});
// Its socket cannot be closed, and would keep the process.
process.exit();
