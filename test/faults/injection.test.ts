/**
 * Every system call of every operation fails once. The operation then has succeeded completely or
 * not at all, says so, and its handle goes on working.
 */
import { constants } from "node:os";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { needs } from "../setup/capabilities.js";
import { failEveryCall } from "../setup/seam.js";
import { Scene } from "./scene.js";
import { subjects } from "./subjects.js";

const { EIO, EINTR } = constants.errno;

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.layOut();
});

afterAll(() => scene.close());

describe.each([
  ["EIO", EIO],
  // Of a call that a signal can interrupt, the operation does not notice.
  ["EINTR", EINTR],
])("with %s from each system call in turn", (_, errno) => {
  for (const subject of subjects) {
    needs(
      "seam",
      "veth",
      "bridge",
      ...subject.needs,
    )(`${subject.name} is all there or not at all`, async () => {
      await scene.prepare(subject);
      const struck = await failEveryCall(
        errno,
        () => scene.operate(subject),
        (run) => scene.expectAllOrNothing(subject, run),
      );
      expect(struck.length).toBeGreaterThanOrEqual(subject.least);
    });
  }
});
