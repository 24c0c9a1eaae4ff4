/**
 * Sockets while their system calls fail, each in turn: a call succeeds or says why not, nothing stays
 * open, and what was to be sent is the caller's or the other end's, never nobody's.
 */
import { readdirSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { setImmediate } from "node:timers/promises";
import { expect } from "vitest";
import { type Descriptor, FdSocket, FlintapError } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { type FaultyRun, failEveryCall, withFaults } from "../setup/seam.js";

const { EIO, EMFILE } = constants.errno;

const test = needs("seam");

function sockets(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}

/** A pair that could not be made is closed in a moment. */
async function until(before: number, at: string): Promise<void> {
  for (let turns = 0; sockets() > before && turns < 10_000; turns++) await setImmediate();
  expect(sockets(), at).toBe(before);
}

async function closeAll(all: readonly (Descriptor | FdSocket | undefined)[]): Promise<void> {
  await Promise.all(all.map((one) => one?.close()));
}

/** Sends one end of a pair from one socket to the other, which are both of this process. */
async function pass(): Promise<void> {
  const open: (Descriptor | FdSocket)[] = [];
  try {
    const { socket, peer } = FdSocket.pair();
    open.push(socket, peer);
    const far = FdSocket.adopt(peer);
    open.push(far);
    const sent = FdSocket.pair();
    open.push(sent.socket, sent.peer);
    await socket.send("here", [sent.peer]).catch((error: unknown) => {
      expect(sent.peer.fd).toBeGreaterThan(2);
      throw error;
    });
    expect(sent.peer.fd).toBe(-1);
    const message = await far.receive();
    open.push(...(message?.descriptors ?? []));
    expect(message?.descriptors).toHaveLength(1);
  } finally {
    await closeAll(open);
  }
}

/** The run says what failed, and nothing stays open of it. */
async function inspect({ at, errno, error }: FaultyRun<void>, before: number): Promise<void> {
  if (error !== undefined) {
    expect(error, at).toBeInstanceOf(FlintapError);
    expect(error, at).toMatchObject({ errno });
    expect((error as FlintapError).leftBehind, at).toBeUndefined();
  }
  await until(before, at);
}

for (const [errno, name] of [
  [EIO, "EIO"],
  [EMFILE, "EMFILE"],
] as const)
  test(`whichever call fails with ${name}, nothing stays open`, async () => {
    await pass(); // what closes descriptors is there from now on
    const before = sockets();
    await failEveryCall(errno, pass, (run) => inspect(run, before));
  });

// Two threads make them in any order, so that a walk may pass over one.
for (const call of ["socketpair", "fstat", "getsockopt", "fcntl", "eventfd2", "sendmsg", "recvmsg"])
  test(`the first ${call} fails, and nothing stays open`, async () => {
    await pass();
    const before = sockets();
    const run = await withFaults(0, EIO, pass, { firstOf: [call] });
    expect(run.struck).toEqual([call]);
    expect(run.error).toBeDefined();
    await inspect(run, before);
  });

test("a socket whose waiting fails tells who waits, and whoever comes later", async () => {
  const { socket, peer } = FdSocket.pair();
  const receive = (): Promise<unknown> => socket.receive();
  const { error } = await withFaults(0, EIO, receive, { firstOf: ["poll"] });
  expect(error).toMatchObject({ reason: "kernel", code: "EIO", step: "wait for the socket" });
  await expect(socket.send("x")).rejects.toMatchObject({ reason: "kernel", code: "EIO" });
  await closeAll([socket, peer]);
});

test("connecting fails with each of its calls, and leaves nothing", async () => {
  await pass();
  const before = sockets();
  // Nothing listens there: the run that no fault meets fails as well.
  for (let at = 1; ; at++) {
    const { error, struck } = await withFaults(at, EIO, () => FdSocket.connect("/nonexistent"));
    await until(before, String(at));
    if (struck.length === 0) {
      expect(error).toMatchObject({ reason: "socket-unreachable" });
      expect(at).toBeGreaterThan(4);
      return;
    }
    expect(error).toBeInstanceOf(FlintapError);
  }
});
