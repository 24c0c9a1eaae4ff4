/**
 * The tag that flintap keeps in the alias of every device it makes: whose it is, and what for.
 *
 *     flintap1;OWNER;m=MICROVM;i=INTERFACE;s=SPECHASH;b=BRIDGE;g=GUESTMAC;t=SECONDS;k=BOOTID
 *
 * The version and the owner come first, so that "is it ours?" is a comparison of prefixes that the
 * native side can do. Parts that are not known are left out. In every part `%`, `;`, `#`, white
 * space, control characters and lone surrogates are escaped. An alias holds 255 bytes, so each
 * part has a fixed share of them: a longer one is replaced by `#` and its hash, which depends on
 * nothing else in the tag, and so stays comparable.
 */
import { hash } from "node:crypto";
import { argumentError, type Check, type ChecksFor, object, string } from "./check.js";
import { unicastMac } from "./mac.js";

/** What a caller may say of a device's purpose. Matched by {@link tagMatches}. */
export interface TagParts {
  /** The microVM, in any form that is unique for the owner. */
  microvm?: string;
  /** The microVM's interface that the device is for. */
  interface?: string;
  /** A hash of the specification that the device was made from. */
  specHash?: string;
  /** The bridge that was chosen for it. */
  bridge?: string;
  /**
   * The MAC that the guest uses, which a tap does not show. Default: a macvtap's own; for a tap with a
   * stable MAC, one beside it that is as stable.
   */
  guestMac?: string;
}

/** A tag, as read from a link's alias. */
export interface Tag extends TagParts {
  /** The grammar's version. */
  version: 1;
  /** Who made the device; see `NetworkNamespace.owner`. */
  owner: string;
  /** When it was made, in whole seconds. */
  createdAt: Date;
  /** During which boot of the machine, where that was known. */
  bootId?: string;
  /** The parts that were too long for the alias, and are hashes here. */
  hashed?: (keyof TagParts)[];
}

/** The length of an alias in the kernel (`IFALIASZ` without its end). */
const aliasBytes = 255;

/** Each part's key in the alias, and its share of the alias in bytes, after escaping. */
const partRules = {
  microvm: { key: "m", most: 60 },
  interface: { key: "i", most: 23 },
  specHash: { key: "s", most: 23 },
  bridge: { key: "b", most: 23 },
  guestMac: { key: "g", most: 17 },
} as const satisfies Record<keyof TagParts, { key: string; most: number }>;

const partNames = Object.keys(partRules) as (keyof TagParts)[];

/** What a tag is read for, beside its owner and time, by the keys. */
const namesByKey = new Map<string, keyof TagParts | "bootId">([
  ...partNames.map((name) => [partRules[name].key, name] as const),
  ["k", "bootId"],
]);

const ownerBytes = 32;
const bootIdBytes = 36;

/** Any parts, as an option. */
export const tagParts = object({
  microvm: string,
  interface: string,
  specHash: string,
  bridge: string,
  guestMac: unicastMac,
} satisfies ChecksFor<TagParts>);

/** Text as most is: ASCII in which nothing has to be escaped. */
const plainCharacter = '[!"$&-:<-~]';
const plainText = new RegExp(`^${plainCharacter}*$`);

/** Parts of which at least one is named: those without any are the parts of every tag. */
export const someTagParts: Check<TagParts> = (value, place) => {
  const parts = tagParts(value, place);
  if (Object.keys(parts).length > 0) return parts;
  throw argumentError("ERR_INVALID_ARG_VALUE", "at least one part of a tag", place, value);
};

/** `%XX` for what one byte holds, `%uXXXX` for every other UTF-16 unit that is escaped. */
function escapePart(text: string): string {
  if (plainText.test(text)) return text;
  return text.replace(/[%;#\s\p{Cc}\p{Cs}]/gu, (character) => {
    const unit = character.charCodeAt(0);
    const digits = unit.toString(16).padStart(unit < 0x100 ? 2 : 4, "0");
    return unit < 0x100 ? `%${digits}` : `%u${digits}`;
  });
}

/** The text that was escaped; undefined for what `escapePart` would not have written. */
function unescapePart(escaped: string): string | undefined {
  if (plainText.test(escaped)) return escaped;
  const text = escaped.replace(/%(?:u([0-9a-f]{4})|([0-9a-f]{2}))/g, (_, wide, narrow) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow, 16)),
  );
  return escapePart(text) === escaped ? text : undefined;
}

const ascii = /^[ -~]*$/;

function fits(text: string, most: number): boolean {
  return text.length <= most && (ascii.test(text) || Buffer.byteLength(text) <= most);
}

