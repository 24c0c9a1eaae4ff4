import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { InvalidDocumentError } from "../../../src/flintlock/invalid-document.js";
import { parseSpec, parseSpecs } from "../../../src/flintlock/spec.js";
import { fixture, refusal } from "./fixture.js";

const mac = "02:00:00:00:00:01";

/** A flintlock spec with one interface. */
function flintlock(id: string, guest_mac?: string): string {
  return stringify({ id, interfaces: [{ device_id: "eth1", guest_mac }] });
}

function object(kind: string, name: string, guestMac?: string, namespace?: string): string {
  const spec = { networkInterfaces: [{ guestDeviceName: "eth1", type: "tap", guestMac }] };
  return stringify({
    apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha1",
    kind,
    metadata: { name, namespace },
    spec: kind === "MicrovmMachine" ? spec : { template: { spec } },
  });
}

const machine = object.bind(undefined, "MicrovmMachine");
const template = object.bind(undefined, "MicrovmMachineTemplate");

function documents(...texts: string[]): string {
  return texts.join("---\n");
}

describe("a text with several descriptions", () => {
  test("gives all of them in order, of whatever kind", () => {
    const text = documents(flintlock("a"), "kind: Pod\n", template("b"), machine("c"));
    expect(parseSpecs(text)).toMatchObject([
      { kind: "flintlock", id: "a" },
      { kind: "MicrovmMachineTemplate", name: "b" },
      { kind: "MicrovmMachine", id: "c", name: "c" },
    ]);
  });

  test("may be fragments without an id", () => {
    const [spec] = parseSpecs(fixture("tap.json"));
    expect(spec).toEqual({
      kind: "flintlock",
      namespace: "default",
      interfaces: [{ deviceId: "eth1", type: "tap" }],
    });
  });

  test("is one microVM where the name says which", () => {
    const text = documents(flintlock("a"), template("b"), machine("c", mac, "ns1"));
    expect(parseSpec(text, { name: "a" })).toMatchObject({ id: "a" });
    expect(parseSpec(text, { name: "b", id: "vm" })).toMatchObject({ id: "vm" });
    expect(parseSpec(text, { name: "c" })).toMatchObject({ id: "c", namespace: "ns1" });
  });

  test("is no one microVM otherwise, and the refusal lists which there are", () => {
    const text = documents(flintlock("a"), machine("b"));
    expect(refusal(() => parseSpec(text))).toEqual([
      "  expected one microVM, or the name of one as an option, received document 1, MicrovmMachine b",
    ]);
    expect(refusal(() => parseSpec(text, { name: "c" }))).toEqual([
      '  option name: expected one of document 1, MicrovmMachine b, received "c"',
    ]);
  });

  test("lists no more than can be read", () => {
    const text = documents(...Array.from({ length: 30 }, (_, at) => machine(`m${at}`)));
    expect(refusal(() => parseSpec(text))[0]).toMatch(/MicrovmMachine m19 and 10 more$/);
  });

  test("is refused for a fault in any of them, also if another is meant", () => {
    const text = documents(machine("a"), machine("b", "01:00:00:00:00:00"), "c: [\n");
    expect(refusal(() => parseSpec(text, { name: "a" }))).toEqual([
      expect.stringContaining("expected YAML"),
      expect.stringMatching(/^ {2}MicrovmMachine b: spec.networkInterfaces\[0\].guestMac: /),
    ]);
  });

  test.each([
    ["nothing", "# a comment\n---\n", "nothing"],
    ["other kinds only", "kind: Pod\n---\nkind: Pod\n---\napiVersion: v1\n", '"Pod", nothing'],
    ["a List of others", '{"kind": "List", "items": [{"kind": "Pod"}, 7]}', '"Pod"'],
  ])("is refused with %s in it", (_, text, received) => {
    const expected = "a flintlock spec, a MicrovmMachine or a MicrovmMachineTemplate";
    const lines = [`  expected ${expected}, received ${received}`];
    expect(refusal(() => parseSpecs(text))).toEqual(lines);
    expect(refusal(() => parseSpec(text))).toEqual(lines);
  });
});

describe("two descriptions", () => {
  test("may not be of the same microVM, whatever their form", () => {
    const text = documents(flintlock("a"), machine("a"), machine("a", undefined, "ns1"));
    expect(refusal(() => parseSpecs(text))).toEqual([
      '  MicrovmMachine a (document 2): metadata.name: expected a name of its own, received "a" (document 1 has it)',
    ]);
  });

  test("may not be templates of the same name", () => {
    const text = documents(template("a"), template("a"), machine("a"));
    expect(refusal(() => parseSpecs(text))).toEqual([
      '  MicrovmMachineTemplate a (document 2): metadata.name: expected a name of its own, received "a" (MicrovmMachineTemplate a (document 1) has it)',
    ]);
  });

  test("may be of microVMs that differ in their uid", () => {
    const entry = "interfaces: []\n";
    expect(
      parseSpecs(documents(`id: a\nuid: u\n${entry}`, `id: a\nuid: v\n${entry}`)),
    ).toHaveLength(2);
  });

  test.each([
    ["machines", machine("a", mac), machine("b", mac.replaceAll(":", "-"))],
    ["templates", template("a", mac), template("b", mac)],
  ])("may not be %s with the same guest MAC", (_, first, second) => {
    const lines = refusal(() => parseSpecs(documents(first, second)));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /b: spec.*networkInterfaces\[0\].guestMac: expected one of its own, received "02:00:00:00:00:01" \(\w+ a: spec.*guestMac has it\)$/,
    );
  });

  test("may not be flintlock specs with the same guest MAC", () => {
    expect(refusal(() => parseSpecs(documents(flintlock("a", mac), flintlock("b", mac))))).toEqual([
      `  document 2: interfaces[0].guest_mac: expected one of its own, received "${mac}" (document 1: interfaces[0].guest_mac has it)`,
    ]);
  });

  test("may be a machine with the MAC of the template that it was made from", () => {
    expect(parseSpecs(documents(template("a", mac), machine("b", mac)))).toHaveLength(2);
  });
});

describe("whatever the text", () => {
  const words =
    "kind: |MicrovmMachine|MicrovmMachineTemplate|apiVersion: |spec:|interfaces:|device_id: e|" +
    "- | |{|}|[|]|:|,|\"|'|&a |*a|<<: |!!set |!!binary |? |#|null|0x1f|__proto__: |//|/*";
  const lines = ["---\n", "...\n", "%YAML 1.1\n", "\n", "|\n", "\0", "\uFEFF", "\u202E"];
  const fragments = fc.constantFrom(...words.split("|"), ...lines);
  const junk = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(fragments, { maxLength: 60 }).map((parts) => parts.join("")),
    fc.anything({ maxDepth: 4 }).map((value) => JSON.stringify(value) ?? ""),
    fc
      .array(fc.object(), { maxLength: 3 })
      .map((values) => values.map((value) => JSON.stringify(value)).join("\n---\n")),
  );

  test("it is read or refused, in lines that a terminal can show", () => {
    fc.assert(
      fc.property(junk, (text) => {
        for (const read of [parseSpecs, parseSpec]) {
          try {
            read(text);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidDocumentError);
            expect(String(error)).not.toMatch(/[^\P{Cc}\n]|[\u202E\u2028\u2029]/u);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("anything but a text is a wrong argument", () => {
    const bytes = Buffer.from("interfaces: []") as unknown as string;
    const expected = expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" });
    expect(() => parseSpec(bytes)).toThrow(expected);
    expect(() => parseSpecs(bytes)).toThrow(expected);
  });
});
