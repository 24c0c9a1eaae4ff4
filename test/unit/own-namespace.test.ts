import { beforeEach, expect, test, vi } from "vitest";
import type { FakeAddon } from "./fake-addon.js";
import { failure, fakeAddon, fakeLink } from "./fake-addon.js";

const { loadAddon } = vi.hoisted(() => ({ loadAddon: vi.fn<() => FakeAddon>() }));
vi.mock("../../src/load-addon.js", () => ({ loadAddon }));

let flintap: typeof import("../../src/index.js");

beforeEach(async () => {
  loadAddon.mockReset();
  vi.resetModules();
  flintap = await import("../../src/index.js");
});

test("importing loads nothing, and all functions share one handle", async () => {
  const addon = fakeAddon({
    listLinks: () => ({ links: [fakeLink()] }),
    attachToBridge: () => ({ links: [fakeLink()] }),
    detachFromBridge: () => ({ links: [fakeLink()] }),
    setLink: () => ({ links: [fakeLink()] }),
    openTap: () => ({ fds: [7] }),
    openMacvtap: () => ({ fds: [8] }),
  });
  loadAddon.mockReturnValue(addon);
  expect(loadAddon).not.toHaveBeenCalled();
  await flintap.createMacvtap({ parent: "enp0" });
  await flintap.createTap();
  await flintap.createBridge();
  await flintap.createVeth();
  await flintap.attachToBridge("t0", "br0");
  await flintap.detachFromBridge("t0");
  await flintap.getLink("t0");
  await flintap.listLinks();
  await (await flintap.openMacvtap("m0")).close();
  await (await flintap.openTap("t0")).close();
  await flintap.setLink("t0", { mtu: 1_400 });
  await flintap.deleteLink("t0");
  await flintap.deleteLinks(["t1"]);
  expect(addon.operations()).toEqual([
    "describeHost",
    "createMacvtap",
    "createTap",
    "createBridge",
    "createVeth",
    "attachToBridge",
    "detachFromBridge",
    "getLink",
    "listLinks",
    "openMacvtap",
    "closeQueue",
    "openTap",
    "closeQueue",
    "setLink",
    "deleteLink",
    "deleteLink",
  ]);
  expect(addon.handles.opened).toBe(1);
});

test("where the addon cannot be loaded the call rejects, and the next one tries again", async () => {
  const missing = new flintap.FlintapError({
    errno: 0,
    reason: "addon",
    operation: "load",
    step: "look",
  });
  loadAddon.mockImplementationOnce(() => {
    throw missing;
  });
  await expect(flintap.getLink("t0")).rejects.toBe(missing);
  loadAddon.mockReturnValue(fakeAddon());
  await expect(flintap.getLink("t0")).resolves.toMatchObject({ kind: "tun" });
});

test("an error's stack leads to the caller", async () => {
  const script = {
    createTap: () => {
      throw failure({ operation: "createTap" });
    },
  };
  loadAddon.mockReturnValue(fakeAddon(script));
  async function provision(): Promise<void> {
    await flintap.createTap();
  }
  const error = await provision().catch((thrown: Error) => thrown);
  expect(error?.stack).toContain("provision");
});
