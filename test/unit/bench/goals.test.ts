import { describe, expect, test } from "vitest";
import { goals, judge } from "../../../bench/goals.mjs";
import { Cells, cellAt, pairedRatio } from "../../../bench/results.mjs";

const atMost = { direction: "at most", limit: 1.5 } as const;
const atLeast = { direction: "at least", limit: 15 } as const;
const figure = (low: number, high: number) => ({ median: (low + high) / 2, low, high, count: 15 });

describe("a goal", () => {
  test("is met or not where the whole interval is on one side", () => {
    expect(judge(atMost, figure(1, 1.5))).toBe("met");
    expect(judge(atMost, figure(1.6, 2))).toBe("not met");
    expect(judge(atLeast, figure(15, 20))).toBe("met");
    expect(judge(atLeast, figure(3, 14.9))).toBe("not met");
  });

  test("is undecided where the interval lies across it, or there is none", () => {
    expect(judge(atMost, figure(1.4, 1.6))).toBe("undecided");
    expect(judge(atLeast, { median: 20, count: 1 })).toBe("undecided");
    expect(judge(atLeast, undefined)).toBe("not measured");
  });
});

describe("a ratio", () => {
  const place = { kind: "macvtap", ipv6: "closed", count: 1000, work: "create" };
  const cells = new Cells();
  for (let round = 0; round < 7; round += 1) {
    cells.add({ ...place, contestant: "flintap bulk" }, round, { cpuUs: 210 * (round + 1) });
    if (round > 0)
      cells.add({ ...place, contestant: "C bulk" }, round, { cpuUs: 200 * (round + 1) });
  }
  const results = { cells: cells.all() } as Parameters<(typeof goals)[number]["figure"]>[0];

  test("is of the rounds that both took part in", () => {
    const [above, below] = ["flintap bulk", "C bulk"].map((contestant) =>
      cellAt(results, { ...place, contestant }),
    );
    const ratio = pairedRatio(above, below, "cpuUs");
    expect(ratio).toMatchObject({ count: 6 });
    expect(ratio?.median).toBeCloseTo(1.05);
  });

  test("beside another one is told for bare C as well, by the same rounds", () => {
    const go = new Cells();
    const of = { kind: "macvtap", ipv6: "open", count: 100, work: "create" };
    for (let round = 0; round < 7; round += 1) {
      for (const [contestant, cpuUs] of [
        ["Go flintlock", 300],
        ["flintap bulk", 240],
        ["C bulk", 200],
      ] as const)
        go.add({ ...of, contestant }, round, { cpuUs: cpuUs * (round + 1) });
    }
    const beside = goals.find(({ bareC }) => bareC !== undefined);
    const seen = { cells: go.all() } as typeof results;
    expect(beside?.figure(seen)?.median).toBeCloseTo(1.25);
    expect(beside?.bareC?.(seen)?.median).toBeCloseTo(1.5);
  });

  test("is what the first goal is judged by", () => {
    const [first] = goals;
    expect(first?.figure(results)?.high).toBeCloseTo(1.05);
  });
});
