/** The one error class for what the kernel, or the library in its stead, refuses. */
import type { NativeFailure } from "./addon.js";
import { errnoName } from "./errno.js";
import { holderText } from "./holder.js";
import type { LinkBase } from "./link.js";
import { facadeReasons, type Reason, type ReasonEntry, reasons } from "./reasons.js";
import { shown } from "./shown.js";

const entries: Readonly<Record<Reason, ReasonEntry>> = { ...reasons, ...facadeReasons };

/** The facts of a failure, as the native side or the loader knows them. */
export type FlintapErrorFacts = Omit<NativeFailure, "reason" | "work" | "holder"> & {
  reason: Reason;
  holder?: string;
  alsoFull?: string[];
};

function codeOf(entry: ReasonEntry, errno: number): string {
  return entry.code ?? (errno === 0 ? "ERR_FLINTAP_REFUSED" : errnoName(errno));
}

/** "; there are: br0, br1 and 3 more". */
function existingText({ existing, existingMore = 0 }: FlintapErrorFacts): string {
  if (existing === undefined) return "";
  if (existing.length === 0) return "; there is none";
  const more = existingMore > 0 ? ` and ${existingMore} more` : "";
  return `; there are: ${existing.join(", ")}${more}`;
}

/** "; also full: br0, br1". */
function fullText({ alsoFull = [] }: FlintapErrorFacts): string {
  return alsoFull.length === 0 ? "" : `; also full: ${alsoFull.join(", ")}`;
}

/** How many of what is left behind a message names; the error's field has all. */
const mostLeft = 8;

