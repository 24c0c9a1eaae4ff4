/** The benchmark measures from end to end; how long devices take is no test's matter. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { compileC } from "../../bench/contestants.mjs";
import { needs } from "../setup/capabilities.js";
import { nodeCommand, packageRoot, runNode } from "../setup/child.js";
import { addBridge, addParent, linkNames } from "../setup/iproute2.js";

const folder = mkdtempSync(join(tmpdir(), "flintap-bench-"));
afterAll(() => rmSync(folder, { recursive: true }));

const output = join(folder, "results.json");
const bench = (...args: string[]) => runNode(["bench/run.mjs", "--quick", ...args]);
const withAll = needs("veth", "macvtap", "bridge", "tun");

describe("the benchmark", () => {
  withAll("measures flintap, bare C and ip in every place, and leaves nothing", async () => {
    const before = await linkNames();
    const only = ["flintap bulk", "C bulk", "flintap awaited", "C awaited", "ip -batch"];
    const tiny = "--rounds 1 --counts 2 --ipv6 closed --warm-up 2 --skip queues,large".split(" ");
    const { code, stderr } = await bench(...tiny, "--only", only.join(), "--output", output);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });

    const results = JSON.parse(readFileSync(output, "utf8"));
    expect(results).toMatchObject({ quick: true, obstacles: [] });
    expect(results.host).toMatchObject({ kernel: expect.any(String), cpus: expect.any(Number) });
    const works = new Set<string>();
    const places = new Set<string>();
    for (const cell of results.cells) {
      works.add(`${cell.contestant}: ${cell.work}`);
      places.add(`${cell.kind} ${cell.ipv6} ${cell.count}`);
      expect(cell).toMatchObject({ rounds: [0], wallUs: [expect.any(Number)] });
      expect(cell.wallUs[0]).toBeGreaterThan(0);
      if (cell.work === "create") expect(cell.cpuUs[0]).toBeGreaterThan(0);
    }
    const own = ["bulk", "awaited"].flatMap((how) =>
      ["flintap", "C"].flatMap((who) =>
        [
          "create",
          ...(how === "bulk" ? ["list", "get", "delete-bulk"] : ["event", "delete-single"]),
        ].map((work) => `${who} ${how}: ${work}`),
      ),
    );
    const others = ["ip -batch: create", "ip -batch: delete-each"];
    expect([...works].toSorted()).toEqual([...own, ...others].toSorted());
    expect(places).toEqual(new Set(["macvtap closed 2", "tap closed 2"]));
    expect(await linkNames()).toEqual(before);

    const check = await runNode(["bench/check.mjs", output]);
    expect(check.stdout).toContain("A quick run");
    expect(check.stdout).toMatch(/^not measured +macvtap: 100 creates awaited one by one/m);
    expect(check.code).toBe(0);
  });

  test("refuses what makes no sense", async () => {
    const cases = [
      ["--kinds", "bond"],
      ["--counts", "0"],
      ["--only", "nobody"],
      ["--colour", "red"],
    ];
    for (const args of cases) {
      const ending = await bench(...args, "--output", output);
      expect(ending).toMatchObject({
        code: 2,
        stdout: "",
        stderr: expect.stringMatching(/^bench: /),
      });
    }
  });
});

/** The requests of one send: "32 RTM_SETLINK, 32 RTM_GETLINK". */
function requestsOf(line: string): string {
  const counts = new Map<string, number>();
  for (const [, type = ""] of line.matchAll(/nlmsg_type=(RTM_\w+)/g))
    counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => `${count} ${type}`).join(", ");
}

/** What a contestant sends for these commands, without regard to the order of its threads. */
function sendsOf(command: string[], commands: readonly string[]): string[] {
  const trace = join(folder, "trace");
  const traced = ["-f", "-qq", "-v", "-s", "0", "-e", "trace=sendmsg,sendto", "-o", trace];
  const input = `${commands.join("\n")}\n`;
  execFileSync("strace", [...traced, ...command], { input, cwd: packageRoot });
  const sends = readFileSync(trace, "utf8").split("\n").map(requestsOf).filter(Boolean);
  // From the look-up of the first create on: what warms up before may be refused.
  const first = sends.findIndex((requests) => /RTM_NEWLINK/.test(requests));
  return sends.slice(first - 1).toSorted();
}

describe("bare C", () => {
  const withTrace = needs("strace", "veth", "macvtap", "bridge", "tun", "proc-sys");

  withTrace("sends what flintap sends, in as many sends", async () => {
    const bareC = await compileC("bare_c");
    await addParent("parent0");
    await addBridge("br0");
    // More than are made together, and more than are deleted as one group.
    const bulk = ["make-bulk 40", "list 2", "get 2", "make-bulk 100", "delete-bulk 140"];
    const commands = [...bulk, "make-awaited 2", "delete-single 1", "delete-bulk 1"];
    for (const kind of ["macvtap", "tap"]) {
      const place = [kind, "closed", "1"];
      const own = sendsOf([...nodeCommand([]), "bench/peers/flintap.mjs", ...place], commands);
      expect(sendsOf([bareC, ...place], commands), kind).toEqual(own);
    }
  });
});
