/**
 * Lets every test of a file start from the same links: what a test made is removed after it, and
 * what was there must be there still.
 */
import { afterEach, beforeAll, expect } from "vitest";
import { ipBatch, linkNames } from "./iproute2.js";

/** A link group that nothing else uses: to remove many links by one request. */
const leftovers = 4242;

/** Removes links, all in one go: each delete by itself waits for the kernel's grace period. */
export async function removeLinks(names: readonly string[]): Promise<void> {
  const gather = names.map((name) => `link set dev ${name} group ${leftovers}`);
  await ipBatch([...gather, `link del group ${leftovers}`]);
}

/** Prepares the namespace once, and brings it back to that after every test. */
export function stage(prepare: () => Promise<void>): void {
  let before: string[] = [];
  beforeAll(async () => {
    await prepare();
    before = await linkNames();
  });
  afterEach(async () => {
    const made = (await linkNames()).filter((name) => !before.includes(name));
    // One may go by itself just now, with another namespace: what is left decides.
    if (made.length > 0) await removeLinks(made).catch(() => {});
    expect(await linkNames()).toEqual(before);
  });
}
