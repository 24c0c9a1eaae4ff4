import { describe, expect, test } from "vitest";
import { setRequest } from "../../src/requests.js";
import { tagMark, tagPrefix } from "../../src/tag.js";

const request = (changes: unknown, options: unknown = {}) => setRequest("t0", changes, options);

describe("setLink asks", () => {
  test("for what is named, and nothing else", () => {
    const fields = {
      name: "t1",
      alias: "a".repeat(255),
      mtu: 1_400,
      txQueueLength: 1,
      up: false,
      promiscuous: true,
    };
    const others = {
      addAltNames: ["t0", "n".repeat(127)],
      removeAltNames: ["old"],
      hostIPv6: "reduced",
    };
    const changes = { ...fields, ...others, mac: "02-00-00-00-00-0A" };
    expect(request(changes, { force: true })).toEqual({
      link: { name: "t0" },
      changes: { ...fields, mac: "02:00:00:00:00:0a" },
      ...others,
      tagMark: "flintap1;",
      force: true,
    });
    expect(request({ alias: "" })).toEqual({
      link: { name: "t0" },
      changes: { alias: "" },
      tagMark: "flintap1;",
      force: false,
    });
  });

  test("about a held link by its identity", () => {
    const held = { identity: "flintap-7", name: "t0", index: 7, namespace: 4 };
    expect(setRequest(held, { up: true }, {}).link).toEqual({
      identity: "flintap-7",
      name: "t0",
      namespace: 4,
    });
  });
});

describe("setLink refuses", () => {
  const fields = /name, addAltNames, removeAltNames, alias, mac, mtu, .*, hostIPv6/;
  test.each([
    [{}, fields],
    [{ addAltNames: [], removeAltNames: [] }, fields],
    [{ mtu: undefined, up: undefined }, fields],
    [null, /an object/],
    [{ txQueueLength: 0 }, /from 1 to/],
    [{ mtu: 0 }, /from 1 to/],
    [{ up: 1 }, /a boolean/],
    [{ hostIPv6: "shut" }, /one of/],
    [{ alias: "\u00e4".repeat(128) }, /255 bytes/],
    [{ alias: "a\0" }, /without NUL/],
    [{ alias: "\ud800" }, /UTF-16/],
    [{ name: "all" }, /another name/],
    [{ addAltNames: "a" }, /an array/],
    [{ addAltNames: ["n".repeat(128)] }, /1 to 127 bytes/],
    [{ addAltNames: ["flintap-x"] }, /another alt name/],
    [{ removeAltNames: ["flintap-x"] }, /another alt name/],
    [{ addAltNames: ["a", "b"], removeAltNames: ["b"] }, /no name that is to be added/],
    [{ master: "br0" }, /an option that exists/],
  ])("%j", (changes, words) => {
    expect(() => request(changes)).toThrow(words);
    expect(() => request(changes)).toThrow(/`setLink`/);
  });

  test("an option that does not exist", () => {
    expect(() => request({ up: true }, { forced: true })).toThrow(/an option that exists/);
  });
});

test("a tag of any owner begins with the mark", () => {
  for (const owner of ["flintap", "a;b", "x"]) expect(tagPrefix(owner)).toMatch(tagMark);
});
