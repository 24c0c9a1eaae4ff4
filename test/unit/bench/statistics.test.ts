import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { estimate, means, median, ranksToLeaveOut } from "../../../bench/statistics.mjs";

describe("a median's interval", () => {
  test("leaves out as many values as the binomial distribution allows", () => {
    // From tables: with 15 values the 4th to the 12th, with 7 all, with 5 none is enough.
    expect([5, 6, 7, 8, 9, 15, 20].map(ranksToLeaveOut)).toEqual([undefined, 0, 0, 0, 1, 3, 5]);
  });

  test("holds the median, whatever the values are", () => {
    const values = fc.array(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), {
      minLength: 6,
      maxLength: 30,
    });
    fc.assert(
      fc.property(values, (given) => {
        const known = estimate(given);
        expect(known?.low).toBeLessThanOrEqual(known?.median ?? NaN);
        expect(known?.high).toBeGreaterThanOrEqual(known?.median ?? NaN);
      }),
    );
  });

  test("is Student's, of the logarithms, where there are few values", () => {
    const known = estimate([1, 1, 1.21]);
    // The mean of the logarithms is log(1.21) / 3, its error the same, t is 4.303.
    const log = Math.log(1.21) / 3;
    expect(known?.low).toBeCloseTo(Math.exp(log - 4.303 * log));
    expect(known?.high).toBeCloseTo(Math.exp(log + 4.303 * log));
    expect(estimate([2, 2])).toEqual({ median: 2, count: 2 });
    expect(estimate([])).toBeUndefined();
  });
});

test("the median is the middle value, or the mean of the two there", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeUndefined();
});

test("means are taken of each field", () => {
  expect(
    means([
      { wallUs: 1, cpuUs: 4 },
      { wallUs: 3, cpuUs: 8 },
    ]),
  ).toEqual({ wallUs: 2, cpuUs: 6 });
});
