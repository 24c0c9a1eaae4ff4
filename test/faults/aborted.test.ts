/**
 * Every operation is given up while it stands before each of its system calls. It is undone then,
 * or it was too late; a delete and a read are finished.
 */
import { describe, expect } from "vitest";
import { meetAtEveryCall } from "../setup/seam.js";
import { onScene, sceneOfFile } from "./scene.js";
import { subjects } from "./subjects.js";

const scene = sceneOfFile();

describe("given up before each of its system calls", () => {
  for (const subject of subjects) {
    const ending = subject.stays ? "is finished" : "is undone";
    onScene(subject)(`${subject.name} ${ending}`, async () => {
      const reason = new Error("given up");
      let undone = 0;
      let controller = new AbortController();
      const calls = await meetAtEveryCall(
        () => {
          controller = new AbortController();
          return scene().prepare(subject);
        },
        () => scene().operate(subject, controller.signal),
        async () => controller.abort(reason),
        async (run) => {
          if (run.error === undefined) await subject.complete(run.result as never);
          else {
            expect(run.error).toBe(reason);
            await scene().expectAsBefore();
            undone += 1;
          }
          await scene().expectHandleWorks();
        },
      );
      expect(calls).toBeGreaterThanOrEqual(subject.least);
      if (subject.stays) expect(undone).toBe(0);
      // Once it was looked whether the caller still wants it, little is left to do.
      else expect(undone).toBeGreaterThanOrEqual(calls - 4);
    });
  }
});