/** A part as it stands in the alias. 128 bits of SHA-256 take 23 bytes, less than any share. */
function writePart(text: string, most: number): string {
  const escaped = escapePart(text);
  if (fits(escaped, most)) return escaped;
  return `#${hash("sha256", escaped, "base64url").slice(0, 22)}`;
}

/** An owner: not hashed, since it has to be readable, so there is a limit to its length. */
export const tagOwner: Check<string> = (value, place) => {
  const owner = string(value, place);
  if (owner === "" || !fits(escapePart(owner), ownerBytes)) {
    const expected = `1 to ${ownerBytes} bytes after escaping`;
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, value);
  }
  return owner;
};

/** An alias that is to be none of ours: any text that the kernel has room for, and gives back. */
export const linkAlias: Check<string> = (value, place) => {
  const alias = string(value, place);
  if (fits(alias, aliasBytes) && !/\0|\p{Cs}/u.test(alias)) return alias;
  const expected = `up to ${aliasBytes} bytes without NUL and broken UTF-16`;
  throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, value);
};

/** How the alias of every tagged device begins, whoever its owner is. */
export const tagMark = "flintap1;";

/** How the alias of every device of this owner begins; no other owner's begins so. */
export function tagPrefix(owner: string): string {
  return `${tagMark}${escapePart(owner)};`;
}

/** Who makes a device, when and during which boot. */
type TagOrigin = Pick<Tag, "owner" | "createdAt" | "bootId">;

/** How the tags of an origin begin and end: all devices of a second have the same. */
interface Frame {
  owner: string;
  second: number;
  bootId?: string;
  begin: string;
  end: string;
}

let recent: Frame | undefined;

function frameOf({ owner, createdAt, bootId }: TagOrigin): Frame {
  const second = Math.floor(createdAt.getTime() / 1000);
  if (recent?.second === second && recent.owner === owner && recent.bootId === bootId)
    return recent;
  const boot = bootId === undefined ? "" : `;k=${writePart(bootId, bootIdBytes)}`;
  recent = { owner, second, bootId, begin: tagPrefix(owner), end: `t=${second}${boot}` };
  return recent;
}

/** The alias for a device. */
export function formatTag(tag: TagParts & TagOrigin): string {
  const { begin, end } = frameOf(tag);
  let alias = begin;
  for (const name of partNames) {
    const text = tag[name];
    if (text === undefined) continue;
    const { key, most } = partRules[name];
    alias += `${key}=${writePart(text, most)};`;
  }
  return alias + end;
}

/** The fields behind the owner, from `first` on; undefined if one has no key or comes twice. */
function readFields(texts: readonly string[], first: number): Map<string, string> | undefined {
  const values = new Map<string, string>();
  for (let at = first; at < texts.length; at += 1) {
    const field = texts[at] as string;
    const equals = field.indexOf("=");
    const key = field.slice(0, equals);
    if (equals < 1 || values.has(key)) return undefined;
    values.set(key, field.slice(equals + 1));
  }
  return values;
}

function isHash(written: string): boolean {
  return written.startsWith("#") && /^#[\w-]{22}$/.test(written);
}

/** A part as its writer gave it, or its hash as it stands there; undefined for neither. */
function readPart(written: string): string | undefined {
  return isHash(written) ? written : unescapePart(written);
}

const seconds = "(?:0|-?[1-9]\\d{0,12})";
const onlySeconds = new RegExp(`^${seconds}$`);

