/**
 * The operations that are put under faults: what each is called with, and what must be there when
 * it succeeded. Everything else is to be as it was before.
 */
import { expect } from "vitest";
import { NetworkNamespace } from "../../src/index.js";
import { changes } from "./changes.js";
import { creations } from "./creations.js";
import { expectOpen, makePort, type Subject, subject } from "./subject.js";

/** Those that change nothing. */
const readings: Subject[] = [
  subject({
    name: "openMacvtap, by its node in /dev",
    operation: "openMacvtap",
    needs: ["macvtap", "tap-node"],
    least: 17,
    prepare: (steady) => steady.createMacvtap({ parent: "enp0", name: "guest0" }),
    operate: (namespace, signal) => namespace.openMacvtap("guest0", { signal }),
    complete: expectOpen,
  }),
  subject({
    name: "openTap",
    operation: "openTap",
    needs: ["tun"],
    least: 12,
    prepare: (steady) => steady.createTap({ name: "guest0" }),
    operate: (namespace, signal) => namespace.openTap("guest0", { signal }),
    complete: expectOpen,
  }),
  subject({
    name: "getLink",
    stays: true,
    operation: "getLink",
    needs: [],
    least: 9,
    operate: (namespace, signal) => namespace.getLink("lo", { statistics: true, signal }),
    complete: async (found) => expect(found).toMatchObject({ name: "lo", index: 1 }),
  }),
  subject({
    name: "listLinks, of a bridge",
    stays: true,
    operation: "listLinks",
    needs: ["veth", "bridge"],
    least: 11,
    prepare: makePort,
    operate: (namespace, signal) => namespace.listLinks({ master: "br1", signal }),
    complete: async (found) => expect(found.map(({ name }) => name)).toEqual(["port0"]),
  }),
  subject({
    name: "NetworkNamespace.open",
    operation: "NetworkNamespace.open",
    needs: ["root"],
    least: 4,
    operate: async (_, signal) => {
      await using opened = await NetworkNamespace.open("/proc/self/ns/net", { signal });
      return opened.owner;
    },
    complete: async (owner) => expect(owner).toBe("flintap"),
  }),
  subject({
    name: "watchLinks",
    operation: "watchLinks",
    needs: [],
    least: 12,
    stays: true,
    operate: async (namespace) => {
      // Without the signal: a watch is not undone, it ends.
      await using watch = namespace.watchLinks({ initial: true });
      await watch.ready;
      return await watch.next();
    },
    complete: async ({ value }) => expect(value).toMatchObject({ type: "added", initial: true }),
  }),
];

/** Every operation of the facade; deleteLinks is deleteLink, and a queue's close has a test of its own. */
export const subjects: Subject[] = [...creations, ...changes, ...readings];
