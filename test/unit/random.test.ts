import { expect, test, vi } from "vitest";
import { randomDigits } from "../../src/random.js";

/** What the next four bytes of the system's random ones are, so that it shows where each went. */
let next = 0;

vi.mock("node:crypto", async (original) => ({
  ...(await original<typeof import("node:crypto")>()),
  randomBytes: (size: number): Buffer => {
    const bytes = Buffer.alloc(size);
    for (let at = 0; at < size; at += 4) bytes.writeUInt32BE(next++, at);
    return bytes;
  },
}));

test("gives as many digits as were asked for", () => {
  for (const count of [0, 8, 16]) expect(randomDigits(count)).toHaveLength(count);
});

test("gives no digit twice and passes over none, also where the pool is filled again", () => {
  const from = Number.parseInt(randomDigits(8), 16) + 1;
  const counted = Array.from({ length: 5000 }, () => randomDigits(3) + randomDigits(5));
  expect(counted.map((digits) => Number.parseInt(digits, 16) - from)).toEqual([...counted.keys()]);
});

test("gives nothing twice where what is left of the pool is too little", () => {
  const counted = Array.from({ length: 1000 }, () => randomDigits(24));
  expect(new Set(counted.flatMap((digits) => digits.match(/.{8}/g))).size).toBe(3000);
});
