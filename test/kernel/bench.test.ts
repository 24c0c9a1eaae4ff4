/** The benchmark measures every case; how long they take is no test's matter. */
import { describe, expect, test } from "vitest";
import { needs } from "../setup/capabilities.js";
import { runNode } from "../setup/child.js";
import { linkNames } from "../setup/iproute2.js";

interface Cost {
  wallUs: number;
  cpuUs: number;
  jsThreadUs?: number;
  loopDelayP99Ms?: number;
  loopDelayMaxMs?: number;
}

interface Result {
  kind: string;
  count: number;
  subject: string;
  work: string;
  median: Cost;
  rounds: Cost[];
  ofPeer?: { wall: number };
}

const kinds = ["macvtap", "tap", "bridge", "veth"];
const bench = (...args: string[]) => runNode(["bench/create.mjs", "--quick", ...args]);
const withAll = needs("veth", "macvtap", "bridge", "tun");
const withBridge = needs("bridge");
const positive = expect.toSatisfy((figure) => Number.isFinite(figure) && figure > 0, "positive");
const delay = expect.toSatisfy((figure) => Number.isFinite(figure) && figure >= 0, "a delay");
const ownCost = {
  wallUs: positive,
  cpuUs: positive,
  jsThreadUs: positive,
  loopDelayP99Ms: delay,
  loopDelayMaxMs: delay,
};

describe("the benchmark", () => {
  withAll(
    "measures creating and deleting of every kind beside the peer, and leaves nothing",
    async () => {
      const before = await linkNames();
      const { code, stdout, stderr } = await bench("--rounds", "1", "--counts", "2", "--json");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const report: { host: object; results: Result[]; obstacles: object[] } = JSON.parse(stdout);
      expect(report.obstacles).toEqual([]);
      expect(report.host).toMatchObject({ node: process.version, kernel: expect.any(String) });
      const ratio = { wall: positive };
      const expected = kinds.flatMap((kind) => [
        { kind, subject: "flintap, one by one", work: "create", median: ownCost, ofPeer: ratio },
        { kind, subject: "flintap, one by one", work: "delete", median: ownCost },
        { kind, subject: "flintap, at once", work: "create", median: ownCost, ofPeer: ratio },
        { kind, subject: "ip -batch", work: "create", median: { wallUs: positive } },
      ]);
      expect(report.results).toMatchObject(expected.map((result) => ({ ...result, count: 2 })));
      expect(await linkNames()).toEqual(before);
    },
  );

  withBridge("gives the median of the rounds", async () => {
    const args = ["--rounds", "2", "--counts", "1", "--kinds", "bridge", "--json"];
    const { results }: { results: Result[] } = JSON.parse((await bench(...args)).stdout);
    expect(results).toHaveLength(4);
    for (const { median, rounds } of results) {
      const walls = rounds.map(({ wallUs }) => wallUs);
      expect(walls).toHaveLength(2);
      expect(median.wallUs).toBeCloseTo((Math.min(...walls) + Math.max(...walls)) / 2);
    }
  });

  withBridge("prints a table of the kinds that were asked for", async () => {
    const { stdout } = await bench(
      "--quick",
      "--rounds",
      "1",
      "--counts",
      "1",
      "--kinds",
      "bridge",
    );
    const lines = stdout.split("\n");
    const rows = lines.filter((line) => /^(flintap, |ip -batch, )/.test(line));
    expect(lines).toContain("bridge");
    expect(rows).toEqual([
      expect.stringMatching(/^flintap, one by one, create +1( +[\d.]+){7}$/),
      expect.stringMatching(/^flintap, at once, create +1( +[\d.]+){7}$/),
      expect.stringMatching(/^ip -batch, create +1 +\d+ +(\d+|-)( +-){5}$/),
      expect.stringMatching(/^flintap, one by one, delete +1( +[\d.]+){5}( +-){2}$/),
    ]);
  });

  test("refuses a kind and a number that make no sense", async () => {
    const kind = await bench("--kinds", "bond");
    expect(kind).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining('"bond"') });
    const count = await bench("--counts", "0");
    expect(count).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining('"0"') });
  });
});
