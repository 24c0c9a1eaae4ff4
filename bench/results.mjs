// What was measured, as it is written to a file and read again. A cell is what one contestant did in
// one place of the matrix, with the figures of every round.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { estimate } from "./statistics.mjs";

/** Figures in a cell. @typedef {"wallUs" | "cpuUs" | "jsThreadUs" | "loopDelayMaxMs" | "loopDelayP99Ms" | "memoryKiB"} Figure */

/**
 * @typedef {object} Place
 * @property {string} kind
 * @property {string} ipv6
 * @property {number} count
 * @property {string} contestant
 * @property {string} work
 *
 * @typedef {Place & { rounds: number[] } & Partial<Record<Figure, number[]>>} Cell
 *
 * @typedef {object} Results
 * @property {import("./host.mjs").Host} host
 * @property {boolean} quick
 * @property {import("./contestants.mjs").Programs} programs
 * @property {{ contestant: string, kind: string, reason: string }[]} obstacles
 * @property {Cell[]} cells
 * @property {import("./queues.mjs").QueueResults} [queues]
 * @property {import("./scaling.mjs").LargeRun[]} [large]
 * @property {number} [minutes] How long the whole took.
 */

export const latest = join(import.meta.dirname, "results/latest.json");

/** @param {number} value */
const rounded = (value) => Number(value.toPrecision(4));

export class Cells {
  /** @type {Map<string, Cell>} */
  #cells = new Map();

  /** @param {Place} place @param {number} round @param {Partial<Record<Figure, number>>} figures */
  add(place, round, figures) {
    const key = JSON.stringify(place);
    const cell = this.#cells.get(key) ?? { ...place, rounds: [] };
    this.#cells.set(key, cell);
    cell.rounds.push(round);
    for (const [name, value] of Object.entries(figures)) {
      const figure = /** @type {Figure} */ (name);
      const list = cell[figure] ?? [];
      list.push(rounded(value));
      cell[figure] = list;
    }
  }

  all() {
    return [...this.#cells.values()];
  }
}

/** One line a cell: what changed is seen in a diff. @param {Results} results @param {string} [path] */
export function writeResults(results, path = latest) {
  const { cells, ...rest } = results;
  const lines = cells.map((cell) => `    ${JSON.stringify(cell)}`).join(",\n");
  const head = JSON.stringify(rest, undefined, 2).replace(/\n\}$/, "");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${head},\n  "cells": [\n${lines}\n  ]\n}\n`);
}

/** @param {string} [path] @returns {Results} */
export function readResults(path = latest) {
  if (!existsSync(path)) throw new Error(`There are no results in ${path}: npm run bench`);
  return JSON.parse(readFileSync(path, "utf8"));
}

/** @param {Results} results @param {Place} place */
export function cellAt({ cells }, place) {
  return cells.find((cell) =>
    Object.entries(place).every(
      ([name, value]) => cell[/** @type {keyof Place} */ (name)] === value,
    ),
  );
}

/** @param {Cell | undefined} cell @param {Figure} figure */
export const estimateOf = (cell, figure) => estimate(cell?.[figure] ?? []);

/**
 * The ratio of one cell's figure to another's in each round that both took part in.
 *
 * @param {Cell | undefined} above
 * @param {Cell | undefined} below
 * @param {Figure} figure
 */
export function pairedRatio(above, below, figure) {
  const ratios = (above?.rounds ?? []).map((round, at) => {
    const other = below?.rounds.indexOf(round) ?? -1;
    return (above?.[figure]?.[at] ?? NaN) / (below?.[figure]?.[other] ?? NaN);
  });
  return estimate(ratios.filter(Number.isFinite));
}
