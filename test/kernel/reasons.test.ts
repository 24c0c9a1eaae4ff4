/** The reasons that the addon gives are those that src/reasons.ts explains. */
import { expect, test } from "vitest";
import { loadAddon } from "../../src/load-addon.js";
import { reasons } from "../../src/reasons.js";

test("every reason of the addon is explained, and no other", () => {
  expect(loadAddon().reasons.toSorted()).toEqual(Object.keys(reasons).toSorted());
});
