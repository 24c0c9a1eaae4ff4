/** src/link.ts says of every field which attribute of the kernel it is, as the core's tables have it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** The record of a table, and the interfaces that its fields stand in. */
const tables = [
  { file: "link_schema.cc", record: "Link", interfaces: ["LinkBase"] },
  {
    file: "kinds/bridge.cc",
    record: "BridgePort",
    interfaces: ["BridgePort", "BridgePortSettings"],
  },
  { file: "kinds/bridge.cc", record: "Bridge", interfaces: ["BridgeDetails"] },
  { file: "kinds/macvtap.cc", record: "Macvtap", interfaces: ["MacvtapDetails"] },
  { file: "kinds/tun.cc", record: "Tun", interfaces: ["TunDetails"] },
];

function attributes(file: string, record: string): Map<string, string> {
  const source = readFileSync(new URL(`../../native/core/link/${file}`, import.meta.url), "utf8");
  const row = new RegExp(`field<&${record}::[^>]*>\\(\\s*"(\\w+)",\\s*(IFLA_\\w+)`, "g");
  return new Map(Array.from(source.matchAll(row), ([, name = "", number = ""]) => [name, number]));
}

/** The comment above each field of the interfaces. */
function comments(interfaces: string[]): Map<string, string> {
  const source = readFileSync(new URL("../../src/link.ts", import.meta.url), "utf8");
  const bodies = interfaces.map(
    (name) => new RegExp(`export interface ${name} .*?\\n}`, "s").exec(source)?.[0] ?? "",
  );
  const field = /\/\*\*((?:(?!\*\/).)*)\*\/\s*(\w+)\??:/gs;
  return new Map(
    Array.from(bodies.join("\n").matchAll(field), ([, comment = "", name = ""]) => [name, comment]),
  );
}

test.each(tables)(
  "the fields of $interfaces name their attributes",
  ({ file, record, interfaces }) => {
    const told = comments(interfaces);
    const known = attributes(file, record);
    expect(known.size).toBeGreaterThan(2);
    for (const [name, number] of known) expect(told.get(name)).toContain(`\`${number}\``);
  },
);
