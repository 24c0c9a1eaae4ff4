/**
 * Where operations are put under faults: the links and descriptors that are there before a run, so
 * that what a run left can be told.
 */
import { afterAll, beforeAll, expect } from "vitest";
import { FlintapError, NetworkNamespace } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { openDescriptors } from "../setup/descriptors.js";
import { addBridge, addParent, ip, links } from "../setup/iproute2.js";
import type { FaultyRun } from "../setup/seam.js";
import { stateOfLinks } from "../setup/state.js";
import { closeElsewhere, openElsewhere } from "./elsewhere.js";
import type { Subject } from "./subject.js";

/** A scene for the tests of a file. */
export function sceneOfFile(): () => Scene {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.layOut();
  });
  afterAll(() => scene.close());
  return () => scene;
}

/** For tests of an operation on a scene. */
export function onScene(operation: Pick<Subject, "needs">): ReturnType<typeof needs> {
  return needs("seam", "veth", "bridge", ...operation.needs);
}

/** `enp0` for macvtaps, the bridges `br0` and `br1`, and what each subject prepares. */
export class Scene {
  readonly #laidOut: string[];
  /** Not under faults. */
  readonly #steady: NetworkNamespace;
  #before: { ifname: string }[] = [];
  #descriptors: string[] = [];
  /** The handle that is under faults: a new one in each run, so that its set-up is, too. */
  #struck: NetworkNamespace | undefined;

  private constructor(steady: NetworkNamespace, laidOut: string[]) {
    this.#steady = steady;
    this.#laidOut = laidOut;
  }

  static async layOut(): Promise<Scene> {
    await addParent();
    await addBridge("br0");
    await addBridge("br1");
    await openElsewhere();
    const steady = NetworkNamespace.current();
    await steady.getLink("lo");
    return new Scene(
      steady,
      (await links()).map(({ ifname }) => ifname),
    );
  }

  /** Removes what was made since, and prepares for a run. */
  async prepare(subject?: Pick<Subject, "prepare">): Promise<void> {
    await this.#struck?.close();
    for (const { ifname } of await links()) {
      // The other end of a veth is gone with the first.
      if (!this.#laidOut.includes(ifname)) await ip("link del", ifname).catch(() => {});
    }
    await subject?.prepare?.(this.#steady);
    this.#before = await stateOfLinks();
    this.#descriptors = openDescriptors();
  }

  /** Runs the operation on a new handle. */
  async operate<Result>(subject: Subject<Result>, signal?: AbortSignal): Promise<Result> {
    this.#struck = NetworkNamespace.current();
    return await subject.operate(this.#struck, signal);
  }

  /** Looks at what a run left: all that was asked for or nothing, and a handle that works. */
  async expectAllOrNothing<Result>(
    subject: Subject<Result>,
    run: FaultyRun<Result>,
  ): Promise<void> {
    await this.#telling(subject, run, async () => {
      if (run.error === undefined) await subject.complete(run.result as Result);
      else {
        expectTelling(run, subject);
        expect((run.error as FlintapError).leftBehind).toBeUndefined();
        await this.expectAsBefore();
      }
      await this.expectHandleWorks();
      if (run.error === undefined) await this.prepare(subject);
    });
  }

  /** Looks at what a run left that could not be undone: the error names it, and nothing else. */
  async expectToldWhatIsLeft<Result>(
    subject: Subject<Result>,
    run: FaultyRun<Result>,
  ): Promise<void> {
    await this.#telling(subject, run, async () => {
      if (run.error === undefined) await subject.complete(run.result as Result);
      else {
        expectTelling(run, subject);
        await this.#expectNamed(run.error as FlintapError);
      }
      await this.expectHandleWorks();
      await this.prepare(subject);
    });
  }

  async close(): Promise<void> {
    await this.prepare();
    await this.#steady.close();
    await closeElsewhere();
  }

  async #expectNamed({ leftBehind, reason }: FlintapError): Promise<void> {
    const before = new Map(this.#before.map((link) => [link.ifname, link]));
    const now = new Map((await stateOfLinks()).map((link) => [link.ifname, link]));
    const changed = [...new Set([...before.keys(), ...now.keys()])].filter(
      (name) => JSON.stringify(before.get(name)) !== JSON.stringify(now.get(name)),
    );
    // A delete of which neither the answer nor a look at the link came back says just that.
    if (reason === "outcome-unknown" && leftBehind === undefined) {
      expect(changed.filter((name) => now.has(name))).toEqual([]);
      return;
    }
    const named = leftBehind?.map((words) => /\blink ([^\s:]+)/.exec(words)?.[1]) ?? [];
    // The ends of a veth come and go together: one stands for both.
    expect(named).toHaveLength(changed.length === 0 ? 0 : 1);
    expect(changed).toEqual(expect.arrayContaining(named));
  }

  /** Everything is as it was prepared. */
  async expectAsBefore(): Promise<void> {
    expect(await stateOfLinks()).toEqual(this.#before);
  }

  /** The handle of the run reads a link, closes, and leaves no descriptor. */
  async expectHandleWorks(): Promise<void> {
    expect(await this.#struck?.getLink("lo")).toMatchObject({ index: 1 });
    await this.#struck?.close();
    expect(openDescriptors()).toEqual(this.#descriptors);
  }

  async #telling<Result>(
    subject: Subject<Result>,
    { at, struck, error }: FaultyRun<Result>,
    look: () => Promise<void>,
  ): Promise<void> {
    try {
      await look();
    } catch (cause) {
      throw new Error(`${subject.name}, call ${at} (${struck.join(", ")}): ${error}`, { cause });
    }
  }
}

/** The error tells everything that an error of flintap's has to tell. */
function expectTelling<Result>(
  { error, errno }: FaultyRun<Result>,
  { operation }: Subject<Result>,
): void {
  expect(error).toBeInstanceOf(FlintapError);
  const failure = error as FlintapError;
  expect(failure).toMatchObject({ operation, errno });
  expect(failure.code).toMatch(/^E/);
  expect(failure.hint).toMatch(/\.$/);
  expect(failure.step).not.toBe("");
  // Nothing finer can be known of the faults that are made here.
  expect(["kernel", "outcome-unknown"]).toContain(failure.reason);
}
