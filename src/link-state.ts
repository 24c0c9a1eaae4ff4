/**
 * The links of a namespace as a watch has told of them: turns what the native side says has happened
 * into events. Pure; knows no thread.
 */
import { isDeepStrictEqual } from "node:util";
import type { NativeLinkNews, NativeReference } from "./addon.js";
import type { Link, LinkBase } from "./link.js";
import { tagged } from "./tagged-link.js";

/** A field of a link. */
export type LinkField = Exclude<
  { [Kind in Link["kind"]]: keyof Extract<Link, { kind: Kind }> }[Link["kind"]],
  "statistics" | "unknown"
>;

/** A link has come: made, or moved here from another namespace. */
export interface LinkAdded {
  type: "added";
  /** As it is. */
  link: Link;
  /** It was there when the watch began (only with `initial: true`). */
  initial: boolean;
}

/** A link is not as it was. Changes that follow one another before they are read are one event. */
export interface LinkChanged {
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

/** Not compared: counters, which events do not carry, and what has no name. */
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

/** Whether an index that was read before is that of another link now, though nobody said so. */
function isAnother(previous: Link, link: Link): boolean {
  return previous.identity !== link.identity || previous.kind !== link.kind;
}

/** What is known of a namespace's links, by index. */
export class LinkState {
  readonly #known = new Map<number, Known>();
  readonly #filter: LinkFilter;
  /** Tell of the links that are there when the watch begins. */
  readonly #initial: boolean;

  constructor(filter: LinkFilter, initial: boolean) {
    this.#filter = filter;
    this.#initial = initial;
  }

  /** The events that this makes. */
  take(news: NativeLinkNews): LinkEvent[] {
    const known = this.#known.get(news.index);
    const link = this.#now(news, known);
    const gone = known !== undefined && (news.removed || (link && isAnother(known.link, link)));
    const events: LinkEvent[] = [];
    if (gone) {
      this.#known.delete(news.index);
      if (known.matches) events.push({ type: "removed", link: known.link });
    }
    if (link !== undefined)
      events.push(...this.#tell(link, gone ? undefined : known, news.initial));
    return events;
  }

  /** The link as it is: as a whole, or with the parts that are new. */
  #now({ link, port, ipv6 }: NativeLinkNews, known: Known | undefined): Link | undefined {
    if (link !== undefined) return tagged<Link>(link);
    if (known === undefined || (port === undefined && ipv6 === undefined)) return undefined;
    const changed = { ...known.link };
    if (port !== undefined && changed.portKind === "bridge") changed.port = port;
    if (ipv6 !== undefined) changed.ipv6 = ipv6;
    return changed;
  }

  #tell(link: Link, known: Known | undefined, initial: boolean): LinkEvent[] {
    const matches = this.#matches(link);
    this.#known.set(link.index, { link, matches });
    if (known === undefined)
      return matches && (this.#initial || !initial) ? [{ type: "added", link, initial }] : [];
    if (!matches && !known.matches) return [];
    const changes = changesBetween(known.link, link);
    return changes.length === 0 ? [] : [{ type: "changed", link, previous: known.link, changes }];
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
    if (reference.identity === undefined && reference.index !== undefined)
      return index === reference.index;
    const link: LinkBase | undefined = this.#known.get(index)?.link;
    if (link === undefined) return false;
    if (reference.identity !== undefined) return link.identity === reference.identity;
    const { name } = reference;
    return name !== undefined && (link.name === name || link.altNames.includes(name));
  }
}
