/**
 * Three creates that run together, one of which is made, one refused and one undone: with every
 * system call failing in turn, each of them settles for itself, and nothing is left.
 */
import { constants } from "node:os";
import { describe, expect } from "vitest";
import { FlintapError, type Link, type NetworkNamespace } from "../../src/index.js";
import type { Capability } from "../setup/capabilities.js";
import { ip, link, linkNames } from "../setup/iproute2.js";
import { seam } from "../setup/seam.js";
import { onScene, sceneOfFile } from "./scene.js";
import { expectMade, subject } from "./subject.js";

const { EIO, ENOBUFS } = constants.errno;

const scene = sceneOfFile();

type Outcomes = PromiseSettledResult<Link>[];

/** Creates of one operation. */
interface Batch {
  name: string;
  capability: Capability;
  /** Fewer calls than this cannot be all of its calls. */
  least: number;
  begin(namespace: NetworkNamespace): Promise<Link>[];
}

/** What came of a batch, and the names of the calls that failed. */
interface Run {
  outcomes: Outcomes;
  struck: string[];
}

/** Waits for the event loop's next turn. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets calls of one tick reach the thread together, which stands still meanwhile. */
async function whileItStands<Result>(
  namespace: NetworkNamespace,
  call: () => Promise<Result>,
): Promise<Result> {
  const before = namespace.getLink("lo").catch(() => {});
  while (!seam().isPaused()) await nextTurn();
  const calls = call();
  await nextTurn();
  seam().resume();
  await before;
  return await calls;
}

/** One that is made, one whose name a stranger has, one that is undone for its alt name. */
function three<Options>(
  create: (options: Options & { name: string; altNames?: string[] }) => Promise<Link>,
  on: Options,
): Promise<Link>[] {
  return [
    create({ ...on, name: "made0" }),
    create({ ...on, name: "taken0" }),
    create({ ...on, name: "undone0", altNames: ["taken-name"] }),
  ];
}

const batches: Batch[] = [
  {
    name: "createMacvtap",
    capability: "macvtap",
    least: 15,
    begin: (namespace) => three((options) => namespace.createMacvtap(options), { parent: "enp0" }),
  },
  {
    name: "createTap",
    capability: "tun",
    least: 30,
    begin: (namespace) => three((options) => namespace.createTap(options), { bridge: "br0" }),
  },
];

async function prepare(): Promise<void> {
  await ip("link add taken0 type bridge");
  await ip("link property add dev taken0 altname taken-name");
}

/** What is there is what was said to be made, whole. */
async function expectEachByItself(outcomes: Outcomes, before: string[]): Promise<void> {
  const made = outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  for (const one of made) await expectMade(one, {});
  for (const one of outcomes) {
    if (one.status === "fulfilled") continue;
    expect(one.reason).toBeInstanceOf(FlintapError);
    expect(one.reason.leftBehind).toBeUndefined();
  }
  expect(await linkNames()).toEqual([...before, ...made.map(({ name }) => name)].sort());
  expect((await link("taken0"))?.altnames).toEqual(["taken-name"]);
}

/** Runs a batch on a new handle, with the `at`-th call from where its thread stands failing. */
async function strike({ name, begin }: Batch, at: number, errno: number): Promise<Run> {
  let struck: string[] = [];
  const operate = async (namespace: NetworkNamespace): Promise<Outcomes> => {
    // So that the host's facts are there, and nothing has to be asked before a create.
    await namespace.createBridge({ name: "taken0" }).catch(() => {});
    seam().arm(at, errno, { pauseAt: 1 });
    const outcomes = await whileItStands(namespace, () => Promise.allSettled(begin(namespace)));
    struck = seam().disarm().struck;
    return outcomes;
  };
  const complete = async (): Promise<void> => {};
  const described = subject({ name, operation: name, needs: [], least: 0, operate, complete });
  return { outcomes: await scene().operate(described), struck };
}

describe.each([
  ["EIO", EIO],
  ["ENOBUFS", ENOBUFS],
])("with %s from each system call in turn", (_, errno) => {
  for (const batch of batches)
    onScene({ needs: [batch.capability, "proc-sys"] })(
      `${batch.name}, thrice in one tick, settles each for itself`,
      async () => {
        // The thread stands before the first call, which is therefore not struck.
        for (let at = 2; ; at++) {
          await scene().prepare({ prepare });
          const before = await linkNames();
          const { outcomes, struck } = await strike(batch, at, errno);
          await expectEachByItself(outcomes, before);
          await scene().expectHandleWorks();
          if (struck.length > 0) continue;
          expect(outcomes).toMatchObject([
            { status: "fulfilled" },
            { reason: { reason: "name-taken", device: "taken0" } },
            { reason: { reason: "alt-name-taken", device: "taken-name" } },
          ]);
          expect(at).toBeGreaterThan(batch.least);
          return;
        }
      },
    );
});
