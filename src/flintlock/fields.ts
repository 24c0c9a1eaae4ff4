/**
 * The fields that configs and specs are made of, as valibot schemas, and the one way from what a
 * schema finds to a document's faults. A schema's message is what belongs in its field: it goes
 * behind "expected".
 */
import * as v from "valibot";
import { canonicalMac, parseMac } from "../mac.js";
import { existingLinkName } from "../name.js";
import { describeValue } from "./invalid-document.js";
import { isObject } from "./reading.js";

/** A fault, its place not yet in words. */
export interface Fault {
  keys: unknown[];
  expected: string;
  received: string;
}

/** What is wrong with a value: a reason, "" where "expected" is reason enough, undefined: nothing. */
type FaultOf<Value> = (value: Value) => string | undefined;

/** A text. */
export function text(expected: string, faultOf: FaultOf<string>) {
  return v.pipe(v.string(expected), sound(expected, faultOf));
}

/** A text that may be missing: null and the empty string leave a field out, as in proto3. */
export function optionalText(expected: string, faultOf: FaultOf<string>) {
  return v.pipe(
    v.nullish(v.string(expected)),
    v.transform((value) => value || undefined),
    sound(expected, (value) => (value === undefined ? undefined : faultOf(value))),
  );
}

/** A value with which nothing is wrong. */
export function sound<Value>(expected: string, faultOf: FaultOf<Value>) {
  return v.rawCheck<Value>(({ dataset, addIssue }) => {
    const fault = dataset.typed ? faultOf(dataset.value) : undefined;
    if (fault === undefined) return;
    const received = describeValue(dataset.value);
    addIssue({ message: expected, received: fault === "" ? received : `${received} (${fault})` });
  });
}

/**
 * An object with these fields and no others, so that a misspelt one is not taken for one left out.
 * `missing` is what belongs in a field that has to be there.
 */
export function closedObject<Entries extends v.ObjectEntries>(
  entries: Entries,
  missing: { [Key in keyof Entries]?: string } = {},
) {
  const fields = v.object(
    entries,
    (issue) => missing[String(issue.path?.at(-1)?.key)] ?? "a value",
  );
  const all = v.intersect([fields, noFieldBut(Object.keys(entries))]);
  return v.pipe(
    v.custom<Record<string, unknown>>(isObject, "an object"),
    all as v.GenericSchema<Record<string, unknown>, v.InferOutput<typeof fields>>,
  );
}

/** Looks at the document's own object: of what valibot gives on, `__proto__` and its like are gone. */
function noFieldBut(known: readonly string[]) {
  return v.pipe(
    v.custom<Record<string, unknown>>(isObject),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const input = dataset.value;
      for (const key of Object.keys(input).filter((key) => !known.includes(key))) {
        addIssue({
          message: `no field but ${known.join(", ")}`,
          received: describeValue(input[key]),
          path: [{ type: "object", origin: "key", input, key, value: input[key] }],
        });
      }
    }),
    v.transform(() => ({})),
  );
}

const longestWord = 253;

/**
 * What is wrong with a word: nothing in it, a character that may not be, or too many. The limit is
 * Kubernetes' for names, and far above what flintlock makes use of.
 */
export function wordFault(value: string): string | undefined {
  const [character] = /[/\s\p{Cc}\p{Cf}\p{Cs}]/u.exec(value) ?? [];
  if (character !== undefined) return `${describeValue(character)} may not be in it`;
  if (value.length > longestWord) return `at most ${longestWord} characters`;
  return value === "" ? "" : undefined;
}

/** A variable of a template that was to be replaced, such as `${CLUSTER_NAME}`. */
const placeholder = /\$\{[^}]*\}/;

/** What is wrong with a value by which something is made or found. */
export function placeholderFault(value: string): string | undefined {
  return placeholder.test(value) ? "a placeholder that is not filled in" : undefined;
}

/** The name of an interface of the host, if one is named. */
export const hostInterface = optionalText("the name of an interface of the host", (value) => {
  try {
    existingLinkName(value, { call: "check", argument: "name" });
    return undefined;
  } catch {
    return "no name that a link can have";
  }
});

/** A MAC that a guest can have, if one is given; in lower case with colons. */
export const optionalGuestMac = v.pipe(
  optionalText("a unicast MAC", (value) => {
    const bytes = parseMac(value);
    if (bytes === undefined) return "";
    if (bytes.every((byte) => byte === 0)) return "all zero";
    return ((bytes[0] ?? 0) & 1) === 1 ? "multicast bit set" : undefined;
  }),
  v.transform((value) => value && canonicalMac(value)),
);

/** Checks a value against a schema: its output, or all the faults. */
export function check<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
): { output?: v.InferOutput<Schema>; faults: Fault[] } {
  const result = v.safeParse(schema, value);
  if (result.success) return { output: result.output, faults: [] };
  const faults = result.issues.map((issue) => ({
    keys: (issue.path ?? []).map((item) => item.key),
    expected: issue.message,
    received: issue.type === "raw_check" ? issue.received : describeValue(issue.input),
  }));
  return { faults };
}

/** `["interfaces", 1, "guest_mac"]` as `interfaces[1].guest_mac`. */
export function formatPath(keys: readonly unknown[]): string {
  return keys.map(formatStep).join("").replace(/^\./, "");
}

/** Keys that are not simply words are put in quotes, since a document may have any. */
function formatStep(key: unknown): string {
  if (typeof key === "number") return `[${key}]`;
  return /^[\w-]{1,60}$/.test(`${key}`) ? `.${key}` : `[${describeValue(`${key}`)}]`;
}
