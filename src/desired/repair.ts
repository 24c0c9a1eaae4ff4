/** Changes devices that are there: makes them as wanted, or takes them out of the way. */
import { tagWith } from "../create-requests.js";
import { isGone } from "../error.js";
import type { Link } from "../link.js";
import { randomName } from "../name.js";
import type { LinkChanges } from "../options.js";
import { pick, portSettings } from "../shared-options.js";
import { formatTag, parseTag, type TagParts } from "../tag.js";
import { whereFree } from "./bridges.js";
import { asideName, type DesiredDevice, derivedNames, derivedOf } from "./device.js";
import type { Looking } from "./looking.js";
import type { RemoveStep, RepairStep, ReplaceStep, WantedStep } from "./plan.js";
import type { UndoLog } from "./undo-log.js";

/** Makes a device as it is wanted; its guest keeps it. Gives it as it is then. */
export async function repair(step: RepairStep, looking: Looking, log: UndoLog): Promise<Link> {
  const { on, link } = await attachIfNeeded(step, looking, log);
  const exchange = exchangeOf(on, looking.namespace.owner);
  if (Object.keys(exchange.to).length === 0) return link;
  return await change(on.link, exchange, looking, log);
}

/** A step on the bridge to which its device was attached, and the device as it is then. */
interface Attached {
  on: RepairStep;
  link: Link;
}

/**
 * Gives the step on the bridge to which the device was attached. One that goes back to its bridge goes
 * nowhere else; one whose bridge is none of those that are wanted goes where there is a port.
 */
async function attachIfNeeded(step: RepairStep, looking: Looking, log: UndoLog): Promise<Attached> {
  const fields = new Set(step.changes.map(({ field }) => field));
  if (!fields.has("bridge") && !portSettings.some((setting) => fields.has(setting)))
    return { on: step, link: step.link };
  const work = (on: RepairStep) => attach(on, looking, log);
  return fields.has("tag.bridge") ? await whereFree(step, looking, work) : await work(step);
}

async function attach(
  step: RepairStep,
  { namespace, signal }: Looking,
  log: UndoLog,
): Promise<Attached> {
  const { device, link } = step;
  const now =
    device.kind === "tap" && device.bridge !== undefined
      ? await namespace.attachToBridge(link, device.bridge, {
          ...pick(device, portSettings),
          force: true,
          signal,
        })
      : await namespace.detachFromBridge(link, { signal });
  log.add(now, () => attachBack(link, { namespace }));
  return { on: step, link: now };
}

/** Where it was before, with the settings that its port had. */
async function attachBack(link: Link, { namespace }: Looking): Promise<void> {
  if (link.master === undefined) await namespace.detachFromBridge(link);
  else {
    const port = pick(link.port ?? {}, portSettings);
    await namespace.attachToBridge(link, link.master, { ...port, force: true });
  }
}

/** What is changed by one request, and what was there. */
interface Exchange {
  to: LinkChanges;
  back: LinkChanges;
}

async function change(
  link: Link,
  { to, back }: Exchange,
  { namespace, signal }: Looking,
  log: UndoLog,
): Promise<Link> {
  // Forced, since the alias with the tag may be one of the changes.
  const now = await namespace.setLink(link, to, { force: true, signal });
  log.add(now, async () => {
    await namespace.setLink(now, back, { force: true });
  });
  return now;
}

/** What is changed of the link alone, whatever it hangs on. */
export const plainFields: readonly string[] = [
  "name",
  "mac",
  "mtu",
  "txQueueLength",
  "up",
  "hostIPv6",
];

