/**
 * A script for the scripted addon that remembers what was made: as much of a host as plans look at. It
 * stands where the kernel would; what the kernel itself does, the kernel tests see.
 */
import type { NativeReference, NativeSettings } from "../../src/addon.js";
import type { LinkBase } from "../../src/link.js";
import { failure, fakeLink, fakePlace, type Script } from "./fake-addon.js";

/** The script, and the links that there are. */
export interface FakeHost {
  script: Script;
  links: LinkBase[];
}

/** A host with these links, on which `changes` answers some operations in its own way. */
export function fakeHost(links: LinkBase[] = [], changes: Script = {}): FakeHost {
  const isMeant = ({ identity, index, name = "" }: NativeReference) => {
    if (identity !== undefined) return (link: LinkBase) => link.identity === identity;
    if (index !== undefined) return (link: LinkBase) => link.index === index;
    return (link: LinkBase) => link.name === name || link.altNames.includes(name);
  };
  const there = (reference: NativeReference): LinkBase => {
    const link = links.find(isMeant(reference));
    if (link === undefined) throw failure();
    return { ...link };
  };
  const add = (settings: NativeSettings, place: NativeReference | undefined): LinkBase => {
    const { kind, name, alias, mac, altNames = [], mtu = 1_500, up } = settings;
    const on = place?.name === undefined ? undefined : fakePlace(place.name).index;
    const link = fakeLink({
      ...{ kind, name, alias, mac, altNames, mtu, up, index: 1_000_001 + links.length },
      ...(kind === "macvtap" ? { parent: on } : { master: on }),
      identity: `flintap-${name}`,
    });
    const details =
      kind === "macvtap" ? settings.details : { type: "tap", persistent: true, multiQueue: false };
    links.push(Object.assign(link, { details }));
    return { ...link };
  };
  const script: Script = {
    createMacvtap: ({ link, parent }) => ({ links: [add(link, parent)] }),
    createTap: ({ link, bridge }) => ({ links: [add(link, bridge)] }),
    findLinks: ({ names }) => ({
      links: links.filter((link) =>
        [link.name, ...link.altNames].some((one) => names.includes(one)),
      ),
    }),
    listLinks: () => ({ links: [...links] }),
    getLink: ({ link }) => ({ links: [there(link)] }),
    setLink: ({ link, changes: { name, alias, mtu, up } }) => {
      const found = links.find(isMeant(link));
      if (found === undefined) throw failure();
      for (const [field, value] of Object.entries({ name, alias, mtu, up }))
        if (value !== undefined) Object.assign(found, { [field]: value });
      return { links: [{ ...found }] };
    },
    deleteLink: ({ link }) => {
      there(link);
      links.splice(links.findIndex(isMeant(link)), 1);
      return {};
    },
    ...changes,
  };
  return { script, links };
}
