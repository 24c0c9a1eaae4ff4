import { expect, test } from "vitest";
import {
  appliedReport,
  doneWord,
  planReport,
  planText,
  summary,
} from "../../../src/cli/plan-report.js";
import type { DesiredTap, Plan, PlanStep } from "../../../src/desired/index.js";
import type { TapLink } from "../../../src/link.js";

const device: DesiredTap = {
  kind: "tap",
  name: "fltap0",
  tag: { microvm: "default/vm1", interface: "eth1" },
};
const link: TapLink = {
  kind: "tun",
  name: "fltap9",
  index: 9,
  altNames: [],
  mtu: 1500,
  up: true,
  flags: 1,
  details: { type: "tap" },
  tag: {
    version: 1,
    owner: "flintap",
    createdAt: new Date(0),
    microvm: "default/vm1",
    interface: "eth1",
    guestMac: "02:00:00:00:00:01",
  },
};
const changes = [{ field: "bridge", from: undefined, to: "br0", repairable: true }];
const planOf = (...steps: PlanStep[]): Plan => ({ owner: "flintap", steps });

test("every step has the same fields, null for what is not there", () => {
  const [create, repair, remove] = planReport(
    planOf(
      { action: "create", device },
      { action: "repair", device, link, changes },
      { action: "remove", link },
    ),
  );
  expect(create).toEqual({
    action: "create",
    device: "fltap0",
    kind: "tap",
    index: null,
    guestMac: null,
    microvm: "default/vm1",
    interface: "eth1",
    changes: [],
  });
  expect(repair).toMatchObject({
    device: "fltap9",
    index: 9,
    changes: [{ field: "bridge", from: null, to: "br0", repairable: true }],
  });
  expect(remove).toMatchObject({ action: "remove", device: "fltap9", kind: "tap", index: 9 });
  for (const step of [repair, remove])
    expect(Object.keys(step ?? {})).toEqual(Object.keys(create ?? {}));
});

test("what was done is told with the devices as they are, and removals last", () => {
  const plan = planOf({ action: "create", device }, { action: "remove", link });
  const applied = {
    devices: [{ device, link, action: "adopt" as const, queues: [] }],
    removed: [link],
  };
  expect(appliedReport(plan, applied)).toMatchObject([
    { action: "adopt", device: "fltap9", index: 9, guestMac: "02:00:00:00:00:01" },
    { action: "remove", device: "fltap9" },
  ]);
});

test("a plan for people ends with what there is to do", () => {
  expect(planText(planOf({ action: "create", device }, { action: "adopt", device, link }))).toMatch(
    /^\+ create fltap0 .*\n= adopt fltap9 .*\n\nPlan: 1 to create, 1 as wanted\.$/,
  );
  expect(planText(planOf({ action: "adopt", device, link }))).toMatch(
    /\n\nNothing to do: 1 as wanted\.$/,
  );
  expect(planText(planOf())).toBe("Nothing to do: no device is wanted or there.");
});

test("what was done is counted in the past tense", () => {
  expect(summary(["remove", "create", "create", "replace"], "done")).toBe(
    "2 created, 1 replaced, 1 removed",
  );
  expect(["create", "adopt", "repair", "replace"].map((one) => doneWord(one as "adopt"))).toEqual([
    "created",
    "adopted",
    "repaired",
    "replaced",
  ]);
});

test("a plan for people has nothing in it that a terminal obeys", () => {
  const hostile = { ...link, name: "t\u202e", tag: link.tag && { ...link.tag, microvm: "a\nb" } };
  const from = "\u001b[2J";
  const change = { field: "tag.interface", from, to: "eth1", repairable: true };
  const text = planText(
    planOf(
      { action: "remove", link: hostile },
      { action: "repair", device, link, changes: [change] },
    ),
  );
  expect(text).toContain("- remove t\\u202e (tap) for a\\u000ab eth1\n");
  expect(text).toContain("tag.interface: \\u001b[2J -> eth1\n");
});