function exchangeOf({ device, link, place, changes }: RepairStep, owner: string): Exchange {
  const fields = changes.map(({ field }) => field);
  const plain = changes.filter(({ field }) => plainFields.includes(field));
  const to: LinkChanges = Object.fromEntries(plain.map((one) => [one.field, one.to]));
  const back: LinkChanges = Object.fromEntries(plain.map((one) => [one.field, one.from]));
  if (back.name !== undefined) back.name = link.name;
  const wanted = fields.includes("altNames") ? derivedNames(owner, device, place) : derivedOf(link);
  // A name that it is to have may be an alt name of its own.
  const more = without(wanted, link.altNames);
  const less = [
    ...without(derivedOf(link), wanted),
    ...link.altNames.filter((name) => name === to.name),
  ];
  if (more.length + less.length > 0) {
    Object.assign(to, { addAltNames: more, removeAltNames: less });
    Object.assign(back, { addAltNames: less, removeAltNames: more });
  }
  if (fields.some((field) => field.startsWith("tag."))) {
    Object.assign(to, { alias: aliasOf(device, link, owner) });
    Object.assign(back, { alias: link.alias ?? "" });
  }
  return { to, back };
}

function without(names: readonly string[], others: readonly string[]): string[] {
  return names.filter((name) => !others.includes(name));
}

/** The tag that is wanted, with what the old one says besides, and what a create would say. */
function aliasOf(device: DesiredDevice, { alias, mac }: Link, owner: string): string {
  const { hashed = [], createdAt = new Date(), bootId, ...parts } = parseTag(alias) ?? {};
  const kept = Object.fromEntries(
    Object.entries(parts).filter(([part]) => !hashed.some((one) => one === part)),
  );
  const wanted = Object.entries(device.tag).filter(([, text]) => text !== undefined);
  const said: TagParts = { ...kept, ...Object.fromEntries(wanted) };
  return formatTag({ ...tagWith(mac, device.kind, said), owner, createdAt, bootId });
}

/**
 * Lets devices that are to be repaired give up names that others of the same plan are to have, so that
 * two can exchange them. Gives the steps with their links as they are then.
 */
export async function letGo(
  steps: readonly WantedStep[],
  looking: Looking,
  log: UndoLog,
): Promise<WantedStep[]> {
  const { owner } = looking.namespace;
  const claims = new Map<string, WantedStep>();
  for (const step of steps)
    for (const name of [step.device.name, ...derivedNames(owner, step.device, step.place)])
      claims.set(name, step);
  return await Promise.all(
    steps.map(async (step) => {
      if (step.action !== "repair") return step;
      const { link, device, place } = step;
      const isClaimed = (name: string) => (claims.get(name) ?? step) !== step;
      const unwanted = without(derivedOf(link), derivedNames(owner, device, place));
      const removeAltNames = unwanted.filter(isClaimed);
      const name = isClaimed(link.name) ? randomName(device.kind) : undefined;
      if (removeAltNames.length === 0 && name === undefined) return step;
      const back = { addAltNames: removeAltNames, name: name && link.name };
      const now = await change(link, { to: { removeAltNames, name }, back }, looking, log);
      return { ...step, link: now };
    }),
  );
}

/**
 * Takes a device out of the way of others: down and off its bridge, so that its MAC and its port are
 * free, and without the names that they are to have. One that is to be replaced is still found by a
 * name of its own. Gives it as it is then; undefined where it is gone.
 */
export async function setAside(
  step: ReplaceStep | RemoveStep,
  looking: Looking,
  log: UndoLog,
): Promise<Link | undefined> {
  const { link } = step;
  const { namespace, signal } = looking;
  const kept = step.action === "replace" ? [asideName(namespace.owner, step.device)] : [];
  const kind = link.kind === "macvtap" ? "macvtap" : "tap";
  const to: LinkChanges = {
    up: false,
    name: randomName(kind),
    addAltNames: without(kept, link.altNames),
    removeAltNames: without(derivedOf(link), kept),
  };
  const back: LinkChanges = {
    up: link.up,
    name: link.name,
    addAltNames: to.removeAltNames,
    removeAltNames: to.addAltNames,
  };
  try {
    const now = await change(link, { to, back }, looking, log);
    if (now.master === undefined) return now;
    const detached = await namespace.detachFromBridge(now, { signal });
    log.add(detached, () => attachBack(now, { namespace }));
    return detached;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
