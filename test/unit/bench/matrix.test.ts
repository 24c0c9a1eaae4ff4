import { expect, test } from "vitest";
import { casesOf, planFor, turns } from "../../../bench/matrix.mjs";

test("of two that are compared, each comes first as often, and everybody in every round", () => {
  const ids = ["a", "b", "c", "d"];
  const rounds = Array.from({ length: 16 }, (_, round) => turns(ids, round));
  for (const order of rounds) expect(order.toSorted()).toEqual(ids);
  const before = (one: string, other: string) =>
    rounds.filter((order) => order.indexOf(one) < order.indexOf(other)).length;
  for (const [one, other] of ["ab", "ac", "bd", "da"].map((pair) => [...pair] as [string, string]))
    expect(before(one, other)).toBe(8);
});

test("what is compared runs in the same round", () => {
  const cases = casesOf(planFor(false));
  const bulk = (id: string) =>
    cases
      .filter(({ contestant }) => contestant.id === id)
      .map(({ kind, ipv6, count, round }) => `${kind} ${ipv6} ${count} ${round}`)
      .toSorted();
  expect(bulk("flintap bulk")).toEqual(bulk("C bulk"));
  expect(bulk("flintap awaited")).toEqual(bulk("C awaited"));
});
