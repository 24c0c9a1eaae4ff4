/**
 * Looks at what there is of the devices that are wanted. By their derived alt names, all in one send:
 * what it costs does not grow with the links of a host. All links are listed only where what is not
 * wanted is to be found as well.
 */
import type { PlaceRole } from "../addon.js";
import { stableGuestMac } from "../create-requests.js";
import { isGone, notOurs } from "../error.js";
import type { Link, LinkBase } from "../link.js";
import { operationsOf } from "../network-namespace.js";
import { placeRequest } from "../requests.js";
import { purposeOf, type TagParts, TagSet } from "../tag.js";
import { tapShape } from "../vmm.js";
import {
  asideName,
  type DesiredDevice,
  keyName,
  macName,
  placeOf,
  withGuestMac,
} from "./device.js";
import { isInTheMaking, untilMade } from "./in-the-making.js";
import type { Looking } from "./looking.js";

/** What there is of a device. */
export interface Found {
  /** The device itself. */
  link?: Link;
  /** Another that was to be replaced by it. */
  aside?: Link;
  /** A link that is not meant, and has its name. */
  stranger?: Link;
}

/** Links by each of their names. */
export class NamedLinks {
  readonly #byName = new Map<string, Link>();

  constructor(links: readonly Link[]) {
    for (const link of links) for (const name of namesOf(link)) this.#byName.set(name, link);
  }

  /** The link that has the name or alt name. */
  get(name: string | undefined): Link | undefined {
    return name === undefined ? undefined : this.#byName.get(name);
  }
}

function namesOf({ name, altNames }: LinkBase): string[] {
  return [name, ...altNames];
}

/** Finds links by names; none where there are none. */
export async function findNamed(
  names: readonly string[],
  { namespace, signal }: Looking,
): Promise<NamedLinks> {
  return new NamedLinks(names.length === 0 ? [] : await namespace.findLinks(names, { signal }));
}

/**
 * Finds devices, in their order; those that another process is just making are waited for, unless
 * they are to be had `asTheyAre`. Rejects with reason `"not-ours"` where another owner's link has the
 * alt name of one.
 */
export async function findAll(
  devices: readonly DesiredDevice[],
  looking: Looking,
  { asTheyAre = false }: { asTheyAre?: boolean } = {},
): Promise<Found[]> {
  let found: Found[] = [];
  const look = async (): Promise<Link[]> => {
    found = await findAsTheyAre(devices, looking);
    return found.flatMap(({ link, stranger }, at) => {
      const links = [link, stranger].filter((one) => one !== undefined);
      return links.filter((one) => isHalfMade(one, devices[at]));
    });
  };
  await (asTheyAre ? look() : untilMade(look, looking));
  const { owner } = looking.namespace;
  for (const { link } of found)
    if (link?.tag !== undefined && link.tag.owner !== owner) throw notOurs(link, "plan");
  return found;
}

/** Whether a link that has a device's name or alt name may be one that is just being made. */
export function isHalfMade(link: Link, device: DesiredDevice | undefined): boolean {
  return isInTheMaking(link, device?.kind === "tap" && tapShape(device).persist);
}

async function findAsTheyAre(
  devices: readonly DesiredDevice[],
  looking: Looking,
): Promise<Found[]> {
  const { owner } = looking.namespace;
  const names = devices.flatMap((device) => [
    keyName(owner, device),
    asideName(owner, device),
    device.name,
  ]);
  const links = await findNamed(names, looking);
  return devices.map((device): Found => {
    const link = links.get(keyName(owner, device));
    const aside = links.get(asideName(owner, device));
    const named = links.get(device.name);
    if (named === undefined || named === link || named === aside) return { link, aside };
    if (link === undefined && isMeant(named, device, owner)) return { link: named, aside };
    return { link, aside, stranger: named };
  });
}

/**
 * The links of devices that are known by no more than what they are for: each under its derived alt
 * name, set aside or under a name that it may have. Those in the making are waited for.
 */
export async function findByPurpose(
  purposes: readonly { tag: DesiredDevice["tag"]; name: string }[],
  looking: Looking,
): Promise<Link[]> {
  const { owner } = looking.namespace;
  const names = purposes.flatMap((one) => [keyName(owner, one), asideName(owner, one), one.name]);
  let links: Link[] = [];
  if (names.length === 0) return links;
  await untilMade(async () => {
    const found = await looking.namespace.findLinks(names, { signal: looking.signal });
    links = found;
    return found.filter((link) => isInTheMaking(link));
  }, looking);
  return links;
}

/** Whether a link's tag says that it is this device. */
function isMeant({ tag }: Link, device: DesiredDevice, owner: string): boolean {
  return tag?.owner === owner && purposeOf(tag) === purposeOf(device.tag);
}

/** The owner's links that have one of these tags, by one listing. */
export async function listTagged(
  tags: readonly TagParts[],
  { namespace, signal }: Looking,
): Promise<Link[]> {
  const [only, ...more] = tags;
  if (only === undefined) return [];
  const { owner } = namespace;
  if (more.length === 0) return await namespace.listLinks({ owner, tag: only, signal });
  const links = await namespace.listLinks({ owner, signal });
  const wanted = new TagSet(tags);
  return links.filter(({ tag }) => tag !== undefined && wanted.matches(tag));
}

