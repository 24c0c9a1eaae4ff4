/** Every system call from one on fails, those of the undoing too: the error names what is left. */
import { constants } from "node:os";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { needs } from "../setup/capabilities.js";
import { failEveryCall } from "../setup/seam.js";
import { changes } from "./changes.js";
import { creations } from "./creations.js";
import { Scene } from "./scene.js";

const { ENOBUFS } = constants.errno;

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.layOut();
});

afterAll(() => scene.close());

describe("with every system call failing from one on", () => {
  for (const subject of [...creations, ...changes]) {
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
