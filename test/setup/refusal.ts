/** What a call that fails must say, whatever it failed for. */
import { basename } from "node:path";
import { expect } from "vitest";
import { FlintapError } from "../../src/index.js";

/** Waits for a call to fail, checks what every failure has in common, and gives the error. */
export async function refusal(call: Promise<unknown>): Promise<FlintapError> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof FlintapError)) throw error;
    expect(error.hint).not.toBe("");
    expect(error.stack).toContain(basename(expect.getState().testPath ?? "no test"));
    expect(error.leftBehind).toBeUndefined();
    return error;
  }
  throw new Error("The call was not refused");
}

/** The same for a wrong argument, which is refused before anything is sent. */
export async function argumentError(call: Promise<unknown>): Promise<Error & { code?: unknown }> {
  try {
    await call;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return error;
    throw error;
  }
  throw new Error("The call was not refused");
}