/** Devices that have lost the name by which they are known, by what their tags say. */
export class TaggedLinks {
  readonly #byPurpose: Map<string, Link>;

  constructor(links: readonly Link[]) {
    this.#byPurpose = new Map(links.map((link) => [purposeOf(link.tag ?? {}), link]));
  }

  /** The one for a device, but for one that was set aside. */
  get({ tag }: DesiredDevice, aside: Link | undefined): Link | undefined {
    const link = this.#byPurpose.get(purposeOf(tag));
    return link?.index === aside?.index ? undefined : link;
  }
}

/** Reads the link on which a device is to be, and refuses one on which none can be. */
export async function getPlace(
  name: string,
  role: PlaceRole,
  { namespace, signal }: Looking,
): Promise<Link> {
  const { links } = await operationsOf(namespace).run("getPlace", placeRequest(name, role), signal);
  return links[0] as Link;
}

/** The index of a place that is not there: no link has it. */
const noPlace = -1;

/** The links that devices hang on, or are to hang on. */
export class KnownPlaces {
  readonly #indexes = new Map<string, number>();
  readonly #names = new Map<number, string>();

  /**
   * Looks at the places that are wanted: refused with reason `"no-such-parent"`, `"no-such-bridge"`,
   * `"not-a-bridge"` or another that says why no device can be there.
   */
  async require(devices: readonly DesiredDevice[], looking: Looking): Promise<void> {
    const places = new Map<string, [name: string, role: PlaceRole]>();
    for (const device of devices) {
      const [name, role] = [placeOf(device), roleOf(device)];
      if (name !== undefined) places.set(`${role} ${name}`, [name, role]);
    }
    await Promise.all(
      [...places.values()].map(async ([name, role]) => {
        const { index } = await getPlace(name, role, looking);
        this.add(name, index);
      }),
    );
  }

  /** A place that was looked at before. */
  add(name: string, index: number): void {
    this.#indexes.set(name, index);
    this.#names.set(index, name);
  }

  /** A place that is wanted and is not there: no device is on it, nor can be. */
  addMissing(name: string): void {
    this.#indexes.set(name, noPlace);
  }

  /** Asks for the names of the places where links are. */
  async learn(links: readonly Link[], { namespace, signal }: Looking): Promise<void> {
    const indexes = links.flatMap(({ master, parent, parentNamespace }) => [
      master,
      parentNamespace === undefined ? parent : undefined,
    ]);
    const unknown = new Set(indexes.filter((index) => index !== undefined && !this.nameOf(index)));
    await Promise.all(
      [...unknown].map(async (index) => {
        try {
          const { name } = await namespace.getLink(index as number, { signal });
          this.#names.set(index as number, name);
        } catch (error) {
          if (!isGone(error)) throw error;
        }
      }),
    );
  }

  /** The index of the link that a device is to hang on; undefined where it hangs on none. */
  indexFor(device: DesiredDevice): number | undefined {
    const name = placeOf(device);
    return name === undefined ? undefined : this.#indexes.get(name);
  }

  /** Whether the link is not there that a device is to hang on. */
  isMissing(device: DesiredDevice): boolean {
    return this.indexFor(device) === noPlace;
  }

  /** The name of a link, if it is known. */
  nameOf(index: number | undefined): string | undefined {
    return index === undefined ? undefined : this.#names.get(index);
  }
}

function roleOf(device: DesiredDevice): PlaceRole {
  if (device.kind === "tap") return "bridge";
  return device.mode === "passthru" ? "passthruParent" : "parent";
}

/**
 * The devices with the MACs that their guests are to use: what is said, what the device that is there
 * has in its tag, or what a create would choose every time.
 */
export async function withGuestMacs(
  devices: readonly DesiredDevice[],
  found: readonly Found[],
  { namespace }: Looking,
): Promise<DesiredDevice[]> {
  const lacks = (device: DesiredDevice): boolean =>
    device.tag.guestMac === undefined && !(device.kind === "macvtap" && device.mode === "passthru");
  if (!devices.some(lacks)) return [...devices];
  const origin = await operationsOf(namespace).origin();
  return devices.map((device, at) => {
    if (!lacks(device)) return device;
    const known = found[at]?.link?.tag?.guestMac;
    return withGuestMac(device, known ?? stableGuestMac(device.kind, device, origin));
  });
}

/** Of devices that have no alt name for their guest's MAC yet, the links that have it. */
export async function sameMacs(
  devices: readonly DesiredDevice[],
  found: readonly Found[],
  places: readonly (number | undefined)[],
  looking: Looking,
): Promise<(Link | undefined)[]> {
  const names = devices.map((device, at) => {
    const name = macName(device, places[at]);
    const has = name !== undefined && found[at]?.link?.altNames.includes(name);
    return has ? undefined : name;
  });
  const links = await findNamed(
    names.filter((name) => name !== undefined),
    looking,
  );
  return names.map((name) => links.get(name));
}
