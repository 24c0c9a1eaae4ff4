import { describe, expect, test } from "vitest";
import { linkReference } from "../../src/reference.js";
import { fakeLink } from "./fake-addon.js";

const place = { call: "getLink", argument: "link" };

describe("a link", () => {
  test("is addressed by its name", () => {
    expect(linkReference("br0", place)).toEqual({ name: "br0" });
  });

  test("is addressed by its alt name, which may be long", () => {
    const name = "a".repeat(127);
    expect(linkReference(name, place)).toEqual({ name });
  });

  test("is addressed by its index", () => {
    expect(linkReference(2 ** 31 - 1, place)).toEqual({ index: 2 ** 31 - 1 });
  });

  test("that flintap made is addressed by its identity alone", () => {
    const held = fakeLink({ identity: "flintap-x" });
    expect(linkReference(held, place)).toEqual({
      identity: "flintap-x",
      name: held.name,
    });
  });

  test("that somebody else made is addressed by index and name together", () => {
    const held = fakeLink({ index: 3, name: "eth0" });
    expect(linkReference(held, place)).toEqual({ index: 3, name: "eth0" });
  });
});

test("a link says in which namespace it was read", () => {
  const where = { namespace: 4_026_531_840 };
  expect(linkReference(fakeLink({ ...where, identity: "flintap-x" }), place)).toMatchObject(where);
  expect(linkReference(fakeLink({ ...where, index: 3 }), place)).toMatchObject(where);
});

describe("what names no link", () => {
  test.each([[undefined], [null], [true], [{}], [{ index: 3 }], [{ name: "a" }], [() => "a"]])(
    "such as %j, is a TypeError that says what does",
    (value) => {
      expect(() => linkReference(value, place)).toThrow(
        expect.objectContaining({
          code: "ERR_INVALID_ARG_TYPE",
          message: expect.stringContaining(
            "a link's name, its index, or a link that an earlier call gave for `getLink` argument `link`",
          ),
        }),
      );
    },
  );

  test.each([0, -1, 2 ** 31, 1.5])("such as index %d, is out of range", (index) => {
    expect(() => linkReference(index, place)).toThrow(
      expect.objectContaining({ code: "ERR_OUT_OF_RANGE" }),
    );
  });

  test.each(["", "a b", "a/b", "x".repeat(128)])("such as %j, is an invalid value", (name) => {
    expect(() => linkReference(name, place)).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }),
    );
  });
});
