/**
 * The links of a namespace as a watch has told of them: turns what the native side says has happened
 * into events. Pure; knows no thread.
 */
import { isDeepStrictEqual } from "node:util";
import type { NativeLinkNews, NativeReference } from "./addon.js";
import type { Link, LinkBase } from "./link.js";
import { linkOf } from "./native-link.js";
import { isSelected, type TagSelection } from "./tag.js";

/**
 * A field of a link, as far as it is compared: counters are not, nor what has no name, and a tag is
 * told of by the alias that it stands in.
 */
export type LinkField = Exclude<keyof LinkBase | "details", "statistics" | "tag" | "unknown">;

/** A link has come: made, moved here from another namespace, or come to be one that was asked for. */
export interface LinkAdded {
  /** Tells the events apart. */
  type: "added";
  /** As it is. */
  link: Link;
  /** It was there when the watch began (only with `initial: true`). */
  initial: boolean;
}

/** A link is not as it was. Changes that follow one another before they are read are one event. */
export interface LinkChanged {
  /** Tells the events apart. */
  type: "changed";
  /** As it is. */
  link: Link;
  /** As it was when it was last told of. */
  previous: Link;
  /** The fields that differ; none where only another link, such as its master, is not as it was. */
  changes: LinkField[];
  /** False: it is none of those that were asked for any more, and told of again only if it is. */
  selected: boolean;
}

/** A link has gone: deleted, or moved to another namespace. */
export interface LinkRemoved {
  /** Tells the events apart. */
  type: "removed";
  /** As it was when it was last told of. */
  link: Link;
}

/** What a watch tells. */
export type LinkEvent = LinkAdded | LinkChanged | LinkRemoved;

/** Which links to tell of: those for which everything named holds, before or after. */
export interface LinkFilter extends TagSelection {
  kind?: string;
  master?: NativeReference;
  parent?: NativeReference;
}

interface Known {
  link: Link;
  /** It matched the filter when it was last told of. */
  matches: boolean;
}

/** What {@link LinkField} leaves out; in details and port settings, too. */
const passedOver: readonly string[] = ["statistics", "unknown", "tag"];

/** What is compared of a link, or of its details: a bridge's have timers, for one, without a name. */
function compared(from: object): [name: string, value: unknown][] {
  return Object.entries(from)
    .filter(([name]) => !passedOver.includes(name))
    .map(([name, value]) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? [name, Object.fromEntries(compared(value))]
        : [name, value],
    );
}

function changesBetween(previous: Link, link: Link): LinkField[] {
  const before = new Map(compared(previous));
  const after = new Map(compared(link));
  const names = new Set([...after.keys(), ...before.keys()]);
  const changed = [...names].filter(
    (name) => !isDeepStrictEqual(before.get(name), after.get(name)),
  );
  return changed as LinkField[];
}

/**
 * Whether an index is that of another link now, though its removal was lost. A link that gets its
 * identity just now is the same.
 */
function isAnother(previous: Link, link: Link): boolean {
  if (previous.kind !== link.kind) return true;
  const known = previous.identity !== undefined && link.identity !== undefined;
  return known && previous.identity !== link.identity;
}

/** By what a link may be named. */
function namesOf(link: LinkBase | undefined): string | undefined {
  return link && JSON.stringify([link.name, link.altNames]);
}

/** What became of one index. */
interface Step {
  /** What is gone. */
  gone?: Known;
  /** What is there, and what it was before. */
  now?: Known;
  before?: Known;
}

/** What is known of a namespace's links, by index. */
export class LinkState {
  readonly #known = new Map<number, Known>();
  readonly #filter: LinkFilter;
  /** Whether a link is asked for may depend on what another one is called. */
  readonly #asksForOthers: boolean;
  /** What is still to be told. */
  #steps: Step[] = [];
  /** The links of a round that came, went or have another name: others may be asked for by it. */
  readonly #renamed = new Set<number>();

  constructor(filter: LinkFilter) {
    this.#filter = filter;
    this.#asksForOthers = filter.master !== undefined || filter.parent !== undefined;
  }

  /** Takes a part of the links that are there when the watch begins. */
  begin(news: readonly NativeLinkNews[]): void {
    for (const one of news) this.#step(one);
  }

