/** Every system call from one on fails, those of the undoing too: the error names what is left. */
import { constants } from "node:os";
import { describe, expect } from "vitest";
import { failEveryCall } from "../setup/seam.js";
import { changes } from "./changes.js";
import { creations } from "./creations.js";
import { onScene, sceneOfFile } from "./scene.js";

const { ENOBUFS } = constants.errno;

const scene = sceneOfFile();

describe("with every system call failing from one on", () => {
  for (const subject of [...creations, ...changes]) {
    onScene(subject)(`${subject.name} names what it left behind, and nothing else`, async () => {
      await scene().prepare(subject);
      const struck = await failEveryCall(
        ENOBUFS,
        () => scene().operate(subject),
        (run) => scene().expectToldWhatIsLeft(subject, run),
        { fromThenOn: true },
      );
      expect(struck.length).toBeGreaterThanOrEqual(subject.least);
    });
  }
});
