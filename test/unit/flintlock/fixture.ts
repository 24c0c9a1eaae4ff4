/** The documents of test/fixtures/flintlock, and how a refusal is caught. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { InvalidDocumentError } from "../../../src/flintlock/invalid-document.js";

/** The path of a fixture. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/flintlock/${name}`, import.meta.url));
}

/** The text of a fixture. */
export function fixture(name: string): string {
  return readFileSync(fixturePath(name), "utf8");
}

/** The lines of the refusal that `read` throws; fails if it throws none. */
export function refusal(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof InvalidDocumentError) return error.message.split("\n").slice(1);
    throw error;
  }
  throw new Error("nothing was refused");
}
