import { expect, test } from "vitest";
import { clearUp, garbageReport, garbageText } from "../../../src/cli/gc-report.js";
import { FlintapError } from "../../../src/error.js";
import type { Collected } from "../../../src/garbage/collect.js";
import type { TapLink } from "../../../src/link.js";

function tap(name: string, microvm?: string): TapLink {
  const link: TapLink = {
    kind: "tun",
    name,
    index: 9,
    altNames: [],
    mtu: 1500,
    up: true,
    flags: 1,
    details: { type: "tap" },
  };
  if (microvm === undefined) return link;
  return { ...link, tag: { version: 1, owner: "me", createdAt: new Date(0), microvm } };
}

const refused = new FlintapError({
  errno: 1,
  reason: "no-permission",
  operation: "deleteLink",
  step: "delete",
});

const nothing: Collected = { removed: [], gone: [], failed: [], young: [], unclear: [], kept: [] };
const collected: Collected = {
  removed: [tap("t1", "ns/a")],
  gone: [tap("t2", "ns/a")],
  failed: [
    { link: tap("t3", "ns/b"), error: refused },
    { link: tap("t4", "ns/b"), error: new Error("given up") },
  ],
  young: [tap("t5", "ns/c")],
  unclear: [{ link: tap("t6"), why: "broken-tag" }],
  kept: [tap("t7", "ns/d")],
};

test("every device but a kept one has the same fields, null for what is not there", () => {
  const reports = garbageReport(collected, false);
  expect(reports[0]).toEqual({
    device: "t1",
    kind: "tap",
    index: 9,
    microvm: "ns/a",
    interface: null,
    owner: "me",
    createdAt: "1970-01-01T00:00:00.000Z",
    action: "removed",
    why: null,
  });
  expect(reports.map(({ device, action, why }) => [device, action, why])).toEqual([
    ["t1", "removed", null],
    ["t2", "gone", null],
    ["t3", "failed", "no-permission"],
    ["t4", "failed", "aborted"],
    ["t5", "young", null],
    ["t6", "unclear", "broken-tag"],
  ]);
  expect(reports[5]).toMatchObject({ microvm: null, owner: null, createdAt: null });
  expect(garbageReport(collected, true)[0]?.action).toBe("remove");
});

test("people get a table and a count", () => {
  const text = garbageText(garbageReport(collected, false), 1, false);
  expect(text).toMatch(/^DEVICE +KIND +MICROVM +INTERFACE +AGE +ACTION$/m);
  expect(text).toMatch(/^t1 +tap +ns\/a +- +\d+d +removed$/m);
  expect(text).toMatch(/^t3 +tap +ns\/b +- +\d+d +failed: no permission$/m);
  expect(text).toMatch(/^t6 +tap +- +- +- +unclear: broken tag$/m);
  const counts = "1 removed, 1 gone already, 2 failed, 1 young, 1 unclear, 1 kept";
  expect(text.endsWith(`\n\nDone: ${counts}.`)).toBe(true);
  const dry = garbageText(garbageReport({ ...nothing, removed: [tap("t1", "a")] }, true), 0, true);
  expect(dry).toMatch(/ to remove\n\nFound: 1 to remove, 0 kept\.$/);
  expect(garbageText([], 3, false)).toBe("Done: 3 kept.");
});

test("what is unclear says what to do about it", () => {
  expect(clearUp(collected)).toEqual([
    "t6 was left alone: flintap made it, and whose it is cannot be said, since its tag cannot be read. Look at it (ip -d link show dev t6), and delete it by hand if nobody needs it (ip link del dev t6)",
  ]);
  expect(clearUp(nothing)).toEqual([]);
});
