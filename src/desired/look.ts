/**
 * Looks at what there is of the devices that are wanted. By their derived alt names, all in one send:
 * what it costs does not grow with the links of a host. All links are listed only where what is not
 * wanted is to be found as well.
 */
import type { PlaceRole } from "../addon.js";
import { isGone } from "../error.js";
import type { Link, LinkBase } from "../link.js";
import { type TagParts, tagMatches } from "../tag.js";
import { asideName, type DesiredDevice, keyName, macName, placeOf } from "./device.js";
import type { Places } from "./difference.js";
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
  /** The device of a guest on the same bridge that has the MAC of its guest; it may be the device. */
  sameMac?: Link;
}

/** How often what is half made is waited for: another may have taken its place meanwhile. */
const mostWaits = 4;

/** Finds devices, in their order. Those that another process is just making are waited for. */
export async function findAll(
  devices: readonly DesiredDevice[],
  looking: Looking,
): Promise<Found[]> {
  for (let waits = 0; ; waits += 1) {
    const found = await findAsTheyAre(devices, looking);
    const unfinished = found.flatMap(({ link, stranger }) =>
      [link, stranger].filter((one) => one !== undefined).filter(isInTheMaking),
    );
    if (unfinished.length === 0 || waits === mostWaits) return found;
    const ended = await Promise.all(unfinished.map((link) => untilMade(link, looking)));
    if (!ended.includes(true)) return await findAsTheyAre(devices, looking);
  }
}

/** The same for one. */
export async function find(device: DesiredDevice, looking: Looking): Promise<Found> {
  const [found = {}] = await findAll([device], looking);
  return found;
}

async function findAsTheyAre(
  devices: readonly DesiredDevice[],
  { namespace, signal }: Looking,
): Promise<Found[]> {
  const { owner } = namespace;
  const names = devices.flatMap((device) =>
    [keyName(owner, device), asideName(owner, device), device.name, macName(device) ?? []].flat(),
  );
  const links = names.length === 0 ? [] : await namespace.findLinks(names, { signal });
  const byName = new Map(links.flatMap((link) => namesOf(link).map((name) => [name, link])));
  return devices.map((device): Found => {
    const link = byName.get(keyName(owner, device));
    const aside = byName.get(asideName(owner, device));
    const named = byName.get(device.name);
    const found = { link, aside, sameMac: byName.get(macName(device) ?? "") };
    if (named === undefined || named === link || named === aside) return found;
    if (link === undefined && isMeant(named, device, owner)) return { ...found, link: named };
    return { ...found, stranger: named };
  });
}

function namesOf({ name, altNames }: LinkBase): string[] {
  return [name, ...altNames];
}

/** Whether a link's tag says that it is this device. */
export function isMeant({ tag }: Link, device: DesiredDevice, owner: string): boolean {
  const { microvm, interface: name } = device.tag;
  return (
    tag?.owner === owner &&
    (tag.microvm === undefined) === (microvm === undefined) &&
    tagMatches(tag, { microvm, interface: name })
  );
}

/** The owner's links that have one of these tags, by one listing. */
export async function listTagged(
  tags: readonly TagParts[],
  { namespace, signal }: Looking,
): Promise<Link[]> {
  const [only, ...more] = tags;
  if (only === undefined) return [];
  const { owner } = namespace;
  const tag = more.length === 0 ? only : undefined;
  const links = await namespace.listLinks({ owner, tag, signal });
  return links.filter((link) => tags.some((parts) => link.tag && tagMatches(link.tag, parts)));
}

/** The links that devices hang on, or are to hang on. */
export class KnownPlaces implements Places {
  readonly #names = new Map<number, string>();

  /**
   * Looks at the places that are wanted: refused with reason `"no-such-parent"`, `"no-such-bridge"`,
   * `"not-a-bridge"` or another that says why no device can be there.
   */
  async require(devices: readonly DesiredDevice[], { namespace, signal }: Looking): Promise<void> {
    const places = new Map<string, [name: string, role: PlaceRole]>();
    for (const device of devices) {
      const [name, role] = [placeOf(device), roleOf(device)];
      if (name !== undefined) places.set(`${role} ${name}`, [name, role]);
    }
    await Promise.all(
      [...places.values()].map(async ([name, role]) => {
        const { index } = await namespace.getPlace(name, role, { signal });
        this.#names.set(index, name);
      }),
    );
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

  nameOf(index: number | undefined): string | undefined {
    if (index === undefined) return undefined;
    return this.#names.get(index);
  }
}

function roleOf(device: DesiredDevice): PlaceRole {
  if (device.kind === "tap") return "bridge";
  return device.mode === "passthru" ? "passthruParent" : "parent";
}
