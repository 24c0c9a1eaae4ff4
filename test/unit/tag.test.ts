import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  aliasPattern,
  formatTag,
  isSelected,
  parseTag,
  type TagParts,
  TagSet,
  tagMatches,
  tagOwner,
  tagPrefix,
} from "../../src/tag.js";

const bootId = "9d0f7a3c-1b2e-4c5d-8e6f-0a1b2c3d4e5f";
const createdAt = new Date("2026-07-01T12:00:00Z");
/** Of 11 digits, as many as there is room for beside the longest of everything else. */
const last = new Date(99_999_999_999_000);
const guestMac = "02:00:00:00:00:01";
const place = { call: "NetworkNamespace.current", argument: "options", option: "owner" };

/** Strings of every kind: lone surrogates, delimiters, white space. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.string({ unit: fc.constantFrom("%", ";", "#", "=", "u", "\ud800", "\udc00", " ", "\n", "é") }),
  fc.string({ unit: "grapheme", maxLength: 300 }),
);

const parts: fc.Arbitrary<TagParts> = fc.record(
  {
    microvm: anyText,
    interface: anyText,
    specHash: anyText,
    bridge: anyText,
    guestMac: fc.constant(guestMac),
  },
  { requiredKeys: [] },
);

const owners = anyText.filter((owner) => {
  try {
    return tagOwner(owner, place) === owner;
  } catch {
    return false;
  }
});

const dates = fc
  .date({ min: new Date(0), max: last, noInvalidDate: true })
  .map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000))
  .filter((date) => !Number.isNaN(date.getTime()));

const tags = fc.record({ parts, owner: owners, createdAt: dates, bootId: fc.option(fc.uuid()) });

test("a tag reads well", () => {
  const tag = { owner: "flintap", microvm: "default/vm1/01H", interface: "eth1", bridge: "br0" };
  expect(formatTag({ ...tag, createdAt, bootId })).toBe(
    "flintap1;flintap;m=default/vm1/01H;i=eth1;b=br0;t=1782907200;k=9d0f7a3c-1b2e-4c5d-8e6f-0a1b2c3d4e5f",
  );
});

test("any tag fits into an alias and has nothing in it that an alias should not have", () => {
  fc.assert(
    fc.property(tags, ({ parts, bootId, ...rest }) => {
      const alias = formatTag({ ...parts, ...rest, bootId: bootId ?? undefined });
      expect(Buffer.byteLength(alias)).toBeLessThanOrEqual(255);
      expect(alias).not.toMatch(/[\s\p{Cc}\p{Cs}]/u);
    }),
  );
});

test("the longest tag fits into an alias", () => {
  const long = "\n".repeat(100);
  const most = { microvm: "m".repeat(60), interface: "i".repeat(23), bridge: "b".repeat(23) };
  const owner = "o".repeat(32);
  const alias = formatTag({
    ...most,
    specHash: "s".repeat(23),
    guestMac,
    owner,
    createdAt: last,
    bootId,
  });
  expect(Buffer.byteLength(alias)).toBeGreaterThan(245);
  expect(Buffer.byteLength(alias)).toBeLessThanOrEqual(255);
  expect(parseTag(alias)?.hashed).toBeUndefined();
  const hashed = { microvm: long, interface: long, bridge: long, specHash: long };
  const other = formatTag({ ...hashed, owner, createdAt: last, bootId: long });
  expect(Buffer.byteLength(other)).toBeLessThanOrEqual(255);
});

test("what was written is read back, but for the parts that were hashed", () => {
  fc.assert(
    fc.property(tags, ({ parts, owner, createdAt, bootId }) => {
      const tag = parseTag(formatTag({ ...parts, owner, createdAt, bootId: bootId ?? undefined }));
      expect(tag).toMatchObject({ version: 1, owner, createdAt });
      expect(tag?.bootId).toBe(bootId ?? undefined);
      for (const name of ["microvm", "interface", "specHash", "bridge"] as const)
        if (!tag?.hashed?.includes(name)) expect(tag?.[name]).toBe(parts[name]);
    }),
  );
});

test("a tag matches the parts it was made with, hashed or not", () => {
  fc.assert(
    fc.property(tags, ({ parts, owner, createdAt }) => {
      const tag = parseTag(formatTag({ ...parts, owner, createdAt }));
      expect(tag && tagMatches(tag, parts)).toBe(true);
    }),
  );
});

test("a tag matches no other part", () => {
  fc.assert(
    fc.property(anyText, anyText, (one, other) => {
      fc.pre(one !== other);
      const tag = parseTag(formatTag({ microvm: one, owner: "o", createdAt }));
      expect(tag && tagMatches(tag, { microvm: other })).toBe(false);
    }),
  );
});

test("a part that looks like a hash does not match what has that hash", () => {
  const long = "x".repeat(100);
  const hashed = parseTag(formatTag({ microvm: long, owner: "o", createdAt }));
  const hash = hashed?.microvm ?? "";
  expect(hash).toMatch(/^#[\w-]{22}$/);
  expect(hashed?.hashed).toEqual(["microvm"]);
  expect(hashed && tagMatches(hashed, { microvm: hash })).toBe(false);
  const literal = parseTag(formatTag({ microvm: hash, owner: "o", createdAt }));
  expect(literal).toMatchObject({ microvm: hash });
  expect(literal?.hashed).toBeUndefined();
  expect(literal && tagMatches(literal, { microvm: long })).toBe(false);
});

test("a part that the tag does not have is not matched, and an empty one is a part", () => {
  const tag = parseTag(formatTag({ microvm: "", owner: "o", createdAt }));
  expect(tag?.microvm).toBe("");
  expect(tag && tagMatches(tag, { interface: "" })).toBe(false);
  expect(tag && tagMatches(tag, {})).toBe(true);
});

test("a set of tags matches what one of them matches", () => {
  const few = fc.record(
    {
      microvm: fc.constantFrom("", "a", "b", "x".repeat(99)),
      interface: fc.constantFrom("", "a", "b"),
      bridge: fc.constantFrom("a", "y".repeat(99)),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(few, { maxLength: 4 }), few, (wanted, parts) => {
      const tag = parseTag(formatTag({ ...parts, owner: "o", createdAt }));
      const expected = wanted.some((one) => tag && tagMatches(tag, one));
      expect(tag && new TagSet(wanted).matches(tag)).toBe(expected);
    }),
  );
});

test("what is looked for in the alias stands in that of every tag that is selected", () => {
  const has = (alias: string, { prefix, fields }: ReturnType<typeof aliasPattern>): boolean =>
    alias.startsWith(prefix) &&
    fields.every((texts) => texts.split(";").some((text) => alias.split(";").includes(text)));
  fc.assert(
    fc.property(owners, parts, parts, (owner, parts, asked) => {
      const alias = formatTag({ ...parts, owner, createdAt });
      const tag = parseTag(alias);
      for (const selection of [{ owner, tag: parts }, { tag: asked }, { owner }]) {
        if (isSelected(tag, selection)) expect(has(alias, aliasPattern(selection))).toBe(true);
      }
    }),
  );
  const unhashed = `flintap1;o;m=${"x".repeat(99)};t=1`;
  const selection = { tag: { microvm: "x".repeat(99) } };
  expect(isSelected(parseTag(unhashed), selection)).toBe(true);
  expect(has(unhashed, aliasPattern(selection))).toBe(true);
});

describe("the prefix of an owner", () => {
  test("begins every alias of that owner, and none of another's", () => {
    fc.assert(
      fc.property(owners, owners, parts, (owner, other, parts) => {
        const alias = formatTag({ ...parts, owner, createdAt });
        expect(alias.startsWith(tagPrefix(owner))).toBe(true);
        expect(alias.startsWith(tagPrefix(other))).toBe(owner === other);
      }),
    );
  });

  test("is not that of a longer owner", () => {
    expect(tagPrefix("flintap2").startsWith(tagPrefix("flintap"))).toBe(false);
  });
});

describe("an owner", () => {
  test.each(["flintap", "capmvm-system/flintlockd", "o".repeat(32), "a b;c"])(
    "may be %j",
    (owner) => {
      expect(tagOwner(owner, place)).toBe(owner);
    },
  );

  test.each(["", "o".repeat(33), ";".repeat(11)])("may not be %j", (owner) => {
    expect(() => tagOwner(owner, place)).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }),
    );
  });
});

describe("reading an alias", () => {
  test("never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          anyText.map((text) => `flintap1;o;${text}`),
        ),
        (alias) => {
          parseTag(alias);
        },
      ),
    );
  });

  test.each([
    undefined,
    "",
    "uplink to the rack's switch",
    "flintap",
    "flintap1",
    "flintap1;",
    "flintap1;o",
    "flintap1;o;",
    "flintap2;o;t=1",
    "flintap1;;t=1",
    "flintap1;o;m=vm",
    "flintap1;o;t=1;t=1",
    "flintap1;o;t=01",
    "flintap1;o;t=1.5",
    "flintap1;o;t=9999999999999",
    "flintap1;o;t=1;m",
    "flintap1;o;t=1;=x",
    "flintap1;o;m=%zz;t=1",
    "flintap1;o;m=%41;t=1",
    "flintap1;%6f;t=1",
    "flintap1;o;m=#tooshort;t=1",
    "flintap1;o;m=a b;t=1",
    ` ${"flintap1;o;t=1"}`,
    `flintap1;o;t=1;m=${"x".repeat(255)}`,
  ])("%j is no tag", (alias) => {
    expect(parseTag(alias)).toBeUndefined();
  });

  test("a field that this version does not know is passed over", () => {
    expect(parseTag("flintap1;o;t=1;z=later")).toEqual({
      version: 1,
      owner: "o",
      createdAt: new Date(1000),
    });
  });
});
