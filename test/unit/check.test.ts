import { describe, expect, test } from "vitest";
import { abortSignal, arrayOf, boolean, integer, object, oneOf, string } from "../../src/check.js";

const place = { call: "createTap", argument: "options" };

describe("an argument error", () => {
  test("says what was expected, where, and what came instead", () => {
    const check = object({ mtu: integer(1, 9000) });
    expect(() => check({ mtu: "big" }, place)).toThrow(
      "Expected an integer from 1 to 9000 for `createTap` option `mtu` but received 'big' of type string",
    );
  });

  test("names a nested option by its path", () => {
    const check = object({ tag: object({ microvm: string }) });
    expect(() => check({ tag: { microvm: 7 } }, place)).toThrow(
      "Expected a string for `createTap` option `tag.microvm` but received 7 of type number",
    );
  });

  test("names an array's element by its position", () => {
    const check = object({ sourceMacs: arrayOf(string) });
    expect(() => check({ sourceMacs: ["a", 1] }, place)).toThrow("option `sourceMacs.1`");
  });

  test("is a TypeError with ERR_INVALID_ARG_TYPE for a wrong type", () => {
    expect(() => boolean(1, place)).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_INVALID_ARG_TYPE" }),
    );
  });

  test("is a TypeError with ERR_INVALID_ARG_VALUE for a value that cannot be", () => {
    expect(() => oneOf("bridge", "vepa")("brige", place)).toThrow(
      expect.objectContaining({
        name: "TypeError",
        code: "ERR_INVALID_ARG_VALUE",
        message: expect.stringContaining("one of 'bridge', 'vepa'"),
      }),
    );
  });

  test.each([0, 11, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "is a RangeError with ERR_OUT_OF_RANGE for %d outside 1 to 10",
    (value) => {
      expect(() => integer(1, 10)(value, place)).toThrow(
        expect.objectContaining({ name: "RangeError", code: "ERR_OUT_OF_RANGE" }),
      );
    },
  );

  test("cuts a long value short", () => {
    const check = () => boolean("x".repeat(10_000), place);
    expect(check).toThrow(expect.objectContaining({ message: expect.toSatisfy(isShort) }));
  });
});

function isShort(message: string): boolean {
  return message.length < 300;
}

test("a hole in an array is no element", () => {
  const holed = ["a", "b"];
  delete holed[0];
  expect(() => arrayOf(string)(holed, place)).toThrow("a string for `createTap` option `0`");
});

test.each([{ aborted: false }, { ...AbortSignal.abort() }, new EventTarget(), "now"])(
  "%j is no signal",
  (value) => {
    expect(() => abortSignal(value, place)).toThrow("Expected an AbortSignal");
  },
);

describe("an object of options", () => {
  const check = object({ parent: string, mtu: integer(1, 9000) }, ["parent"]);

  test("refuses an option that does not exist and lists those that do", () => {
    expect(() => check({ parent: "enp0", mtuu: 5 }, place)).toThrow(
      expect.objectContaining({
        code: "ERR_INVALID_ARG_VALUE",
        message: expect.stringContaining("(parent, mtu) for `createTap` option `mtuu`"),
      }),
    );
  });

  test("refuses a required option that is missing", () => {
    expect(() => check({}, place)).toThrow(
      "Expected a string for `createTap` option `parent` but received undefined",
    );
  });

  test("takes an undefined option for one that was not set", () => {
    expect(Object.keys(check({ parent: "enp0", mtu: undefined }, place))).toEqual(["parent"]);
  });

  test.each([[null], [5], ["x"], [[]]])("refuses %j in its place", (value) => {
    expect(() => check(value, place)).toThrow("an object for `createTap` argument `options`");
  });

  test("takes nothing from Object.prototype, in what it looks at and in what it gives", () => {
    const prototype = Object.prototype as { mtu?: number };
    prototype.mtu = 5;
    try {
      expect(check({ parent: "enp0" }, place).mtu).toBeUndefined();
    } finally {
      delete prototype.mtu;
    }
  });

  test("gives a copy", () => {
    const given = { parent: "enp0" };
    const checked = check(given, place);
    given.parent = "other";
    expect(checked.parent).toBe("enp0");
  });
});
