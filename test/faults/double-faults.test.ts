/**
 * A second system call fails after a first one, also in the undoing, and in the end all of them.
 */
import { constants } from "node:os";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { needs } from "../setup/capabilities.js";
import { failEveryCall, failEveryPair } from "../setup/seam.js";
import { Scene } from "./scene.js";
import { subjects } from "./subjects.js";

const { ENOBUFS } = constants.errno;

/** For a test of very many runs. */
const patience = 600_000;

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.layOut();
});

afterAll(() => scene.close());

/** Those that change something. */
const changing = subjects.filter(({ operation }) =>
  /^(create|attach|detach|delete|move|set)/.test(operation),
);

describe("with two system calls failing", () => {
  for (const subject of changing) {
    needs(
      "seam",
      "veth",
      "bridge",
      ...subject.needs,
    )(
      `${subject.name} is all there or not at all`,
      async () => {
        await scene.prepare(subject);
        const pairs = await failEveryPair(
          ENOBUFS,
          () => scene.operate(subject),
          (run) => scene.expectAllOrNothing(subject, run),
          {},
          subject.pairStride,
        );
        expect(pairs).toBeGreaterThanOrEqual(subject.least);
      },
      patience,
    );
  }
});

describe("with every system call failing from one on", () => {
  for (const subject of changing) {
    needs(
      "seam",
      "veth",
      "bridge",
      ...subject.needs,
    )(`${subject.name} names what it left behind, and nothing else`, async () => {
      await scene.prepare(subject);
      const struck = await failEveryCall(
        ENOBUFS,
        () => scene.operate(subject),
        (run) => scene.expectToldWhatIsLeft(subject, run),
        { fromThenOn: true },
      );
      expect(struck.length).toBeGreaterThanOrEqual(subject.least);
    });
  }
});