/** "; left behind: fltap0, fltap1 and 3 more". */
function leftText({ leftBehind = [] }: FlintapErrorFacts): string {
  if (leftBehind.length === 0) return "";
  const more = leftBehind.length - mostLeft;
  return `; left behind: ${leftBehind.slice(0, mostLeft).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** "createTap fltap0 on br0: the bridge has no free port (EXFULL at attach; kernel: 'text')". */
function messageOf(entry: ReasonEntry, code: string, facts: FlintapErrorFacts): string {
  const device = facts.device === undefined ? "" : ` ${facts.device}`;
  const subject = facts.on === undefined ? device : `${device} on ${facts.on}`;
  const setting =
    facts.attribute === undefined
      ? ""
      : `: ${facts.attribute} is ${facts.actual}, not ${facts.expected}`;
  const whose = facts.reason === "not-ours" ? "it belongs to" : "held by";
  const holder = facts.holder === undefined ? "" : `; ${whose} ${facts.holder}`;
  const known = existingText(facts) + fullText(facts) + holder;
  const kernel = facts.kernelMessage === undefined ? "" : `; kernel: '${facts.kernelMessage}'`;
  return `${facts.operation}${subject}: ${entry.summary}${setting}${known} (${code} at ${facts.step}${kernel})${leftText(facts)}`;
}

/**
 * A refusal by the kernel, or by the library in its stead. Match on `code` or, finer, on `reason`;
 * both are listed in docs/errors.md. Wrong arguments are TypeErrors and RangeErrors instead.
 */
export class FlintapError extends Error {
  /** The errno's name, such as `EEXIST`, or one of the library's own, `ERR_FLINTAP_…`. */
  readonly code: string;
  /** Why, finer than the code. */
  readonly reason: Reason;
  /** The kernel's error number; 0 where the library refused by itself. */
  readonly errno: number;
  /** The call that failed. */
  readonly operation: string;
  /** The step of it that failed, such as "create" or "open /dev/net/tun". */
  readonly step: string;
  /** What to do about it. */
  readonly hint: string;
  /** The device it was about. */
  declare readonly device?: string;
  /** The kernel's own text, if it gave one. */
  declare readonly kernelMessage?: string;
  /** What is not as asked: a setting that the kernel ignored, or a link's `namespace`. */
  declare readonly attribute?: string;
  /** What it was to be. */
  declare readonly expected?: string;
  /** What it is. */
  declare readonly actual?: string;
  /** The parent or the bridge on which the device was to be; absent where it is `device` itself. */
  declare readonly on?: string;
  /**
   * For reasons `"no-such-bridge"` and `"no-such-parent"`: the names of those that there are in the
   * namespace, sorted; up to 8. A parent is any Ethernet link but macvtaps, macvlans and taps.
   */
  declare readonly existing?: string[];
  /** How many there are beside `existing`, where these are not all. */
  declare readonly existingMore?: number;
  /** For reason `"bridge-full"`: the bridges that were tried before `on`, and are full as well. */
  declare readonly alsoFull?: string[];
  /**
   * Who has it, in words. For a name, an alt name, an index or a MAC that is taken: the link, with the
   * owner and microVM of its tag. For `"not-ours"`: the owner in the link's tag, or nobody. For
   * `"tap-held"`: the process, where /proc shows it to this one. Absent where it is not known.
   */
  declare readonly holder?: string;
  /** What could not be undone, and is still there. */
  declare readonly leftBehind?: string[];

  static {
    Object.defineProperty(FlintapError.prototype, "name", {
      value: "FlintapError",
      configurable: true,
      writable: true,
    });
  }

  readonly #facts: FlintapErrorFacts;

  /** @internal */
  constructor(facts: FlintapErrorFacts, options?: ErrorOptions) {
    const entry = entries[facts.reason];
    const code = codeOf(entry, facts.errno);
    super(shown(messageOf(entry, code, facts)), options);
    this.#facts = facts;
    const { reason, errno, operation, step, ...rest } = facts;
    this.code = code;
    this.reason = reason;
    this.errno = errno;
    this.operation = operation;
    this.step = step;
    this.hint = typeof entry.hint === "string" ? entry.hint : entry.hint(facts);
    for (const [key, value] of Object.entries(rest))
      if (value !== undefined) Object.defineProperty(this, key, { value, enumerable: true });
  }

  /**
   * The same failure with more facts, and with the stack of who calls this: V8 keeps ten frames of a
   * stack, too few to lead from a plan's smallest step back to its caller.
   *
   * @internal
   */
  static again(error: FlintapError, more: Partial<FlintapErrorFacts> = {}): FlintapError {
    const { cause } = error;
    const facts = { ...error.#facts, ...more };
    return new FlintapError(facts, cause === undefined ? undefined : { cause });
  }
}

/** Whether the native side threw it: facts, not yet an error. */
export function isFailure(thrown: unknown): thrown is NativeFailure {
  return (
    typeof thrown === "object" &&
    thrown !== null &&
    "reason" in thrown &&
    typeof thrown.reason === "string" &&
    "operation" in thrown
  );
}

/**
 * What the native side threw, as the error to throw on; of `call`, where that asked the native side
 * for something of another name. Call it in the async function that awaited the operation, so that
 * the stack goes on to the caller.
 */
export function errorOf(thrown: unknown, call?: string, options?: ErrorOptions): unknown {
  if (thrown instanceof Error || !isFailure(thrown)) return thrown;
  const { work: _, reason: given, holder, operation, ...rest } = thrown;
  const reason = Object.hasOwn(reasons, given) ? (given as Reason) : "kernel";
  const facts = { ...rest, reason, operation: call ?? operation };
  if (holder === undefined) return new FlintapError(facts, options);
  return new FlintapError({ ...facts, holder: holderText(holder, reason) }, options);
}

/** For a link that somebody else has made, where an operation is about devices of one's own. */
export function notOurs({ name, kind, alias = "" }: LinkBase, operation: string): FlintapError {
  const reason = "not-ours";
  const holder = holderText({ name, kind, alias }, reason);
  return new FlintapError({ errno: 0, reason, operation, step: "look up", device: name, holder });
}

/** Whether an error says that there is no such link; any other is a failure, and never "no". */
export function isGone(error: unknown): boolean {
  return error instanceof FlintapError && error.reason === "no-such-link";
}
