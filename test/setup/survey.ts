/**
 * Runs test/container/survey.mjs in a situation, and holds what came out against that situation's
 * row of the table in docs/containers.md. `node scripts/containers-page.mjs` writes the table.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type RunOptions, runNode } from "./child.js";

/** A call that was refused. */
export interface Refusal {
  call: string;
  code: string;
  reason: string;
  hint: string;
  message: string;
  leftBehind?: string[];
}

interface Survey {
  /** By the table's columns: "yes", or the reasons of what was refused. */
  row: Record<string, string>;
  refusals: Refusal[];
  before: string[];
  after: string[];
}

/** What is missing, and how to come by it: each refusal of these names it. */
const named: Readonly<Record<string, RegExp>> = {
  "no-permission": /CAP_NET_ADMIN.*--cap-add|CAP_SYS_ADMIN.*--cap-add/,
  "proc-sys-read-only": /--sysctl.*(hostIPv6: 'reduced'|acceptRouterAdvertisements: true)/,
  "tun-device-missing": /modprobe tun.*--device=\/dev\/net\/tun/,
  "mknod-not-allowed": /--device=\/dev\/tapN.*--cap-add=MKNOD.*--device-cgroup-rule/,
  "device-not-allowed": /\/dev\/tapN.*--device-cgroup-rule/,
};

const program = "test/container/survey.mjs";

/** Makes the links that the survey is about in this process's namespace; `stage` removes them. */
export async function prepareSurvey(): Promise<void> {
  expect(await runNode([program, "prepare"])).toMatchObject({ code: 0, stderr: "" });
}

/** The table of docs/containers.md: situation, then column, then cell. */
function pageRows(): Map<string, Record<string, string>> {
  const lines = readFileSync("docs/containers.md", "utf8").split("\n");
  const table = lines.filter((line) => line.startsWith("| "));
  const cells = table.map((line) => line.slice(2, -2).split(" | "));
  const [[, ...columns] = [], , ...rows] = cells;
  return new Map(
    rows.map(([situation = "", ...values]) => [
      situation,
      Object.fromEntries(columns.map((column, at) => [column, values[at] ?? ""])),
    ]),
  );
}

/** A row of the table is true, or is kept for the script that writes the table. */
function checkRow(situation: string, row: Record<string, string>): void {
  const folder = process.env.FLINTAP_SURVEYS;
  if (folder === undefined) expect(row).toEqual(pageRows().get(situation));
  else
    writeFileSync(
      join(folder, `${encodeURIComponent(situation)}.json`),
      JSON.stringify({ situation, row }),
    );
}

/**
 * Surveys a situation, called as in the table; gives the refusals. Each leaves nothing behind and
 * says what to do.
 */
export async function survey(
  situation: string,
  options: RunOptions,
  { folder = ".", prepare = false } = {},
): Promise<Refusal[]> {
  const steps = prepare ? ["prepare", "run"] : ["run"];
  const { code, stdout, stderr } = await runNode([join(folder, program), ...steps], options);
  expect(code, stderr).toBe(0);
  const { row, refusals, before, after }: Survey = JSON.parse(stdout);
  checkRow(situation, row);
  expect(after).toEqual(before);
  for (const { leftBehind, reason, hint } of refusals) {
    expect(leftBehind).toBeUndefined();
    expect(hint).toMatch(named[reason] ?? "a reason that no situation gives");
  }
  return refusals;
}
