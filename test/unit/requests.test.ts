import { describe, expect, test } from "vitest";
import * as requests from "../../src/requests.js";
import { fakeLink } from "./fake-addon.js";

describe("the other calls", () => {
  test("attachToBridge leaves the port alone unless a setting is named", () => {
    expect(requests.attachRequest("t0", "br0", {})).toEqual({
      link: { name: "t0" },
      bridge: { name: "br0" },
      force: false,
    });
    expect(requests.attachRequest("t0", "br0", { flood: false, force: true })).toEqual({
      link: { name: "t0" },
      bridge: { name: "br0" },
      port: { flood: false },
      force: true,
    });
  });

  test("attachToBridge says which of its links is wrong", () => {
    expect(() => requests.attachRequest("t0", undefined, {})).toThrow("argument `bridge`");
    expect(() => requests.attachRequest(undefined, "br0", {})).toThrow("argument `link`");
  });

  test("deleteLink hands the owner's prefix over and is not forced by default", () => {
    expect(requests.deleteRequest("t0", {}, "flintap1;me;")).toEqual({
      link: { name: "t0" },
      tagPrefix: "flintap1;me;",
      force: false,
    });
  });

  test("detachFromBridge, getLink, openTap and openMacvtap address a held link by its identity", () => {
    const held = fakeLink({ identity: "flintap-x" });
    const link = { identity: "flintap-x", name: held.name };
    expect(requests.detachRequest(held, {})).toEqual({ link });
    expect(requests.getLinkRequest(held, {})).toEqual({ link, statistics: false, unknown: false });
    expect(requests.openTapRequest(held, {})).toEqual({ link });
    expect(requests.openMacvtapRequest(held, {})).toEqual({ link, additionalQueue: false });
  });
});

describe("listLinks", () => {
  test("asks for nothing that was not named", () => {
    expect(requests.listRequest({}).request).toEqual({ statistics: false, unknown: false });
  });

  test("names links as every call does", () => {
    const held = fakeLink({ identity: "flintap-x" });
    expect(requests.listRequest({ kind: "", master: held, parent: "enp0" }).request).toEqual({
      kind: "",
      master: { identity: "flintap-x", name: held.name },
      parent: { name: "enp0" },
      statistics: false,
      unknown: false,
    });
  });

  test.each([
    [{}, true],
    [{ owner: "me" }, true],
    [{ owner: "you" }, false],
  ])("looks for the owner in the tag: %j", (options, expected) => {
    const tag = { version: 1, owner: "me", createdAt: new Date() } as const;
    expect(requests.listRequest(options).matches(fakeLink({ tag }))).toBe(expected);
  });

  test.each([
    [{ owner: "a;b" }, { aliasPrefix: "flintap1;a%3bb;" }],
    [{ tag: {} }, { aliasPrefix: "flintap1;" }],
    [
      { owner: "me", tag: { microvm: "ns/vm 1", interface: "eth1" } },
      { aliasPrefix: "flintap1;me;", aliasFields: ["m=ns/vm%201", "i=eth1"] },
    ],
    [
      { tag: { guestMac: "02-00-00-00-00-0A" } },
      { aliasPrefix: "flintap1;", aliasFields: ["g=02:00:00:00:00:0a"] },
    ],
  ])("has the native side look for what a tag's alias has: %j", (options, expected) => {
    expect(requests.listRequest(options).request).toEqual({
      ...expected,
      statistics: false,
      unknown: false,
    });
  });

  test.each([
    [{ tag: {} }, true],
    [{ tag: { microvm: "vm" } }, true],
    [{ tag: { microvm: "vm", interface: "eth1" } }, false],
    [{ tag: { microvm: "other" } }, false],
    [{ owner: "you", tag: { microvm: "vm" } }, false],
  ])("looks for the parts in the tag: %j", (options, expected) => {
    const tag = { version: 1, owner: "me", createdAt: new Date(), microvm: "vm" } as const;
    const { matches } = requests.listRequest(options);
    expect(matches(fakeLink({ tag }))).toBe(expected);
    expect(matches(fakeLink())).toBe(false);
  });

  test("refuses a part that no tag has", () => {
    expect(() => requests.listRequest({ tag: { microVM: "vm" } })).toThrow("`tag.microVM`");
    expect(() => requests.watchRequest({ tag: { microVM: "vm" } })).toThrow("`tag.microVM`");
  });
});
