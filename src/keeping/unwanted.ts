/** Devices of the owner that are for what `prune` names, and are not wanted. */
import { FlintapError, isGone } from "../error.js";
import type { Link } from "../link.js";
import type { LinkEvent } from "../link-state.js";
import type { NetworkNamespace } from "../network-namespace.js";
import { type TagParts, TagSet, tagMatches } from "../tag.js";
import type { KeptDevices } from "./kept-devices.js";
import type { KeeperReport } from "./reports.js";

/** What to do about them. */
interface Manner {
  namespace: NetworkNamespace;
  report: (report: KeeperReport) => void;
  repair: boolean;
}

/** Those that were seen. */
export class UnwantedLinks {
  readonly #devices: KeptDevices;
  readonly #manner: Manner;
  #prune: readonly TagParts[];
  #pruned: TagSet;
  readonly #seen = new Map<number, Link>();
  /** Those that are to be deleted now. */
  #leaving: Link[] = [];

  constructor(devices: KeptDevices, prune: readonly TagParts[], manner: Manner) {
    this.#devices = devices;
    this.#prune = prune;
    this.#pruned = new TagSet(prune);
    this.#manner = manner;
  }

  /** Some are to be deleted. */
  get hasSome(): boolean {
    return this.#leaving.length > 0;
  }

  /** What is for this may be there. */
  forget(parts: TagParts): void {
    this.#prune = this.#prune.filter((one) => !tagMatches(one, parts));
    this.#pruned = new TagSet(this.#prune);
  }

  /** Notes how a link is now; whether it is to be deleted. */
  note({ type, link }: LinkEvent): boolean {
    const known = this.#seen.get(link.index);
    if (type === "removed" || !this.#isUnwanted(link)) {
      this.#seen.delete(link.index);
      return false;
    }
    this.#seen.set(link.index, link);
    if (known !== undefined) return false;
    this.#manner.report({ type: "unwanted", link });
    if (this.#manner.repair) this.#leaving.push(link);
    return this.#manner.repair;
  }

  /** Those that are still there are to be deleted once more. */
  tryAgain(): void {
    if (this.#manner.repair) this.#leaving = [...this.#seen.values()];
  }

  /** Deletes them. */
  async remove(): Promise<void> {
    const links = this.#leaving.splice(0).filter((link) => this.#isUnwanted(link));
    const { namespace, report } = this.#manner;
    const results = await namespace.deleteLinks(links);
    for (const [at, result] of results.entries()) {
      const link = links[at] as Link;
      if (result.deleted) report({ type: "removed", link });
      else if (!(result.error instanceof FlintapError)) throw result.error;
      else if (!isGone(result.error)) report({ type: "failed", link, error: result.error });
    }
  }

  #isUnwanted(link: Link): boolean {
    const { tag } = link;
    return tag !== undefined && this.#devices.isForNothing(link) && this.#pruned.matches(tag);
  }
}
