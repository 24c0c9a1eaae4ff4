/** How long what somebody else rewrites is left to them. */
import { describe, expect, it } from "vitest";
import { Contest, pauseAfter } from "../../../src/keeping/contest.js";

const fields = ["mtu"];

/** Others write, and it is repaired at once, so often, all within one second. */
function disputed(times: number): Contest {
  const contest = new Contest();
  for (let time = 0; time < times; time++) {
    contest.written(fields, time);
    contest.repaired(fields, time);
  }
  return contest;
}

describe("a contest", () => {
  it("doubles the pause, up to a minute", () => {
    expect([0, 1, 2, 3, 4].map(pauseAfter)).toEqual([0, 250, 500, 1_000, 2_000]);
    expect([9, 20, 2_000].map(pauseAfter)).toEqual([60_000, 60_000, 60_000]);
  });

  it("repairs at once what is written for the first time", () => {
    expect(disputed(1).pause(fields)).toBe(0);
    expect(disputed(0).pause(fields)).toBe(0);
  });

  it("waits for longer whenever a repair has not lasted", () => {
    expect([2, 3, 4, 5].map((times) => disputed(times).pause(fields))).toEqual([
      250, 500, 1_000, 2_000,
    ]);
  });

  it("is one when three repairs in a row have not lasted", () => {
    expect(disputed(3).disputed(fields)).toEqual([]);
    expect(disputed(4).disputed([...fields, "up"])).toEqual(fields);
  });

  it("counts what has lasted for five seconds as no row", () => {
    const contest = disputed(2);
    contest.written(fields, 5_001);
    expect(contest.pause(fields)).toBe(0);
  });

  it("counts a slow row as one: the longer the pause, the longer it has to last", () => {
    const contest = disputed(8); // the pause is 16 s
    contest.written(fields, 60_000);
    expect(contest.pause(fields)).toBe(32_000);
    contest.repaired(fields, 92_000);
    contest.written(fields, 92_000 + 4 * 32_000 + 1);
    expect(contest.pause(fields)).toBe(0);
  });

  it("keeps fields apart, and waits for the longest", () => {
    const contest = disputed(3);
    contest.written(["up"], 3);
    expect(contest.pause(["up"])).toBe(0);
    expect(contest.pause(["up", "mtu"])).toBe(500);
  });

  it("is won by what has lasted four times as long as it was waited for, and forgotten", () => {
    const contest = disputed(4);
    expect(contest.over).toBe(3 + 5_000);
    expect(contest.won(contest.over - 1)).toEqual([]);
    expect(contest.won(contest.over)).toEqual(fields);
    expect(contest.over).toBe(Number.POSITIVE_INFINITY);
    expect(contest.pause(fields)).toBe(0);
    expect(disputed(3).over).toBe(Number.POSITIVE_INFINITY);
  });
});
