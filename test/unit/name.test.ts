import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { existingLinkName, filledName, newLinkName, randomName } from "../../src/name.js";

const place = { call: "createTap", argument: "options", option: "name" };

describe("a new link's name", () => {
  test.each(["a", "fltap0123456789", "br-lan.100", "eth0@x", "ünïcode"])("may be %j", (name) => {
    expect(newLinkName(name, place)).toBe(name);
  });

  test.each([
    ["", "1 to 15 bytes, and not of 0"],
    ["sixteen-bytes-xx", "1 to 15 bytes, and not of 16"],
    ["üüüüüüüü", "1 to 15 bytes, and not of 16"],
    [".", "another name"],
    ["..", "another name"],
    ["a/b", "without '/' and ':'"],
    ["a:b", "without '/' and ':'"],
    ["a b", "white space"],
    ["a\tb", "white space"],
    ["a\u0000b", "control characters"],
    ["a\u007fb", "control characters"],
    ["a\ud800", "broken UTF-16"],
    ["tap%d", "without '%'"],
  ])("may not be %j", (name, expected) => {
    expect(() => newLinkName(name, place)).toThrow(
      expect.objectContaining({
        code: "ERR_INVALID_ARG_VALUE",
        message: expect.stringContaining(expected),
      }),
    );
  });

  test("may not have the byte 0xa0, which the kernel takes for white space", () => {
    expect(Buffer.from("à")).toEqual(Buffer.from([0xc3, 0xa0]));
    expect(() => newLinkName("à", place)).toThrow("white space");
  });

  test("is a string", () => {
    expect(() => newLinkName(5, place)).toThrow("a string");
  });
});

describe("an existing link's name", () => {
  test("may be an alt name of 127 bytes, and no longer", () => {
    expect(existingLinkName("x".repeat(127), place)).toHaveLength(127);
    expect(() => existingLinkName("x".repeat(128), place)).toThrow("1 to 127 bytes");
  });

  test("may have a '%'", () => {
    expect(existingLinkName("a%b", place)).toBe("a%b");
  });
});

describe("a made-up name", () => {
  test.each([
    ["macvtap", /^flvtap[0-9a-f]{9}$/],
    ["tap", /^fltap[0-9a-f]{10}$/],
    ["bridge", /^flbr[0-9a-f]{11}$/],
    ["veth", /^flveth[0-9a-f]{9}$/],
  ] as const)("of a %s fills all 15 bytes and is one the kernel takes", (kind, pattern) => {
    const name = randomName(kind);
    expect(name).toMatch(pattern);
    expect(newLinkName(name, place)).toBe(name);
  });

  test("is another one each time", () => {
    expect(new Set(Array.from({ length: 500 }, () => randomName("tap"))).size).toBe(500);
  });

  test("never has more than 15 bytes", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z]{1,10}$/),
        fc.stringMatching(/^[0-9a-f]{20}$/),
        (a, b) => {
          expect(filledName(a, b)).toHaveLength(15);
        },
      ),
    );
  });
});
