import { expect, test } from "vitest";
import { createTapRequest } from "../../src/create-requests.js";
import type { LinkBase } from "../../src/link.js";
import { completeLink, linkOf } from "../../src/native-link.js";
import { fakeLink } from "./fake-addon.js";

/** As the native side gives it. */
function counted(statistics: Record<string, string>): LinkBase {
  return fakeLink({ statistics: statistics as unknown as NonNullable<LinkBase["statistics"]> });
}

test("counters become bigints, in full", () => {
  const link = counted({ rxPackets: "0", txBytes: "18446744073709551615" });
  completeLink(link);
  expect(link.statistics).toEqual({ rxPackets: 0n, txBytes: 18446744073709551615n });
});

test("an alias that is a tag is told as one besides", () => {
  const { link } = createTapRequest({ tag: { microvm: "vm0" } })({
    owner: "me",
    bootId: "boot",
    machineId: undefined,
    now: new Date(0),
  } as never);
  const made = fakeLink({ alias: link.alias });
  completeLink(made);
  expect(made.tag).toMatchObject({ owner: "me", microvm: "vm0" });
  expect(made.alias).toBe(link.alias);
});

test("any other link stays as it is", () => {
  for (const alias of [undefined, "", "somebody's"]) {
    const link = fakeLink({ alias });
    completeLink(link);
    expect(link).toEqual(fakeLink({ alias }));
    expect(link).not.toHaveProperty("tag");
    expect(link).not.toHaveProperty("statistics");
  }
});

test("fewer links than an operation has are an error", () => {
  expect(() => linkOf(undefined)).toThrow("fewer links");
});
