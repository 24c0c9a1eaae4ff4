/**
 * Random digits for made-up names and addresses. They are drawn from the system some kB at a time: one
 * call for each name and each address would cost more than all the rest of them.
 */
import { randomBytes } from "node:crypto";

const poolBytes = 4096;

/** Digits that were drawn, of which `used` were given out. Each thread has its own. */
let pool = "";
let used = 0;

/** Random hexadecimal digits, at most {@link poolBytes}. No digit that was drawn is given out twice. */
export function randomDigits(count: number): string {
  if (used + count > pool.length) {
    pool = randomBytes(poolBytes).toString("hex");
    used = 0;
  }
  used += count;
  return pool.slice(used - count, used);
}
