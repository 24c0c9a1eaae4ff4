/** Devices of the owner that are for what `prune` names, and are not wanted. */
import { listTagged } from "../desired/look.js";
import { isGone } from "../error.js";
import type { Link } from "../link.js";
import type { LinkEvent } from "../link-state.js";
import type { NetworkNamespace } from "../network-namespace.js";
import { type TagParts, TagSet, tagMatches } from "../tag.js";
import type { KeptDevices } from "./kept-devices.js";
import { asKeepers, type Reporter } from "./reporter.js";

/** What to do about them. */
interface Manner {
  namespace: NetworkNamespace;
  repair: boolean;
}

/** One of them. */
interface Unwanted {
  link: Link;
  /** It has been told that it is there, and why it could not be deleted. */
  isTold: boolean;
  failure?: string;
}

/** Those that were seen. */
export class UnwantedLinks {
  readonly #devices: KeptDevices;
  readonly #manner: Manner;
  readonly #reporter: Reporter;
  #prune: TagParts[];
  #pruned: TagSet;
  /** What `prune` names as well, and is not looked at any more. */
  #forgotten: TagParts[] = [];
  readonly #seen = new Map<number, Unwanted>();
  /** Those that are to be deleted now. */
  #leaving: Unwanted[] = [];

  constructor(
    devices: KeptDevices,
    prune: readonly TagParts[],
    manner: Manner,
    reporter: Reporter,
  ) {
    this.#devices = devices;
    this.#prune = [...prune];
    this.#pruned = new TagSet(prune);
    this.#manner = manner;
    this.#reporter = reporter;
  }

  /** Some are to be deleted. */
  get hasSome(): boolean {
    return this.#leaving.length > 0;
  }

  /** What is for this may be there. */
  forget(parts: TagParts): void {
    this.#prune = this.#prune.filter((one) => !tagMatches(one, parts));
    this.#pruned = new TagSet(this.#prune);
    if (this.#prune.some((one) => isAbout(one, parts))) this.#forgotten.push(parts);
  }

  /** What is for this is looked at again. */
  remember(parts: TagParts): void {
    this.#forgotten = this.#forgotten.filter((one) => !tagMatches(parts, one));
  }

  /** Notes how a link is now; whether there is something to be deleted. */
  note({ type, link }: LinkEvent): boolean {
    const isUnwanted = type !== "removed" && this.#isUnwanted(link);
    if (isUnwanted === true) this.#found(link);
    else if (isUnwanted === false) this.#seen.delete(link.index);
    return this.hasSome;
  }

  /** Lists all of them: the kernel tells of no tag of a link that is down. */
  async list(signal: AbortSignal): Promise<void> {
    if (this.#prune.length === 0) return;
    for (const link of await listTagged(this.#prune, { ...this.#manner, signal })) {
      const isUnwanted = this.#isUnwanted(link);
      // One that may be just being replaced is looked at twice.
      if (isUnwanted === true || (isUnwanted === "perhaps" && this.#seen.has(link.index)))
        this.#found(link);
      else if (isUnwanted === "perhaps") this.#seen.set(link.index, { link, isTold: false });
    }
  }

  /** Deletes them. */
  async remove(): Promise<void> {
    const some = this.#leaving.splice(0).filter(({ link }) => this.#isUnwanted(link) !== false);
    const results = await this.#manner.namespace.deleteLinks(some.map(({ link }) => link));
    for (const [at, result] of results.entries()) {
      const { link } = some[at] as Unwanted;
      if (result.deleted) this.#reporter.tell({ type: "removed", link });
      else this.#failed(some[at] as Unwanted, result.error);
    }
  }

  #found(link: Link): void {
    const known = this.#seen.get(link.index) ?? { link, isTold: false };
    const one = Object.assign(known, { link });
    this.#seen.set(link.index, one);
    if (!one.isTold) this.#reporter.tell({ type: "unwanted", link });
    one.isTold = true;
    if (this.#manner.repair && one.failure === undefined && !this.#leaving.includes(one))
      this.#leaving.push(one);
  }

  #failed(one: Unwanted, error: unknown): void {
    const failure = asKeepers(error);
    if (isGone(failure) || one.failure === failure.reason) return;
    one.failure = failure.reason;
    this.#reporter.tell({ type: "failed", link: one.link, error: failure });
  }

  /** Tries those once more that could not be deleted. */
  tryAgain(): void {
    if (!this.#manner.repair) return;
    this.#leaving = [...this.#seen.values()].filter(({ isTold }) => isTold);
  }

  #isUnwanted(link: Link): boolean | "perhaps" {
    const { tag } = link;
    if (tag === undefined || !this.#pruned.matches(tag)) return false;
    if (this.#forgotten.some((parts) => tagMatches(tag, parts))) return false;
    return this.#devices.isForNothing(link);
  }
}

/** Whether a tag may have the parts of both. */
function isAbout(one: TagParts, other: TagParts): boolean {
  const names = Object.keys(one) as (keyof TagParts)[];
  return names.every(
    (name) =>
      other[name] === undefined ||
      one[name] === undefined ||
      tagMatches(one, { [name]: other[name] }),
  );
}
