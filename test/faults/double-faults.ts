/**
 * A second system call fails after a first one, also in the undoing: for every two calls of an
 * operation. There are so many that the operations are shared out over several test files.
 */
import { constants } from "node:os";
import { expect } from "vitest";
import { failEveryPair } from "../setup/seam.js";
import { onScene, sceneOfFile } from "./scene.js";
import type { Subject } from "./subject.js";

const { ENOBUFS } = constants.errno;

/** For a test of very many runs. */
const patience = 600_000;

/** Registers a test for each. */
export function failInPairs(subjects: readonly Subject[]): void {
  const scene = sceneOfFile();

  for (const subject of subjects) {
    onScene(subject)(
      `with two system calls failing, ${subject.name} is all there or not at all`,
      async () => {
        await scene().prepare(subject);
        const pairs = await failEveryPair(
          ENOBUFS,
          () => scene().operate(subject),
          (run) => scene().expectAllOrNothing(subject, run),
          {},
          subject.pairStride,
        );
        expect(pairs).toBeGreaterThanOrEqual(subject.least);
      },
      patience,
    );
  }
}
