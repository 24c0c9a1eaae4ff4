import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseMac, randomMac, stableMac, unicastMac } from "../../src/mac.js";

/** Six bytes in lower case, with colons. */
function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

const place = { call: "createTap", argument: "options", option: "mac" };
const sixBytes = fc.uint8Array({ minLength: 6, maxLength: 6 });

describe("reading an address", () => {
  test("what was written is read back, in both spellings and cases", () => {
    fc.assert(
      fc.property(sixBytes, (bytes) => {
        const text = formatMac(bytes);
        expect(parseMac(text)).toEqual(bytes);
        expect(parseMac(text.replaceAll(":", "-").toUpperCase())).toEqual(bytes);
      }),
    );
  });

  test.each([
    "",
    "02:00:00:00:00",
    "02:00:00:00:00:00:00",
    "02-00:00-00:00-00",
    "0200.0000.0001",
    "02:00:00:00:00:0g",
    "2:0:0:0:0:1",
    " 02:00:00:00:00:01",
    "02:00:00:00:00:01\n",
  ])("%j is none", (text) => {
    expect(parseMac(text)).toBeUndefined();
  });
});

describe("checking an address", () => {
  test("normalises it", () => {
    expect(unicastMac("AA-BB-CC-DD-EE-0F", place)).toBe("aa:bb:cc:dd:ee:0f");
  });

  test.each(["01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"])(
    "refuses %s",
    (mac) => {
      expect(() => unicastMac(mac, place)).toThrow(
        expect.objectContaining({
          code: "ERR_INVALID_ARG_VALUE",
          message: expect.stringContaining("unicast hardware address that is not zero"),
        }),
      );
    },
  );

  test("refuses what is no address", () => {
    expect(() => unicastMac("enp0", place)).toThrow("a hardware address such as");
  });
});

function isLocalUnicast(mac: string): boolean {
  return ((parseMac(mac)?.[0] ?? 0) & 3) === 2;
}

describe("choosing an address", () => {
  test("a random one is locally administered and unicast", () => {
    const macs = Array.from({ length: 200 }, () => randomMac());
    expect(macs.filter((mac) => !isLocalUnicast(mac))).toEqual([]);
    expect(new Set(macs).size).toBe(200);
  });

  test("a tap's begins with fe, random or not", () => {
    expect(randomMac("tap")).toMatch(/^fe:/);
    expect(stableMac("id", "key", "tap")).toMatch(/^fe:/);
  });

  test("a stable one is the same every time, and locally administered", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (machineId, key) => {
        const mac = stableMac(machineId, key, "guest");
        expect(stableMac(machineId, key, "guest")).toBe(mac);
        expect(isLocalUnicast(mac)).toBe(true);
      }),
    );
  });

  test("a stable one does not change from release to release", () => {
    expect(
      stableMac("0123456789abcdef0123456789abcdef", "ns/vm/eth1", "guest"),
    ).toMatchInlineSnapshot(`"ae:31:a2:2f:4e:02"`);
  });

  test("a stable one differs by machine, key and role", () => {
    const macs = [
      stableMac("a", "b", "guest"),
      stableMac("b", "a", "guest"),
      stableMac("ab", "", "guest"),
      stableMac("a", "b", "tap"),
    ];
    expect(new Set(macs.map((mac) => mac.slice(3))).size).toBe(macs.length);
  });
});
