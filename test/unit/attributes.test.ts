import fc from "fast-check";
import { expect, test } from "vitest";
import { readAttributes, type UnknownAttribute } from "../../src/attributes.js";

/** As the kernel writes them, on a little-endian machine: length, type, payload, padding to 4. */
function written(attributes: UnknownAttribute[]): Uint8Array {
  return Buffer.concat(
    attributes.map(({ type, data }) => {
      const header = new Uint16Array([data.length + 4, type]);
      return Buffer.concat([
        new Uint8Array(header.buffer),
        data,
        Buffer.alloc((4 - (data.length % 4)) % 4),
      ]);
    }),
  );
}

test("attributes come out as they went in", () => {
  const attribute = fc.record({
    type: fc.integer({ min: 0, max: 0x3fff }),
    data: fc.uint8Array({ maxLength: 40 }),
  });
  fc.assert(
    fc.property(fc.array(attribute), (attributes) => {
      const read = readAttributes(written(attributes));
      expect(read.map(({ type, data }) => [type, [...data]])).toEqual(
        attributes.map(({ type, data }) => [type, [...data]]),
      );
    }),
  );
});

test("attributes in base64 are read as bytes are", () => {
  const bytes = written([
    { type: 99, data: Uint8Array.of(1, 2, 3) },
    { type: 100, data: Uint8Array.of() },
  ]);
  const base64 = Buffer.from(bytes).toString("base64");
  expect(readAttributes(base64)).toEqual(readAttributes(new Uint8Array(bytes)));
  expect(readAttributes(base64)).toHaveLength(2);
  expect(readAttributes("")).toEqual([]);
});

test("the flags of a nested attribute are no part of its type", () => {
  const [nested] = readAttributes(written([{ type: 0x8012, data: Uint8Array.of(1) }]));
  expect(nested?.type).toBe(0x12);
});

test("any bytes are read within their bounds, up to the first that are no attribute", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const total = readAttributes(bytes).reduce((sum, { data }) => sum + data.length + 4, 0);
      expect(total).toBeLessThanOrEqual(bytes.length);
    }),
  );
});