  /** Those links, when all are taken. */
  begun(): LinkAdded[] {
    this.#renamed.clear();
    const known = [...this.#known.values()];
    for (const one of known) one.matches = this.#matches(one.link);
    return known
      .filter(({ matches }) => matches)
      .map(({ link }) => ({ type: "added", link, initial: true }));
  }

  /**
   * Takes a part of a round. All of a round is taken before any of it is told: a port can come before
   * the bridge by whose name it is asked for.
   */
  take(news: readonly NativeLinkNews[], isLast: boolean): void {
    for (const one of news) this.#steps.push(this.#step(one));
    if (isLast) this.#lookAtOthers();
  }

  /** Something that was taken has not been told. */
  get hasMore(): boolean {
    return this.#steps.length > 0;
  }

  /** The events of some of what was taken, when the round is complete. */
  tell(most: number): LinkEvent[] {
    return this.#steps.splice(0, most).flatMap((step) => this.#events(step));
  }

  /** Those whose master or parent came, went or was renamed, and that are not news themselves. */
  #lookAtOthers(): void {
    if (this.#renamed.size === 0) return;
    const told = new Set(this.#steps.map(({ now }) => now));
    for (const [index, before] of this.#known) {
      const above = [before.link.master, before.link.parent];
      const concerned = above.some((one) => one !== undefined && this.#renamed.has(one));
      if (!concerned || told.has(before)) continue;
      const now = { link: before.link, matches: false };
      this.#known.set(index, now);
      this.#steps.push({ before, now });
    }
    this.#renamed.clear();
  }

  #step(news: NativeLinkNews): Step {
    const known = this.#known.get(news.index);
    const link = this.#now(news, known?.link);
    if (link === undefined && !news.removed) return {};
    if (this.#asksForOthers && namesOf(known?.link) !== namesOf(link))
      this.#renamed.add(news.index);
    const step: Step =
      known !== undefined && (news.removed || (link && isAnother(known.link, link)))
        ? { gone: known }
        : { before: known };
    if (link === undefined) this.#known.delete(news.index);
    else {
      step.now = { link, matches: false };
      this.#known.set(news.index, step.now);
    }
    return step;
  }

  /** The link as it is: as a whole, or with the parts that are new. */
  #now({ link, port, ipv6 }: NativeLinkNews, known: Link | undefined): Link | undefined {
    if (link !== undefined) return linkOf<Link>(link);
    if (known === undefined || (port === undefined && ipv6 === undefined)) return undefined;
    const changed = { ...known };
    if (port !== undefined && changed.portKind === "bridge") changed.port = port;
    if (ipv6 !== undefined) changed.ipv6 = ipv6;
    return changed;
  }

  #events({ gone, now, before }: Step): LinkEvent[] {
    const events: LinkEvent[] = [];
    if (gone?.matches) events.push({ type: "removed", link: gone.link });
    if (now === undefined) return events;
    now.matches = this.#matches(now.link);
    const { link, matches: selected } = now;
    if (!before?.matches) {
      if (selected) events.push({ type: "added", link, initial: false });
      return events;
    }
    const changes = changesBetween(before.link, link);
    if (changes.length > 0 || !selected)
      events.push({ type: "changed", link, previous: before.link, changes, selected });
    return events;
  }

  #matches(link: Link): boolean {
    const { kind, master, parent } = this.#filter;
    return (
      (kind === undefined || link.kind === kind) &&
      isSelected(link.tag, this.#filter) &&
      (master === undefined || this.#is(link.master, master)) &&
      (parent === undefined ||
        (link.parentNamespace === undefined && this.#is(link.parent, parent)))
    );
  }

  /** Whether the link with this index is the one that is named. */
  #is(index: number | undefined, reference: NativeReference): boolean {
    if (index === undefined) return false;
    const link: LinkBase | undefined = this.#known.get(index)?.link;
    const { identity, name, namespace } = reference;
    if (namespace !== undefined && link?.namespace !== namespace) return false;
    if (identity !== undefined) return link?.identity === identity;
    if (reference.index !== undefined && reference.index !== index) return false;
    return name === undefined || link?.name === name || link?.altNames.includes(name) === true;
  }
}
