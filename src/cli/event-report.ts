/** What a watch tells, as one line for people or one object for programs. Pure. */
import type { Link } from "../link.js";
import type { LinkEvent, LinkField } from "../link-state.js";
import { shown } from "../shown.js";
import { kindOf, nothing } from "./device.js";

/** A value that can be shown in a line. */
type Plain = string | number | boolean | null;

/** A field that is not as it was. Values that are no plain ones (details, port …) are left out. */
export interface ChangeReport {
  field: string;
  from?: Plain;
  to?: Plain;
}

/** An event for programs; the shape is stable. */
export interface EventReport {
  /** When it was told, ISO 8601. */
  time: string;
  event: LinkEvent["type"];
  device: string;
  kind: string;
  index: number;
  microvm: string | null;
  interface: string | null;
  owner: string | null;
  /** Of event changed. */
  changes: ChangeReport[];
}

/** The name of the link with an index. */
type NameOf = (index: number | undefined) => string | undefined;

/** An event for programs. */
export function eventReport(event: LinkEvent, time: Date, nameOf: NameOf): EventReport {
  const { link, type } = event;
  // A device that has just lost its tag is known by the one it had.
  const tag = link.tag ?? (type === "changed" ? event.previous.tag : undefined);
  return {
    time: time.toISOString(),
    event: type,
    device: link.name,
    kind: kindOf(link),
    index: link.index,
    microvm: tag?.microvm ?? null,
    interface: tag?.interface ?? null,
    owner: tag?.owner ?? null,
    changes:
      type === "changed"
        ? event.changes.map((field) => changeReport(field, event.previous, link, nameOf))
        : [],
  };
}

function changeReport(field: LinkField, before: Link, after: Link, nameOf: NameOf): ChangeReport {
  const [from, to] = [before, after].map((link) => plainValue(field, link, nameOf));
  return from === undefined || to === undefined ? { field } : { field, from, to };
}

/** The value; null where there is none, undefined where it cannot be shown in a line. */
function plainValue(field: LinkField, link: Link, nameOf: NameOf): Plain | undefined {
  if (field === "ipv6") return link.ipv6?.state ?? null;
  if (field === "master" || field === "parent")
    return nameOf(link[field]) ?? (link[field] === undefined ? null : `index ${link[field]}`);
  const value: unknown = Reflect.get(link, field) ?? null;
  return isPlain(value) ? value : undefined;
}

function isPlain(value: unknown): value is Plain {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

/** What a line tells with its values; other fields are named where none of these has changed. */
const telling: readonly string[] = [
  "name",
  "mac",
  "mtu",
  "txQueueLength",
  "up",
  "carrier",
  "operState",
  "master",
  "parent",
  "ipv6",
] satisfies LinkField[];

/** An event for people, in one line. */
export function eventText(report: EventReport): string {
  return shown(lineOf(report));
}

function lineOf(report: EventReport): string {
  const { time, event, device, kind, microvm, interface: name } = report;
  const purpose = [microvm, name].filter((part) => part !== null).join(" ");
  const subject = `${time}  ${event.padEnd("removed".length)}  ${device}  ${kind}  ${purpose || nothing}`;
  if (event === "removed" && microvm !== null)
    return `${subject}  (deleted or moved away; its guest has lost it)`;
  const changes = changesText(report.changes);
  return changes === "" ? subject : `${subject}  ${changes}`;
}

function changesText(changes: readonly ChangeReport[]): string {
  const told = changes.filter(({ field }) => telling.includes(field));
  if (told.length > 0) return told.map(changeText).join(", ");
  return changes.map(({ field }) => field).join(", ");
}

function changeText({ field, from, to }: ChangeReport): string {
  return from === undefined ? field : `${field}: ${from ?? "nothing"} -> ${to ?? "nothing"}`;
}
