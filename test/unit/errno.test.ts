import { constants } from "node:os";
import { expect, test } from "vitest";
import { errnoName } from "../../src/errno.js";

test.each([
  [1, "EPERM"],
  [17, "EEXIST"],
  [19, "ENODEV"],
  [98, "EADDRINUSE"],
])("%d, which Node.js knows, is %s", (errno, name) => {
  expect(errnoName(errno)).toBe(name);
});

test("54, which Node.js does not know, is EXFULL", () => {
  expect(Object.values(constants.errno)).not.toContain(54);
  expect(errnoName(54)).toBe("EXFULL");
});

test.each([
  [11, "EAGAIN"],
  [95, "EOPNOTSUPP"],
])("%d, which has two names, goes by the kernel's usual one, %s", (errno, name) => {
  expect(errnoName(errno)).toBe(name);
});

test("every number of asm-generic/errno.h has a name, but 41 and 58, which are not used", () => {
  const nameless = Array.from({ length: 133 }, (_, at) => at + 1).filter((errno) =>
    errnoName(errno).startsWith("ERRNO_"),
  );
  expect(nameless).toEqual([41, 58]);
});

test("a number without a name is still a code", () => {
  expect(errnoName(4000)).toBe("ERRNO_4000");
});
