import { describe, expect, test } from "vitest";
import { loadConfig, misspelt, parseConfig } from "../../../src/flintlock/config.js";
import { fixturePath, refusal } from "./fixture.js";

describe("config.yaml", () => {
  test("gives both keys, and leaves flintlockd's own alone", async () => {
    const config = await loadConfig(fixturePath("config.yaml"));
    expect(config).toEqual({ parentIface: "enp0", bridgeName: "br0" });
  });

  test.each([
    ["either", "bridge-name: br0", { bridgeName: "br0" }],
    ["none", "verbosity: 9", {}],
    ["an empty one", "parent-iface:\nbridge-name: ''", {}],
    ["no content at all", "# nothing\n", {}],
    ["several bridges", "bridge-name: [br0, br1]", { bridgeName: ["br0", "br1"] }],
    ["a list of one", "bridge-name:\n- br0\n", { bridgeName: ["br0"] }],
    ["JSON, which is YAML too", '{"parent-iface": "enp0"}', { parentIface: "enp0" }],
  ])("may have %s", (_, text, expected) => {
    expect(parseConfig(text)).toEqual(expected);
  });

  test("refuses both keys at once, each with what was found", () => {
    const text = "parent-iface: 7\nbridge-name: br 0";
    expect(refusal(() => parseConfig(text, "config.yaml"))).toEqual([
      "  parent-iface: expected the name of an interface of the host, received 7",
      '  bridge-name: expected the name of an interface of the host, received "br 0" (no name that a link can have)',
    ]);
  });

  test("refuses a list of bridges with what is wrong in it", () => {
    const text = "bridge-name: [br0, br 1, br0, 7, ~, '', [br2]]";
    const name = "expected the name of an interface of the host, received";
    expect(refusal(() => parseConfig(text))).toEqual([
      `  bridge-name[1]: ${name} "br 1" (no name that a link can have)`,
      `  bridge-name[3]: ${name} 7`,
      `  bridge-name[4]: ${name} nothing`,
      `  bridge-name[5]: ${name} nothing`,
      `  bridge-name[6]: ${name} a list`,
    ]);
    expect(refusal(() => parseConfig("bridge-name: [br0, br1, br0, br1]"))).toEqual([
      '  bridge-name[2]: expected each bridge once, received "br0" again',
      '  bridge-name[3]: expected each bridge once, received "br1" again',
    ]);
    expect(refusal(() => parseConfig("bridge-name: []"))).toEqual([
      "  bridge-name: expected a bridge, or a list of at least one, received a list",
    ]);
    expect(refusal(() => parseConfig("parent-iface: [enp0, enp1]"))).toEqual([
      `  parent-iface: ${name} a list`,
    ]);
  });

  test("refuses a placeholder that is not filled in", () => {
    const unfilled = `$\{BRIDGE}`;
    expect(refusal(() => parseConfig(`bridge-name: "${unfilled}"`))).toEqual([
      `  bridge-name: expected the name of an interface of the host, received "${unfilled}" (a placeholder that is not filled in)`,
    ]);
  });

  test("refuses a microVM's spec", () => {
    expect(refusal(() => parseConfig('{"id": "vm", "interfaces": []}'))).toEqual([
      "  expected flintlockd's config, received an object (looks like a microVM's spec)",
    ]);
  });

  test.each([
    [
      "parent_iface: enp0\nbridgeName: br0",
      ["parent_iface parent-iface", "bridgeName bridge-name"],
    ],
    ["parent-interface: enp0", ["parent-interface parent-iface"]],
    ["parent-iface: enp0\nparentIface: enp1", []],
    ["verbosity: 9", []],
    ["", []],
  ])("tells keys that are misspelt: %j", (text, found) => {
    expect(misspelt(text).map(({ key, meant }) => `${key} ${meant}`)).toEqual(found);
  });

  test("refuses a list", () => {
    expect(refusal(() => parseConfig("- enp0"))).toEqual([
      "  expected keys and their values, received a list",
    ]);
  });

  test("is one document", () => {
    expect(refusal(() => parseConfig("bridge-name: br0\n---\nbridge-name: br1\n"))).toEqual([
      "  line 2, column 1: expected one document, received another one",
    ]);
  });

  test("gets nothing by way of a prototype", () => {
    expect(parseConfig("__proto__: { bridge-name: br0 }\nconstructor: 7")).toEqual({});
    expect(parseConfig('{"__proto__": {"bridge-name": "br0"}}')).toEqual({});
  });
});
