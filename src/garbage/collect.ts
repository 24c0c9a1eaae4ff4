/**
 * Collects what an owner's microVMs have left: devices that the list of those to keep does not name. It
 * stands beside desired state, and only shares with it what a half-made device looks like.
 */
import { untilAborted } from "../cancellation.js";
import {
  argumentError,
  arrayOf,
  boolean,
  type Check,
  type ChecksFor,
  integer,
  object,
} from "../check.js";
import { isInTheMaking, untilMade } from "../desired/in-the-making.js";
import type { Looking } from "../desired/looking.js";
import { isGone } from "../error.js";
import { handle } from "../handle.js";
import type { Link } from "../link.js";
import { NetworkNamespace, operationsOf } from "../network-namespace.js";
import type { DeleteResult, OperationOptions } from "../options.js";
import { operationChecks, optionsOf } from "../shared-options.js";
import { someTagParts, type TagParts, TagSet, tagOwner } from "../tag.js";
import { isMarked, type Moment, sortOut, type UnclearLink } from "./sorting.js";

/** For {@link collectGarbage}. */
export interface CollectOptions extends OperationOptions {
  /**
   * Whose devices. Default: the owner of `namespace`. One of the two is given: nobody's devices are
   * deleted by default.
   */
  owner?: string;
  /**
   * Where, and whose. Default: the process's own namespace, by a handle that is closed at the end.
   */
  namespace?: NetworkNamespace;
  /**
   * What is to stay: devices whose tag has the parts of one of these, as `tagMatches` compares them, such
   * as `{ microvm: "default/mvm1" }`. Each names at least one part. `[]` is an empty list; what is not
   * known is none: anything but a list is a TypeError, and nothing is deleted. Thousands cost no more
   * than one.
   *
   * A function is asked when all devices have been looked at, and says what is to stay then. Where it
   * gives a list at once, and no promise, the deletes are queued before anything else of the process
   * runs. So a daemon that first notes a microVM in its list and then gives it its devices, by the same
   * handle, never loses one that it has just adopted: the device is in the list, or gone before it is
   * looked for. Where it throws or rejects, that comes out, and nothing is deleted.
   */
  keep: readonly TagParts[] | (() => readonly TagParts[] | Promise<readonly TagParts[]>);
  /**
   * Milliseconds that a device must have been there, so that what is just being made for a microVM that
   * is in no list yet stays. By the whole seconds of its tag: a device is up to one second older than
   * it counts. One that was made before the machine was started, and came with a container that was
   * restored, is old enough. 0: its age is not looked at. Default: 60,000.
   */
  minAge?: number;
  /** Say what would be deleted, and delete nothing. Default: false. */
  dryRun?: boolean;
}

/** A device that could not be deleted. */
export interface FailedLink {
  /** The device, as it was found. */
  link: Link;
  /** Why: a FlintapError, or the signal's reason. */
  error: unknown;
}

/** What {@link collectGarbage} found, and what became of it; each device is in one of the lists. */
export interface Collected {
  /** What was deleted; with `dryRun`, what would be. */
  removed: Link[];
  /**
   * What was to be deleted and was not there any more: deleted by somebody else, moved to another
   * namespace, or without its identity. A link that has its name by now was not touched.
   */
  gone: Link[];
  /** What is still there although it was to be deleted. */
  failed: FailedLink[];
  /** What nobody names and is younger than `minAge`. */
  young: Link[];
  /** What may be the owner's, and was left alone since that cannot be said: somebody has to look. */
  unclear: UnclearLink[];
  /** What the list names. */
  kept: Link[];
}

type Keep = CollectOptions["keep"];

const ofKeep = { ...optionsOf("collectGarbage"), option: "keep" };

const keepList: Check<TagParts[]> = (value, place) => {
  if (Array.isArray(value)) return arrayOf(someTagParts)(value, place);
  const expected = "a list of what is to stay, or a function that gives one";
  throw argumentError("ERR_INVALID_ARG_TYPE", expected, place, value);
};

const keepOption: Check<Keep> = (value, place) =>
  typeof value === "function" ? (value as Keep) : keepList(value, place);

const collectOptions = object(
  {
    ...operationChecks,
    owner: tagOwner,
    namespace: handle,
    keep: keepOption,
    minAge: integer(0, Number.MAX_SAFE_INTEGER),
    dryRun: boolean,
  } satisfies ChecksFor<CollectOptions>,
  ["keep"],
);

type Checked = ReturnType<typeof collectOptions>;

