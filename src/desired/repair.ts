/** Changes devices that are there: makes them as wanted, or takes them out of the way. */
import { isGone } from "../error.js";
import type { Link } from "../link.js";
import { randomName } from "../name.js";
import type { LinkChanges } from "../options.js";
import { pick, portSettings } from "../shared-options.js";
import { formatTag } from "../tag.js";
import { asideName, type DesiredDevice, derivedNames, derivedOf } from "./device.js";
import type { Difference } from "./difference.js";
import type { Looking } from "./looking.js";
import type { RemoveStep, RepairStep, ReplaceStep } from "./plan.js";
import type { UndoLog } from "./undo-log.js";

/** Makes a device as it is wanted; its guest keeps it. Gives it as it is then. */
export async function repair(
  { device, link, changes }: Omit<RepairStep, "action">,
  looking: Looking,
  log: UndoLog,
): Promise<Link> {
  const fields = new Set(changes.map(({ field }) => field));
  let now = link;
  if (fields.has("bridge") || portSettings.some((setting) => fields.has(setting)))
    now = await attach(device, link, looking, log);
  const exchange = exchangeOf(device, link, changes, looking.namespace.owner);
  if (Object.keys(exchange.to).length > 0) now = await change(link, exchange, looking, log);
  return now;
}

async function attach(
  device: DesiredDevice,
  link: Link,
  { namespace, signal }: Looking,
  log: UndoLog,
): Promise<Link> {
  const now =
    device.kind === "tap" && device.bridge !== undefined
      ? await namespace.attachToBridge(link, device.bridge, {
          ...pick(device, portSettings),
          force: true,
          signal,
        })
      : await namespace.detachFromBridge(link, { signal });
  log.add(link.name, async () => {
    if (link.master === undefined) await namespace.detachFromBridge(link);
    else {
      const port = pick(link.port ?? {}, portSettings);
      await namespace.attachToBridge(link, link.master, { ...port, force: true });
    }
  });
  return now;
}

async function change(
  link: Link,
  { to, back }: Exchange,
  { namespace, signal }: Looking,
  log: UndoLog,
): Promise<Link> {
  // Forced, since the alias with the tag is one of the changes.
  const now = await namespace.setLink(link, to, { force: true, signal });
  log.add(link.name, async () => {
    await namespace.setLink(link, back, { force: true });
  });
  return now;
}

/** What is changed by one request, and what was there. */
interface Exchange {
  to: LinkChanges;
  back: LinkChanges;
}

const plainFields: readonly string[] = ["mac", "mtu", "txQueueLength", "up", "hostIPv6"];

function exchangeOf(
  device: DesiredDevice,
  link: Link,
  changes: readonly Difference[],
  owner: string,
): Exchange {
  const fields = changes.map(({ field }) => field);
  const plain = changes.filter(({ field }) => plainFields.includes(field));
  const to: LinkChanges = Object.fromEntries(plain.map((one) => [one.field, one.to]));
  const back: LinkChanges = Object.fromEntries(plain.map((one) => [one.field, one.from]));
  if (fields.includes("name")) Object.assign(to, { name: device.name });
  if (fields.includes("name")) Object.assign(back, { name: link.name });
  if (fields.includes("altNames")) {
    const wanted = derivedNames(owner, device);
    const [more, less] = [without(wanted, link.altNames), without(derivedOf(link), wanted)];
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

/** The tag that is wanted, with what the old one says besides. */
function aliasOf(device: DesiredDevice, { tag }: Link, owner: string): string {
  const { hashed = [], createdAt = new Date(), bootId, ...parts } = tag ?? {};
  const kept = Object.fromEntries(
    Object.entries(parts).filter(([part]) => !hashed.some((one) => one === part)),
  );
  return formatTag({ ...kept, ...device.tag, owner, createdAt, bootId });
}

/**
 * Takes a device out of the way of others: down, so that its MAC is free, and without the names that
 * they are to have. One that is to be replaced is still found by a name of its own.
 */
export async function setAside(
  step: ReplaceStep | RemoveStep,
  { namespace, signal }: Looking,
  log: UndoLog,
): Promise<void> {
  const { link } = step;
  const kept = step.action === "replace" ? [asideName(namespace.owner, step.device)] : [];
  const removeAltNames = without(derivedOf(link), kept);
  const addAltNames = without(kept, link.altNames);
  const renamed = step.action === "replace" ? [step.device.kind] : [];
  const [name] = renamed.map(randomName);
  const to = { up: false, name, addAltNames, removeAltNames };
  try {
    await namespace.setLink(link, to, { signal });
  } catch (error) {
    if (isGone(error)) return;
    throw error;
  }
  log.add(link.name, async () => {
    const back = { addAltNames: removeAltNames, removeAltNames: addAltNames };
    await namespace.setLink(link, { up: link.up, name: link.name, ...back });
  });
}
