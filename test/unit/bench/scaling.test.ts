import { expect, test } from "vitest";
import { costAt, fitCurve } from "../../../bench/scaling.mjs";

test("the curve that points were made from is found again", () => {
  const curve = { base: 200, growth: 0.5, power: 0.8 };
  const points = [100, 1000, 4000].map((count) => [count, costAt(curve, count)] as const);
  const found = fitCurve(points);
  expect(found?.power).toBeCloseTo(0.8);
  expect(costAt(found ?? curve, 10_000) / costAt(curve, 10_000)).toBeCloseTo(1);
});

test("a cost that falls is taken for flat, and two points for too few", () => {
  expect(
    fitCurve([
      [100, 300],
      [1000, 290],
      [4000, 280],
    ])?.growth,
  ).toBe(0);
  expect(
    fitCurve([
      [100, 300],
      [1000, 290],
    ]),
  ).toBeUndefined();
});
