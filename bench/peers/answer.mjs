// A peer written for Node.js: takes commands ("make-bulk 100") from standard input, one a line, and
// answers each with one line of JSON: what one device or one call cost, or why it failed. The peers in
// other languages speak the same.
import process from "node:process";
import { createInterface } from "node:readline";

/** @typedef {import("../meter.mjs").Cost} Cost */

/**
 * Obeys until the commands end.
 *
 * @param {Record<string, (count: number) => Promise<Cost>>} commands
 */
export async function answerCommands(commands) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [verb = "", count] = line.split(" ");
    try {
      const obey = commands[verb];
      if (obey === undefined) throw new Error("no such command");
      console.log(JSON.stringify(await obey(Number(count))));
    } catch (error) {
      console.log(JSON.stringify({ error: `${verb}: ${/** @type {Error} */ (error).message}` }));
    }
  }
}
