/**
 * A watch while its system calls fail: an overrun of its socket, and then each call of the repair.
 * It tells of what happened meanwhile, or says that it can't watch any more.
 */
import { constants } from "node:os";
import { expect, onTestFinished } from "vitest";
import type { NativeFaults } from "../../src/addon.js";
import { FlintapError, type LinkEvent, type LinkWatch, NetworkNamespace } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { openDescriptors } from "../setup/descriptors.js";
import { ip } from "../setup/iproute2.js";
import { seam } from "../setup/seam.js";

const { ENOBUFS, EIO } = constants.errno;

/** A watch that knows of what is there, and waits. */
async function watching(): Promise<LinkWatch> {
  const namespace = NetworkNamespace.current();
  const watch = namespace.watchLinks();
  await watch.ready;
  await namespace.close();
  return watch;
}

/** What the watch says to a command of `ip`: its next event, or why it ended. */
async function said(watch: LinkWatch, command: string): Promise<LinkEvent | FlintapError> {
  const [told] = await Promise.allSettled([watch.next(), ip(command)]);
  if (told.status === "fulfilled") return told.value.value as LinkEvent;
  expect(told.reason).toBeInstanceOf(FlintapError);
  expect(told.reason).toMatchObject({ operation: "watchLinks" });
  return told.reason;
}

/** Makes a link; whether the watch tells of it, or else fails as it must. */
async function isTold(watch: LinkWatch): Promise<boolean> {
  const event = await said(watch, "link add made0 type bridge");
  if (event instanceof FlintapError) return false;
  expect(event).toMatchObject({ type: "added", link: { name: "made0" } });
  return true;
}

/** A run under faults: what failed, how many calls there were, and whether the watch tells all the same. */
async function run(
  errno: number,
  more: NativeFaults,
): Promise<{ calls: number; struck: string[]; told: boolean }> {
  const before = openDescriptors();
  const watch = await watching();
  seam().arm(0, errno, more);
  try {
    const told = await isTold(watch);
    return { ...seam().disarm(), told };
  } finally {
    seam().disarm();
    await watch.close();
    expect(openDescriptors()).toEqual(before);
    await ip("link del made0");
  }
}

const test = needs("seam", "bridge");

for (const firstOf of [["recvmsg"], ["recvmsg", "sendmsg"]]) {
  test(`an overrun is repaired, also when a call of the repair fails: ${firstOf}`, async () => {
    const repaired = await run(ENOBUFS, { firstOf });
    expect(repaired).toMatchObject({ struck: firstOf, told: true });
  });
}

test("an overrun is repaired or ends the watch, whichever other call fails", async () => {
  let calls = 0;
  for (let andAt = 1; calls >= andAt - 1; andAt++) {
    const ended = await run(ENOBUFS, { firstOf: ["recvmsg"], andAt });
    expect(ended.struck).not.toEqual([]);
    calls = ended.calls;
  }
});

test("a repair that fails again and again ends the watch, and says why", async () => {
  const watch = await watching();
  onTestFinished(() => watch.close());
  seam().arm(0, ENOBUFS, { firstOf: ["recvmsg"], refused: "sendmsg" });
  try {
    const failure = await said(watch, "link set lo alias changed");
    expect(failure).toMatchObject({ reason: "no-permission", code: "EPERM" });
  } finally {
    seam().disarm();
    await ip("link set lo alias", "");
  }
  expect(await watch.next()).toEqual({ done: true, value: undefined });
});

test("a socket that can't be read ends the watch, and says why", async () => {
  const ended = await run(EIO, { firstOf: ["recvmsg"] });
  expect(ended).toMatchObject({ struck: ["recvmsg"], told: false });
});
