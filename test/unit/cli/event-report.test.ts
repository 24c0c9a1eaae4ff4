import { expect, test } from "vitest";
import { eventReport, eventText } from "../../../src/cli/event-report.js";
import type { TapLink } from "../../../src/link.js";
import type { LinkField } from "../../../src/link-state.js";
import type { Tag } from "../../../src/tag.js";

const tag: Tag = {
  version: 1,
  owner: "flintap",
  createdAt: new Date(0),
  microvm: "default/vm1",
  interface: "eth1",
};
const link: TapLink = {
  kind: "tun",
  name: "fltap0",
  index: 9,
  altNames: [],
  mtu: 1500,
  up: true,
  flags: 1,
  details: { type: "tap" },
  tag,
};
const time = new Date("2026-01-10T00:00:00Z");
const nameOf = (index?: number) => (index === 3 ? "br0" : undefined);

function changed(previous: Partial<TapLink>, now: Partial<TapLink>, changes: LinkField[]) {
  const event = {
    type: "changed" as const,
    previous: { ...link, ...previous },
    link: { ...link, ...now },
    changes,
    selected: true,
  };
  const report = eventReport(event, time, nameOf);
  return { report, text: eventText(report) };
}

test("a device that came is one line, or one object", () => {
  const report = eventReport({ type: "added", link, initial: false }, time, nameOf);
  expect(report).toEqual({
    time: "2026-01-10T00:00:00.000Z",
    event: "added",
    device: "fltap0",
    kind: "tap",
    index: 9,
    microvm: "default/vm1",
    interface: "eth1",
    owner: "flintap",
    changes: [],
  });
  expect(eventText(report)).toBe(
    "2026-01-10T00:00:00.000Z  added    fltap0  tap  default/vm1 eth1",
  );
});

test("a change says what was and what is, and places by name", () => {
  const { report, text } = changed(
    { mtu: 1400, master: 3, flags: 2 },
    { master: 4, portKind: undefined },
    ["mtu", "master", "flags"],
  );
  expect(report.changes).toEqual([
    { field: "mtu", from: 1400, to: 1500 },
    { field: "master", from: "br0", to: "index 4" },
    { field: "flags", from: 2, to: 1 },
  ]);
  expect(text).toMatch(/ {2}mtu: 1400 -> 1500, master: br0 -> index 4$/);
});

test("values that do not fit into a line are left out, and what is not there is null", () => {
  const { report, text } = changed({ alias: "x", ipv6: { state: "closed" } }, {}, [
    "altNames",
    "alias",
    "ipv6",
  ]);
  expect(report.changes).toEqual([
    { field: "altNames" },
    { field: "alias", from: "x", to: null },
    { field: "ipv6", from: "closed", to: null },
  ]);
  expect(text).toMatch(/ {2}ipv6: closed -> nothing$/);
  expect(changed({ alias: "x" }, {}, ["altNames", "alias"]).text).toMatch(/ {2}altNames, alias$/);
});

test("a device that lost its tag is known by the one it had", () => {
  const { report } = changed({}, { tag: undefined }, ["alias"]);
  expect(report).toMatchObject({ microvm: "default/vm1", owner: "flintap" });
});

test("a guest that lost its device is noted, a device of no guest is not", () => {
  const text = (of: TapLink) => eventText(eventReport({ type: "removed", link: of }, time, nameOf));
  expect(text(link)).toMatch(/its guest has lost it\)$/);
  expect(text({ ...link, tag: { ...tag, microvm: undefined } })).toMatch(/ {2}tap {2}eth1$/);
});

test("a line has nothing in it that a terminal obeys, an object is as it is", () => {
  const pwned = { ...tag, microvm: "\u001b[2Jpwned\nX", interface: "e\u202eth" };
  const { report, text } = changed({}, { name: "a\u009bb", tag: pwned }, ["name"]);
  expect(text).toContain("a\\u009bb  tap  \\u001b[2Jpwned\\u000aX e\\u202eth");
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(report.microvm).toBe(pwned.microvm);
});
