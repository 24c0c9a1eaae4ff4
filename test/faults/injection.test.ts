/**
 * Every system call of every operation fails once. The operation then has succeeded completely or
 * not at all, says so, and its handle goes on working.
 */
import { constants } from "node:os";
import { describe, expect } from "vitest";
import { failEveryCall } from "../setup/seam.js";
import { onScene, sceneOfFile } from "./scene.js";
import { subjects } from "./subjects.js";

const { EIO, EINTR } = constants.errno;

const scene = sceneOfFile();

describe.each([
  ["EIO", EIO],
  // Of a call that a signal can interrupt, the operation does not notice.
  ["EINTR", EINTR],
])("with %s from each system call in turn", (_, errno) => {
  for (const subject of subjects) {
    onScene(subject)(`${subject.name} is all there or not at all`, async () => {
      await scene().prepare(subject);
      const struck = await failEveryCall(
        errno,
        () => scene().operate(subject),
        (run) => scene().expectAllOrNothing(subject, run),
      );
      expect(struck.length).toBeGreaterThanOrEqual(subject.least);
    });
  }
});
