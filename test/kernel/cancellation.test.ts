/** Operations that their callers give up, against the kernel. test/faults/ has every moment. */
import { describe, expect, onTestFinished } from "vitest";
import { NetworkNamespace } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { linkNames } from "../setup/iproute2.js";
import { removeLinks } from "../setup/stage.js";

describe("creates in one tick whose signal fires when the third is made", () => {
  needs("tun", "proc-sys")("are made, or rejected and not there", async () => {
    const namespace = NetworkNamespace.current();
    onTestFinished(() => namespace.close());
    const before = await linkNames();
    const controller = new AbortController();
    const { signal } = controller;
    // More than are made together: those that are settle together.
    const taps = Array.from({ length: 200 }, () => namespace.createTap({ signal }));
    await taps[2];
    controller.abort();
    const outcomes = await Promise.allSettled(taps);
    const made = outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value.name] : []));
    const reasons = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(new Set(reasons)).toEqual(new Set([signal.reason]));
    expect(made.length).toBeGreaterThanOrEqual(3);
    expect(await linkNames()).toEqual([...before, ...made].sort());
    await removeLinks(made);
  });
});