/**
 * Deletes the devices that an owner has made for guests, and that the list of what is to stay does not
 * name: those whose tag names a microVM or an interface. A bridge or another device whose tag names
 * neither is nobody's, and passed over, as is all that has no tag of this owner. What may be the
 * owner's and cannot be told is reported (`unclear`), and left alone. A device that another process is
 * just making is waited for.
 *
 * It is one listing of all links. A device is deleted by its identity, as `deleteLinks` does it: what
 * took its name meanwhile is not touched, and one that cannot be deleted keeps no other from it. When
 * the signal fires before, the call rejects with its reason and nothing is deleted; later, what has
 * begun is finished, and the others are in `failed`, with the reason.
 *
 * Rejects with what `listLinks` does; then nothing is deleted.
 *
 * @throws {TypeError} The options are wrong, or what `keep` gave is.
 */
export async function collectGarbage(options: CollectOptions): Promise<Collected> {
  const checked = collectOptions(options, optionsOf("collectGarbage"));
  const { namespace } = checked;
  const owner = ownerOf(checked);
  checked.signal?.throwIfAborted();
  if (namespace !== undefined) return await collect(checked, namespace);
  await using own = NetworkNamespace.current({ owner });
  return await collect(checked, own);
}

function ownerOf({ owner, namespace }: Checked): string {
  const place = { ...optionsOf("collectGarbage"), option: "owner" };
  const known = owner ?? namespace?.owner;
  if (known === undefined)
    throw argumentError("ERR_INVALID_ARG_TYPE", "an owner, or a `namespace`", place, owner);
  if (namespace === undefined || known === namespace.owner) return known;
  const expected = `that of the handle, ${namespace.owner}`;
  throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, owner);
}

async function collect(
  { keep, minAge = 60_000, dryRun = false, signal }: Checked,
  namespace: NetworkNamespace,
): Promise<Collected> {
  const links = await listMarked({ namespace, signal });
  const moment = await momentOf(namespace);
  signal?.throwIfAborted();
  // From here to the deletes nothing may be awaited where the list is there at once: what is noted in it
  // later is asked for later, too.
  const given = typeof keep === "function" ? keep() : keep;
  const list = Array.isArray(given) ? given : await inTime(given, signal);
  const kept = new TagSet(keepList(list, ofKeep));
  signal?.throwIfAborted();
  const sorting = { owner: namespace.owner, keep: kept, minAge, moment };
  const { garbage, ...others } = sortOut(links, sorting);
  const deleted = dryRun
    ? { removed: garbage, gone: [], failed: [] }
    : outcomes(garbage, await namespace.deleteLinks(garbage, { signal }));
  return { ...deleted, ...others };
}

/** What a function gives later, or at once and is no list. */
async function inTime<T>(given: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await given;
  return await untilAborted(signal, Promise.resolve(given), () => true);
}

/** All links that flintap has made; those that are in the making are waited for. */
async function listMarked({ namespace, signal }: Looking): Promise<Link[]> {
  const found = (await namespace.listLinks({ signal })).filter(isMarked);
  const made = found.filter((link) => !isHalfMade(link));
  let others = found.filter(isHalfMade);
  const names = others.flatMap(({ identity }) => identity ?? []);
  let isFirst = true;
  await untilMade(
    async () => {
      if (!isFirst) others = await namespace.findLinks(names, { signal });
      isFirst = false;
      return others.filter(isHalfMade);
    },
    { namespace, signal },
  );
  return [...made, ...others];
}

/** Every device gets its identity first, its tag then, and is set up last. */
function isHalfMade(link: Link): boolean {
  return link.alias === undefined && (!link.up || isInTheMaking(link));
}

/** When it is, by the clock and the boot that the tags of new devices are written by. */
async function momentOf(namespace: NetworkNamespace): Promise<Moment> {
  const { now, bootId } = await operationsOf(namespace).origin();
  return { now, bootId, sinceBoot: Number(process.hrtime.bigint() / 1_000_000n) };
}

function outcomes(
  links: readonly Link[],
  results: readonly DeleteResult[],
): Pick<Collected, "removed" | "gone" | "failed"> {
  const sorted: Pick<Collected, "removed" | "gone" | "failed"> = {
    removed: [],
    gone: [],
    failed: [],
  };
  for (const [at, link] of links.entries()) {
    const result = results[at] as DeleteResult;
    if (result.deleted) sorted.removed.push(link);
    else if (isGone(result.error)) sorted.gone.push(link);
    else sorted.failed.push({ link, error: result.error });
  }
  return sorted;
}
