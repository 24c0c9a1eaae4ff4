/**
 * The links of a namespace as a watch has told of them: turns what the native side says has happened
 * into events. Pure; knows no thread.
 */
import { isDeepStrictEqual } from "node:util";
import type { NativeLinkNews, NativeReference } from "./addon.js";
import type { Link, LinkBase } from "./link.js";
import { tagged } from "./tagged-link.js";

/**
 * A field of a link, as far as it is compared: counters are not, nor what has no name, and a tag is
 * told of by the alias that it stands in.
 */
export type LinkField = Exclude<keyof LinkBase | "details", "statistics" | "tag" | "unknown">;

/** A link has come: made, or moved here from another namespace. */
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
  /** The fields that differ. */
  changes: LinkField[];
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
export interface LinkFilter {
  kind?: string;
  master?: NativeReference;
  parent?: NativeReference;
  owner?: string;
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

  constructor(filter: LinkFilter) {
    this.#filter = filter;
  }

  /** Takes a part of the links that are there when the watch begins. */
  begin(news: readonly NativeLinkNews[]): void {
    for (const one of news) this.#step(one);
  }

  /** Those links, when all are taken. */
  begun(): LinkAdded[] {
    const known = [...this.#known.values()];
    for (const one of known) one.matches = this.#matches(one.link);
    return known
      .filter(({ matches }) => matches)
      .map(({ link }) => ({ type: "added", link, initial: true }));
  }

  /**
   * The events that a batch makes. All of it is taken before any of it is looked at: a port can come
   * before the bridge by whose name it is asked for.
   */
  take(news: readonly NativeLinkNews[]): LinkEvent[] {
    const steps = news.map((one) => this.#step(one));
    return steps.flatMap((step) => this.#events(step));
  }

  #step(news: NativeLinkNews): Step {
    const known = this.#known.get(news.index);
    const link = this.#now(news, known?.link);
    if (link === undefined && !news.removed) return {};
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
    if (link !== undefined) return tagged<Link>(link);
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
    if (before === undefined) {
      if (now.matches) events.push({ type: "added", link: now.link, initial: false });
    } else if (now.matches || before.matches) {
      const changes = changesBetween(before.link, now.link);
      if (changes.length > 0)
        events.push({ type: "changed", link: now.link, previous: before.link, changes });
    }
    return events;
  }

  #matches(link: Link): boolean {
    const { kind, master, parent, owner } = this.#filter;
    return (
      (kind === undefined || link.kind === kind) &&
      (owner === undefined || link.tag?.owner === owner) &&
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
