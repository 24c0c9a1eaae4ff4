import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { maxDocumentLength } from "../../../src/flintlock/document.js";
import { loadConfig, loadSpec, loadSpecs } from "../../../src/flintlock/index.js";
import { fixturePath } from "./fixture.js";

const folder = mkdtempSync(join(tmpdir(), "flintap-document-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file with this in it. */
function fileOf(content: string | Buffer): string {
  const path = join(folder, "spec");
  writeFileSync(path, content);
  return path;
}

const tooLong = {
  code: "ERR_INVALID_DOCUMENT",
  issues: [{ path: "", expected: `at most ${maxDocumentLength} characters`, received: "more" }],
};

describe("a file", () => {
  test.each([
    ["that is missing", "/nonexistent", "no such file or directory (ENOENT)"],
    ["that is a folder", folder, "illegal operation on a directory (EISDIR)"],
    ["below one that is no folder", `${fixturePath("tap.json")}/x`, "not a directory (ENOTDIR)"],
  ])("%s is refused in one line, with what to do", async (_, path, words) => {
    const [, code] = /\((\w+)\)/.exec(words) ?? [];
    const expected = {
      name: "UnreadableDocumentError",
      code,
      path,
      hint: expect.stringMatching(/\.$/),
    };
    const cause = expect.objectContaining({ code });
    await expect(loadConfig(path)).rejects.toMatchObject({
      ...expected,
      message: `the host's config ${path}: ${words}`,
      cause,
    });
    const message = `the spec ${path}: ${words}`;
    await expect(loadSpec(path)).rejects.toMatchObject({ ...expected, message });
    await expect(loadSpecs(path)).rejects.toMatchObject({ ...expected, message });
  });

  test("that never ends is refused", async () => {
    await expect(loadConfig("/dev/zero")).rejects.toMatchObject(tooLong);
  });

  test("of 10 GB is refused", async () => {
    const path = fileOf("");
    truncateSync(path, 10e9);
    await expect(loadSpec(path)).rejects.toMatchObject(tooLong);
  });

  test("that is a FIFO is read to its end, or refused when it is too long", async () => {
    const path = join(folder, "fifo");
    spawnSync("mkfifo", [path]);
    const writer = spawn("sh", ["-c", 'exec cat "$0" > "$1"', fixturePath("spec.yaml"), path]);
    expect(await loadSpec(path)).toMatchObject({ id: "mvm2" });
    const endless = spawn("sh", ["-c", 'exec yes > "$0"', path]);
    const ended = once(endless, "exit");
    await expect(loadSpec(path)).rejects.toMatchObject(tooLong);
    await ended;
    expect(writer.exitCode).toBe(0);
  });

  test("of the longest text is read, whatever its characters take in UTF-8", async () => {
    const start = "id: vm\ninterfaces: []\n#";
    const text = start + "€".repeat(maxDocumentLength - start.length);
    expect(await loadSpec(fileOf(`\uFEFF${text}`))).toMatchObject({ id: "vm" });
    await expect(loadSpec(fileOf(`${text}€`))).rejects.toMatchObject({
      issues: [{ received: `${maxDocumentLength + 1}` }],
    });
  });

  test.each([
    ["Latin-1", Buffer.from("# one\nid: b\xFCro\n", "latin1"), "line 2"],
    ["UTF-16", Buffer.from("\uFEFFid: vm\n", "utf16le"), "line 1"],
    ["cut off", Buffer.from("id: vm # €").subarray(0, -1), "line 1"],
  ])("in %s is refused", async (_, content, path) => {
    await expect(loadSpec(fileOf(content))).rejects.toMatchObject({
      code: "ERR_INVALID_DOCUMENT",
      issues: [{ path, expected: "UTF-8" }],
    });
  });

  test.each([
    ["with a byte order mark", "\uFEFFid: vm\n"],
    ["without one", "id: vm\n"],
  ])("in UTF-16 %s is told so", async (_, text) => {
    const little = Buffer.from(text, "utf16le");
    for (const content of [little, Buffer.from(little).swap16()])
      await expect(loadSpec(fileOf(content))).rejects.toMatchObject({
        issues: [{ path: "line 1", expected: "UTF-8", received: "UTF-16" }],
      });
  });

  test("with a byte order mark is read as YAML and as JSON", async () => {
    expect(await loadSpec(fileOf("\uFEFFid: vm\ninterfaces: []"))).toMatchObject({ id: "vm" });
    expect(await loadSpec(fileOf('\uFEFF{"id": "vm", "interfaces": []}'))).toMatchObject({
      id: "vm",
    });
  });

  test("whose path is no text is a wrong argument", async () => {
    await expect(loadSpec("a\0b")).rejects.toMatchObject({ code: "ERR_INVALID_ARG_VALUE" });
  });
});
