/** What is put under faults, and what the files of them share. */
import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import { DeviceQueue, type Link, type NetworkNamespace } from "../../src/index.js";
import type { Capability } from "../setup/capabilities.js";
import { ip, link } from "../setup/iproute2.js";

/** One operation under faults. */
export interface Subject<Result = unknown> {
  name: string;
  /** The operation's name in an error. */
  operation: string;
  needs: Capability[];
  /** Fewer calls than this cannot be all of its calls. */
  least: number;
  /** Of the calls that fail together with a second one, only every so many: for an operation of many. */
  pairStride?: number;
  /** Puts the namespace into the state from which each run starts. */
  prepare?(steady: NetworkNamespace): Promise<unknown>;
  operate(namespace: NetworkNamespace, signal?: AbortSignal): Promise<Result>;
  /** What it does stays done when its caller gives it up, once it runs. */
  stays?: boolean;
  /** Asserts that what was asked for is there, all of it. */
  complete(result: Result): Promise<void>;
}

/** Lets TypeScript find out what an operation gives. */
export function subject<Result>(description: Subject<Result>): Subject<Result> {
  return description;
}

const marked = {
  altnames: [expect.stringMatching(/^flintap-/)],
  ifalias: expect.stringMatching(/^flintap1;flintap;/),
  flags: expect.arrayContaining(["UP"]),
};

/** A link made by flintap has its marks, is up, and is what was asked for. */
export async function expectMade(made: Link, wanted: object): Promise<void> {
  expect(await link(made.name)).toMatchObject({ ifindex: made.index, ...marked, ...wanted });
}

export async function expectClosed(name: string): Promise<void> {
  const setting = await readFile(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "utf8");
  expect(setting).toBe("1\n");
}

/** A queue is open; closes it. */
export async function expectOpen(queue: DeviceQueue): Promise<void> {
  expect(queue).toBeInstanceOf(DeviceQueue);
  expect(queue.fd).toBeGreaterThan(2);
  await queue.close();
}

/** A port of br1 that is not as the kernel makes one. */
export async function makePort(): Promise<void> {
  await ip("link add port0 type veth peer name port1");
  await ip("link set port0 master br1");
  await ip(
    "link set port0 type bridge_slave isolated on hairpin on learning off cost 7 priority 5",
  );
}

/** The same, up, so that it can be seen to go down. */
export async function makeUpPort(): Promise<void> {
  await makePort();
  for (const end of ["port0", "port1"]) await ip(`link set ${end} up`);
}

export const port = { isolated: true, hairpin: false, learning: true };

export const expectAttached = async (bridge: string): Promise<void> => {
  expect(await link("port0")).toMatchObject({
    master: bridge,
    linkinfo: { info_slave_data: port },
  });
};
