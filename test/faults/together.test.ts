/**
 * Three creates that run together, one of which is made, one refused and one undone: with every
 * system call failing in turn, each of them settles for itself, and nothing is left.
 */
import { constants } from "node:os";
import { expect } from "vitest";
import { FlintapError, type Link, type NetworkNamespace } from "../../src/index.js";
import { ip, link, linkNames } from "../setup/iproute2.js";
import { seam } from "../setup/seam.js";
import { onScene, sceneOfFile } from "./scene.js";
import { expectMade, subject } from "./subject.js";

const { EIO, ENOBUFS } = constants.errno;

const scene = sceneOfFile();

type Outcomes = PromiseSettledResult<Link>[];

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

const batches = [
  {
    name: "createMacvtap",
    capability: "macvtap",
    least: 15,
    begin: (namespace: NetworkNamespace) => [
      namespace.createMacvtap({ parent: "enp0", name: "made0" }),
      namespace.createMacvtap({ parent: "enp0", name: "taken0" }),
      namespace.createMacvtap({ parent: "enp0", name: "undone0", altNames: ["taken-name"] }),
    ],
  },
  {
    name: "createTap",
    capability: "tun",
    least: 30,
    begin: (namespace: NetworkNamespace) => [
      namespace.createTap({ bridge: "br0", name: "made0" }),
      namespace.createTap({ bridge: "br0", name: "taken0" }),
      namespace.createTap({ bridge: "br0", name: "undone0", altNames: ["taken-name"] }),
    ],
  },
] as const;

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

for (const { name, capability, least, begin } of batches)
  onScene({ needs: [capability, "proc-sys"] })(
    `${name}, thrice in one tick: each settles for itself whatever call fails`,
    async () => {
      for (const errno of [EIO, ENOBUFS])
        // The thread stands before the first, which is therefore not struck.
        for (let at = 2; ; at++) {
          await scene().prepare({ prepare });
          const before = await linkNames();
          let struck: string[] = [];
          const outcomes = await scene().operate(
            subject({
              name,
              operation: name,
              needs: [],
              least,
              complete: async () => {},
              operate: async (namespace) => {
                // So that the host's facts are there, and nothing has to be asked before a create.
                await namespace.createBridge({ name: "taken0" }).catch(() => {});
                seam().arm(at, errno, { pauseAt: 1 });
                const settled = await whileItStands(namespace, () =>
                  Promise.allSettled<Link>(begin(namespace)),
                );
                struck = seam().disarm().struck;
                return settled;
              },
            }),
          );
          await expectEachByItself(outcomes, before);
          await scene().expectHandleWorks();
          if (struck.length > 0) continue;
          expect(outcomes).toMatchObject([
            { status: "fulfilled" },
            { reason: { reason: "name-taken", device: "taken0" } },
            { reason: { reason: "alt-name-taken", device: "taken-name" } },
          ]);
          expect(at).toBeGreaterThan(least);
          break;
        }
    },
  );
