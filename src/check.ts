/**
 * Argument errors, and the small checks that raise them. Knows nothing of links or the kernel.
 */
import { inspect } from "node:util";

/** Which argument or option of which call a value came by. */
export interface Place {
  /** The call's name. */
  call: string;
  /** The argument's name. */
  argument: string;
  /** The option's name, with its parents' before it: `tag.microvm`. Absent: the argument itself. */
  option?: string;
}

/** The codes of argument errors, as Node.js itself uses them. */
export type ArgumentErrorCode =
  | "ERR_INVALID_ARG_TYPE"
  | "ERR_INVALID_ARG_VALUE"
  | "ERR_OUT_OF_RANGE";

/** Gives the value in the form the library works with, or throws an argument error. */
export type Check<T> = (value: unknown, place: Place) => T;

/** One check for every option of `Options`, so that none is forgotten. */
export type ChecksFor<Options> = Record<keyof Options & string, Check<unknown>>;

/** What `object` gives back: every option as its check left it, absent unless it was set. */
type Checked<Checks extends Record<string, Check<unknown>>, Required extends keyof Checks> = {
  [Key in keyof Checks]?: ReturnType<Checks[Key]>;
} & { [Key in Required]: ReturnType<Checks[Key]> };

function placeText({ call, argument, option }: Place): string {
  return option === undefined
    ? `\`${call}\` argument \`${argument}\``
    : `\`${call}\` option \`${option}\``;
}

function valueText(value: unknown): string {
  const text = inspect(value, { depth: 0, maxStringLength: 80, maxArrayLength: 3 });
  return value === undefined || value === null ? text : `${text} of type ${typeof value}`;
}

/** "Expected X for `createTap` option `mtu` but received Y of type Z". */
export function argumentError(
  code: ArgumentErrorCode,
  expected: string,
  place: Place,
  value: unknown,
): TypeError | RangeError {
  const text = `Expected ${expected} for ${placeText(place)} but received ${valueText(value)}`;
  const error = code === "ERR_OUT_OF_RANGE" ? new RangeError(text) : new TypeError(text);
  return Object.assign(error, { code });
}

/** Refuses the first of `keys` that is set. */
export function refuseOptions<T extends object>(
  options: T,
  keys: readonly (keyof T & string)[],
  expected: string,
  place: Place,
): void {
  for (const key of keys) {
    if (options[key] === undefined) continue;
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, inside(place, key), options[key]);
  }
}

/** The place of an option inside the object at `place`. */
function inside(place: Place, key: string): Place {
  const { call, argument, option } = place;
  return { call, argument, option: option === undefined ? key : `${option}.${key}` };
}

/** `true` or `false`. */
export const boolean: Check<boolean> = (value, place) => {
  if (typeof value !== "boolean")
    throw argumentError("ERR_INVALID_ARG_TYPE", "a boolean", place, value);
  return value;
};

/** What can be called. */
export const callback: Check<(...given: never[]) => unknown> = (value, place) => {
  if (typeof value !== "function")
    throw argumentError("ERR_INVALID_ARG_TYPE", "a function", place, value);
  return value as (...given: never[]) => unknown;
};

/** Any string. */
export const string: Check<string> = (value, place) => {
  if (typeof value !== "string")
    throw argumentError("ERR_INVALID_ARG_TYPE", "a string", place, value);
  return value;
};

function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== "object" || value === null) return false;
  const { aborted, throwIfAborted, addEventListener }: Partial<AbortSignal> = value;
  return (
    typeof aborted === "boolean" &&
    typeof throwIfAborted === "function" &&
    typeof addEventListener === "function"
  );
}

/** What an AbortController has, also one of another realm. */
export const abortSignal: Check<AbortSignal> = (value, place) => {
  if (!isSignal(value)) throw argumentError("ERR_INVALID_ARG_TYPE", "an AbortSignal", place, value);
  return value;
};

/** A whole number from `least` to `most`, both included. */
export function integer(least: number, most: number): Check<number> {
  const expected = `an integer from ${least} to ${most}`;
  return (value, place) => {
    if (typeof value !== "number")
      throw argumentError("ERR_INVALID_ARG_TYPE", expected, place, value);
    if (!Number.isInteger(value) || value < least || value > most)
      throw argumentError("ERR_OUT_OF_RANGE", expected, place, value);
    return value;
  };
}

/** One of the values named. */
export function oneOf<T extends string | number>(...values: readonly T[]): Check<T> {
  const expected = `one of ${values.map((value) => inspect(value)).join(", ")}`;
  return (value, place) => {
    if (!values.includes(value as T))
      throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, value);
    return value as T;
  };
}

/** An array in which every element passes `check`. */
export function arrayOf<T>(check: Check<T>): Check<T[]> {
  return (value, place) => {
    if (!Array.isArray(value))
      throw argumentError("ERR_INVALID_ARG_TYPE", "an array", place, value);
    // Unlike map, it passes over no hole.
    return Array.from(value, (element: unknown, at) => check(element, inside(place, String(at))));
  };
}

/** An option that does not exist, misspelt more likely than meant, must not pass silently. */
function unknownOption(value: object, key: string, known: Iterable<string>, place: Place): Error {
  const expected = `an option that exists (${[...known].join(", ")})`;
  const given: unknown = Reflect.get(value, key);
  return argumentError("ERR_INVALID_ARG_VALUE", expected, inside(place, key), given);
}

/**
 * An object with nothing of Object.prototype's. Of a class, since V8 makes a hash table of what has no
 * prototype at all, which is slow to fill and to read.
 */
class Bare {}
Object.setPrototypeOf(Bare.prototype, null);

/** An object with no options but those that `checks` names; `required` ones must be there. */
export function object<
  Checks extends Record<string, Check<unknown>>,
  Required extends keyof Checks & string = never,
>(checks: Checks, required: readonly Required[] = []): Check<Checked<Checks, Required>> {
  const known = new Map<string, Check<unknown>>(Object.entries(checks));
  return (value, place) => {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw argumentError("ERR_INVALID_ARG_TYPE", "an object", place, value);
    // Own ones only: nobody's addition to Object.prototype is an option.
    const keys = Object.keys(value);
    for (const key of keys)
      if (!known.has(key)) throw unknownOption(value, key, known.keys(), place);
    const checked = new Bare() as Record<string, unknown>;
    for (const key of keys) {
      const given = (value as Record<string, unknown>)[key];
      if (given !== undefined) checked[key] = known.get(key)?.(given, inside(place, key));
    }
    for (const key of required)
      if (checked[key] === undefined) checked[key] = checks[key]?.(undefined, inside(place, key));
    return checked as Checked<Checks, Required>;
  };
}