function readSeconds(written: string | undefined): Date | undefined {
  if (written === undefined || !onlySeconds.test(written)) return undefined;
  const date = new Date(Number(written) * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** A tag as `formatTag` writes most: its fields in their order, and nothing escaped or hashed. */
const plainTag = new RegExp(
  [
    `^flintap1;(${plainCharacter}+);`,
    ...partNames.map((name) => `(?:${partRules[name].key}=(${plainCharacter}*);)?`),
    `t=(${seconds})(?:;k=(${plainCharacter}*))?$`,
  ].join(""),
);

/** Reads such a tag in one go: a listing of thousands of links has one each. */
function parsePlainTag(alias: string): Tag | undefined {
  const found = plainTag.exec(alias);
  if (found === null) return undefined;
  // Taking it apart by a pattern would make an object for each of its groups.
  const owner = found[1];
  const firstPart = 2;
  const time = firstPart + partNames.length;
  const createdAt = readSeconds(found[time]);
  if (owner === undefined || createdAt === undefined) return undefined;
  const tag: Tag = { version: 1, owner, createdAt };
  for (let at = 0; at < partNames.length; at += 1) {
    const text = found[firstPart + at];
    if (text !== undefined) tag[partNames[at] as keyof TagParts] = text;
  }
  const bootId = found[time + 1];
  if (bootId !== undefined) tag.bootId = bootId;
  return tag;
}

/**
 * Reads an alias; undefined if it is no tag. Fields with an unknown key are passed over, so that a
 * later version can add some.
 */
export function parseTag(alias: string | undefined): Tag | undefined {
  if (alias === undefined || !alias.startsWith(tagMark) || !fits(alias, aliasBytes))
    return undefined;
  const plain = parsePlainTag(alias);
  if (plain !== undefined) return plain;
  const texts = alias.split(";");
  const owner = unescapePart(texts[1] ?? "");
  const values = readFields(texts, 2);
  const createdAt = readSeconds(values?.get("t"));
  if (!owner || values === undefined || createdAt === undefined) return undefined;

  const tag: Tag = { version: 1, owner, createdAt };
  for (const [key, written] of values) {
    const name = namesByKey.get(key);
    if (name === undefined) continue;
    const text = readPart(written);
    if (text === undefined) return undefined;
    tag[name] = text;
    if (name === "bootId" || !isHash(written)) continue;
    tag.hashed ??= [];
    tag.hashed.push(name);
  }
  return tag;
}

/** Which tags: those that have the owner and every part that are named; any tag where none is. */
export interface TagSelection {
  owner?: string;
  tag?: TagParts;
}

/** Whether a link has a tag that is selected; also one without, where no tag is asked for. */
export function isSelected(tag: Tag | undefined, { owner, tag: parts }: TagSelection): boolean {
  if (owner !== undefined && tag?.owner !== owner) return false;
  return parts === undefined || (tag !== undefined && tagMatches(tag, parts));
}

/**
 * What the aliases of all tags that are selected have in common, for the native side to look for:
 * how they begin, and what stands in them between semicolons; of an entry with several texts between
 * semicolons, one of them. Others may have it, too.
 */
export function aliasPattern({ owner, tag = {} }: TagSelection): {
  prefix: string;
  fields: string[];
} {
  const fields = partNames.flatMap((name) => {
    const text = tag[name];
    if (text === undefined) return [];
    const { key, most } = partRules[name];
    // Who writes tags with larger shares has it unhashed, which matches as well.
    const written = new Set([writePart(text, most), escapePart(text)]);
    return [[...written].map((part) => `${key}=${part}`).join(";")];
  });
  return { prefix: owner === undefined ? tagMark : tagPrefix(owner), fields };
}

/** A part as it stands in an alias, of a tag that was read and of parts that are to be written. */
function writtenPart(parts: TagParts & Pick<Tag, "hashed">, name: keyof TagParts) {
  const text = parts[name];
  if (text === undefined || parts.hashed?.includes(name)) return text;
  return writePart(text, partRules[name].most);
}

/** Whether a tag has every part that `parts` names, hashed ones included. */
export function tagMatches(tag: TagParts & Pick<Tag, "hashed">, parts: TagParts): boolean {
  return partNames.every((name) => {
    const wanted = writtenPart(parts, name);
    return wanted === undefined || wanted === writtenPart(tag, name);
  });
}

/** A part with its key, as it stands in an alias; undefined where there is none. */
function writtenField(parts: TagParts & Pick<Tag, "hashed">, name: keyof TagParts) {
  const written = writtenPart(parts, name);
  return written === undefined ? undefined : `${partRules[name].key}=${written}`;
}

/** Parts of many tags that are looked for: finding out whether a tag has some does not grow with them. */
export class TagSet {
  /** What is written of all that name the same parts, by these. */
  readonly #groups = new Map<string, { names: (keyof TagParts)[]; written: Set<string> }>();

  constructor(all: readonly TagParts[]) {
    for (const parts of all) {
      const names = partNames.filter((name) => parts[name] !== undefined);
      const key = names.join();
      const group = this.#groups.get(key) ?? { names, written: new Set() };
      group.written.add(writtenFields(parts, names));
      this.#groups.set(key, group);
    }
  }

  /** Whether a tag has all the parts that one of them names, as {@link tagMatches} compares them. */
  matches(tag: Tag): boolean {
    for (const { names, written } of this.#groups.values())
      if (written.has(writtenFields(tag, names))) return true;
    return false;
  }
}

function writtenFields(
  parts: TagParts & Pick<Tag, "hashed">,
  names: readonly (keyof TagParts)[],
): string {
  return names.map((name) => writtenField(parts, name)).join(";");
}

/** One text for whichever microVM and interface a tag names: the same for what would be written so. */
export function purposeOf(parts: TagParts & Pick<Tag, "hashed">): string {
  return `${writtenPart(parts, "microvm") ?? ""};${writtenPart(parts, "interface") ?? ""}`;
}
