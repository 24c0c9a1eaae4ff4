/** Watching links: what is told of what iproute2 does, and what is never lost. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { describe, expect, onTestFinished } from "vitest";
import {
  type Link,
  type LinkEvent,
  type LinkWatch,
  NetworkNamespace,
  type WatchOptions,
  watchLinks,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { addBridge, addParent, ip, ipBatch, linkNames, links } from "../setup/iproute2.js";
import { otherNamespace } from "../setup/other-namespace.js";
import { execute } from "../setup/shell.js";
import { stage } from "../setup/stage.js";

const test = needs("veth", "bridge");

stage(async () => {});

/** A watch that has begun, and ends with the test. */
async function watching(options?: WatchOptions, namespace = NetworkNamespace.current()) {
  const watch = namespace.watchLinks(options);
  onTestFinished(async () => {
    await watch.close();
    await namespace.close();
  });
  await watch.ready;
  return watch;
}

/** Reads on until an event fits; gives all up to it. */
async function until(
  watch: LinkWatch,
  fits: (event: LinkEvent) => boolean,
): Promise<[...LinkEvent[], LinkEvent]> {
  const events: LinkEvent[] = [];
  for (;;) {
    const { value, done } = await watch.next();
    if (done) throw new Error(`The watch ended after ${events.length} events`);
    events.push(value);
    if (fits(value)) return events as [...LinkEvent[], LinkEvent];
  }
}

const of =
  (type: LinkEvent["type"], name: string) =>
  (event: LinkEvent): boolean =>
    event.type === type && event.link.name === name;

const changing =
  (name: string, field: string) =>
  (event: LinkEvent): boolean =>
    event.type === "changed" && event.link.name === name && event.changes.includes(field as never);

describe("a watch tells", () => {
  test("a link that is made, changed and deleted", async () => {
    const watch = await watching();
    await ip("link add a0 type veth peer name b0");
    const added = (await until(watch, of("added", "a0"))).at(-1);
    expect(added).toMatchObject({ type: "added", initial: false, link: { kind: "veth" } });
    await ip("link set a0 mtu 1400");
    expect((await until(watch, changing("a0", "mtu"))).at(-1)).toMatchObject({
      previous: { mtu: 1500 },
      link: { mtu: 1400 },
    });
    await ip("link set a0 up");
    expect((await until(watch, changing("a0", "up"))).at(-1)).toMatchObject({
      changes: expect.arrayContaining(["up", "flags"]),
      previous: { up: false },
      link: { up: true },
    });
    await ip("link property add dev a0 altname other");
    expect((await until(watch, changing("a0", "altNames"))).at(-1)?.link.altNames).toEqual([
      "other",
    ]);
    await ip("link set a0 alias hello");
    expect((await until(watch, changing("a0", "alias"))).at(-1)?.link.alias).toBe("hello");
    await ip("link set a0 down");
    await ip("link set a0 name c0");
    expect((await until(watch, changing("c0", "name"))).at(-1)).toMatchObject({
      previous: { name: "a0" },
    });
    await ip("link del c0");
    expect((await until(watch, of("removed", "c0"))).at(-1)?.link).toMatchObject({
      name: "c0",
      alias: "hello",
    });
  });

  test("a port's settings, and its leaving as a change", async () => {
    await addBridge();
    await ip("link add a0 type veth peer name b0");
    const watch = await watching({ master: "br0" });
    await ip("link set a0 master br0");
    expect((await until(watch, of("added", "a0"))).at(-1)).toMatchObject({
      initial: false,
      link: { portKind: "bridge" },
    });
    await execute("bridge", ..."link set dev a0 isolated on".split(" "));
    const isolated = (event: LinkEvent): boolean => event.link.port?.isolated === true;
    expect((await until(watch, isolated)).at(-1)).toMatchObject({
      changes: ["port"],
      previous: { port: { isolated: false } },
    });
    await ip("link set a0 nomaster");
    const [left] = (await until(watch, changing("a0", "master"))).slice(-1);
    expect(left).toMatchObject({ selected: false, previous: { portKind: "bridge" } });
    expect(left?.link).not.toHaveProperty("master");
    // It is none of the bridge's any more.
    await ip("link set a0 mtu 1400");
    await ip("link set b0 master br0");
    const later = await until(watch, of("added", "b0"));
    expect(later.filter(({ link }) => link.name === "a0")).toEqual([]);
  });

  needs("veth", "macvtap")("every macvtap that goes with its parent", async () => {
    await addParent();
    await using namespace = NetworkNamespace.current({ owner: "me" });
    const guests = [
      await namespace.createMacvtap({ parent: "enp0" }),
      await namespace.createMacvtap({ parent: "enp0" }),
    ];
    const watch = await watching({ owner: "me" });
    await ip("link del enp0");
    const gone = [await watch.next(), await watch.next()].map(({ value }) => value as LinkEvent);
    expect(gone.map(({ type }) => type)).toEqual(["removed", "removed"]);
    expect(gone.map(({ link }) => link.identity).sort()).toEqual(
      guests.map(({ identity }) => identity).sort(),
    );
  });

  needs("tun", "proc-sys")("only what has a tag with the parts named", async () => {
    await using namespace = NetworkNamespace.current();
    const tag = { microvm: "ns/vm 1;x", interface: "y".repeat(40) };
    const watch = await watching({ tag });
    await namespace.createTap({ tag: { ...tag, interface: "eth2" } });
    const { name } = await namespace.createTap({ tag });
    const events = await until(watch, of("added", name));
    expect(new Set(events.map(({ link }) => link.name))).toEqual(new Set([name]));
    await ip(`link set ${name} alias`, "");
    const [last] = (await until(watch, changing(name, "alias"))).slice(-1);
    expect(last).toMatchObject({ selected: false });
  });

  needs("root", "veth")("a link that moves to another namespace as removed", async () => {
    await using other = await otherNamespace();
    const there = await watching({}, await NetworkNamespace.open({ pid: other.pid }));
    const here = await watching();
    await ip("link add a0 type veth peer name b0");
    // The kernel announces the peer first; what is not told of yet is not told of as removed either.
    await until(here, of("added", "a0"));
    await ip("link set a0 netns", String(other.pid));
    expect((await until(here, of("removed", "a0"))).at(-1)).toBeDefined();
    const [arrived] = (await until(there, of("added", "a0"))).slice(-1);
    expect(arrived?.link.namespace).toBe((await stat(`/proc/${other.pid}/ns/net`)).ino);
    await other.run("ip", "link", "del", "a0");
    await until(there, of("removed", "a0"));
  });

  test("what a link got while it was down, when it is set up or changed otherwise", async () => {
    await addBridge();
    await ip("link add a0 type veth peer name b0");
    await ip("link set a0 master br0");
    const watch = await watching();
    await ip("link set a0 alias hello");
    await ip("link property add dev a0 altname other");
    await ip("link set a0 type bridge_slave isolated on");
    // Had the kernel told of these, each would be an event of its own.
    await ip("link set a0 mtu 1400");
    expect((await watch.next()).value).toMatchObject({
      changes: expect.arrayContaining(["altNames", "alias", "mtu", "port"]),
      link: { alias: "hello", altNames: ["other"], port: { isolated: true } },
    });
  });

  needs("veth", "proc-sys")("the host's IPv6 when it is opened again", async () => {
    await using namespace = NetworkNamespace.current();
    const [veth] = await namespace.createVeth({ hostIPv6: "closed" });
    const watch = await watching();
    await writeFile(`/proc/sys/net/ipv6/conf/${veth.name}/disable_ipv6`, "0");
    expect((await until(watch, changing(veth.name, "ipv6"))).at(-1)).toMatchObject({
      previous: { ipv6: { state: "closed" } },
      link: { ipv6: { state: "open" } },
    });
  });
});

describe("a watch begins", () => {
  test("with every link that is there, if it is asked to", async () => {
    await addBridge();
    const watch = await watching({ initial: true });
    const names: string[] = [];
    for (const _ of await links()) {
      const { value } = await watch.next();
      expect(value).toMatchObject({ type: "added", initial: true });
      names.push(value?.link.name as string);
    }
    expect(names.sort()).toEqual(await linkNames());
  });

  test("and gives links as getLink does", async () => {
    await addBridge();
    await using namespace = NetworkNamespace.current();
    const watch = await watching({ initial: true, kind: "bridge" });
    const { value } = await watch.next();
    const read = named(await namespace.getLink("br0"));
    expect(named(value?.link)).toEqual(read);
    await ip("link set br0 mtu 1400");
    const [changed] = (await until(watch, changing("br0", "mtu"))).slice(-1);
    expect(named(changed?.link)).toEqual({ ...read, mtu: 1400 });
  });
});

describe("of many links, more than are handed over at a time,", () => {
  /** 75 pairs, and a bridge that comes after its port. */
  const pairs = Array.from({ length: 75 }, (_, at) => `link add m${at} type veth peer name n${at}`);

  test("a watch tells what becomes of each from its beginning on", async () => {
    await ipBatch(pairs);
    const watch = await watching();
    await ip("link set n74 mtu 1400");
    await ip("link del n73");
    await ip("link add last0 type bridge");
    const events = await until(watch, of("added", "last0"));
    expect(events).toContainEqual(
      expect.objectContaining({
        type: "changed",
        changes: ["mtu"],
        previous: expect.objectContaining({ name: "n74", mtu: 1500 }),
      }),
    );
    const removed = events.filter(({ type }) => type === "removed");
    expect(removed.map(({ link }) => link.name).sort()).toEqual(["m73", "n73"]);
    expect(events.filter(({ type }) => type === "added")).toHaveLength(1);
  });

  test("a watch finds the ports of a bridge that is newer than they are", async () => {
    await ipBatch(pairs);
    const watch = await watching({ master: "br0" });
    await ipBatch([
      "link add br0 type bridge",
      ...pairs.flatMap((_, at) => [`link set m${at} master br0`, `link set n${at} master br0`]),
    ]);
    await ip("link add z0 type veth peer name z1");
    await ip("link set z0 master br0");
    const events = await until(watch, of("added", "z0"));
    expect(events.filter(({ type }) => type === "added")).toHaveLength(2 * pairs.length + 1);
  });

  test("a watch finds the ports of a bridge that has a higher index", async () => {
    await ipBatch([...pairs, "link add br1 type bridge", "link set m0 master br1"]);
    const watch = await watching({ initial: true, master: "br1" });
    expect((await watch.next()).value).toMatchObject({ initial: true, link: { name: "m0" } });
    await ip("link del br1");
    expect((await until(watch, changing("m0", "master"))).at(-1)).toMatchObject({
      previous: { portKind: "bridge" },
    });
  });
});

describe("a watch", () => {
  needs("tun")("takes a device that is being made for one and the same", async () => {
    await using namespace = NetworkNamespace.current({ owner: "me" });
    // Those whose tag comes after them are told of when they have it.
    const watch = await watching({ kind: "tun", owner: "me" });
    const making = (async () => {
      for (let made = 0; made < 50; made++) await namespace.createTap({ name: `t${made}` });
    })();
    const ready = (event: LinkEvent): boolean => event.link.name === "t49" && event.link.up;
    const events = await until(watch, ready);
    await making;
    expect(events.filter(({ type }) => type === "added")).toHaveLength(50);
    expect(events.filter(({ type }) => type === "removed")).toEqual([]);
  });

  needs("root", "veth")("goes on while the handle's own thread is busy", async () => {
    await using other = await otherNamespace();
    const namespace = await NetworkNamespace.open({ pid: other.pid });
    const watch = await watching({ kind: "bridge" }, namespace);
    let told = false;
    const keepBusy = async (): Promise<void> => {
      while (!told) await Promise.all(Array.from({ length: 64 }, () => namespace.createVeth()));
    };
    const busy = keepBusy();
    await other.run("ip", "link", "add", "b0", "type", "bridge");
    await until(watch, of("added", "b0"));
    told = true;
    await busy;
  });

  test("takes nothing from another one", async () => {
    const [one, other] = await Promise.all([watching(), watching()]);
    await ip("link add b0 type bridge");
    for (const watch of [one, other]) await until(watch, of("added", "b0"));
    await one.close();
    await ip("link set b0 mtu 1400");
    await until(other, changing("b0", "mtu"));
  });
});

describe("a watch ends", () => {
  test("when the loop is left", async () => {
    const watch = await watching({ initial: true });
    for await (const _ of watch) break;
    expect(await watch.next()).toEqual({ done: true, value: undefined });
  });

  test("when its signal fires, also while somebody waits", async () => {
    const controller = new AbortController();
    const watch = await watching({ signal: controller.signal });
    const waiting = watch.next();
    controller.abort();
    await expect(waiting).rejects.toBe(controller.signal.reason);
    expect(await watch.next()).toEqual({ done: true, value: undefined });
    const late = watchLinks({ signal: controller.signal });
    await expect(late.next()).rejects.toBe(controller.signal.reason);
  });

  test("when it is closed, whoever waits", async () => {
    const watch = await watching();
    const waiting = watch.next();
    await Promise.all([watch.close(), watch.close()]);
    expect(await waiting).toEqual({ done: true, value: undefined });
  });
});

/** A link without what has no name, where timers count. */
function named(link: Link | undefined): object {
  return JSON.parse(JSON.stringify(link, (key, value) => (key === "unknown" ? undefined : value)));
}

/** 4,000 links made and deleted; a few stay, under other names and with another MTU. */
const storm = Array.from({ length: 10 }, (_, round) => [
  ...Array.from({ length: 200 }, (_, at) => `link add x${at} group 7 type veth peer name y${at}`),
  ...Array.from({ length: 200 }, (_, at) => `link set y${at} group 7 mtu 1400`),
  `link set x${round} name kept${round} group 8`,
  `link set y${round} name peer${round} group 8`,
  "link del group 7",
]).flat();

const rounds = Number(process.env.FLINTAP_STORMS ?? 2);

/** The links as the events tell of them, replayed. */
class Replay {
  readonly #told = new Map<number, Link>();

  take({ type, link }: LinkEvent): void {
    if (type === "removed") this.#told.delete(link.index);
    else this.#told.set(link.index, link);
  }

  get lines(): string[] {
    return [...this.#told.values()].map(({ index, name, mtu }) => `${index} ${name} ${mtu}`).sort();
  }
}

/** How many messages the kernel has dropped for sockets that are open in this namespace. */
async function drops(): Promise<number> {
  const [, ...sockets] = (await readFile("/proc/self/net/netlink", "utf8")).trim().split("\n");
  return sockets.reduce((sum, line) => sum + Number(line.split(/\s+/)[8]), 0);
}

async function kernelLines(): Promise<string[]> {
  return (await links()).map(({ ifindex, ifname, mtu }) => `${ifindex} ${ifname} ${mtu}`).sort();
}

describe("with the smallest buffer and a consumer that sleeps", () => {
  test("a storm of 4,000 creates and deletes ends with the kernel's state", async () => {
    for (let round = 0; round < rounds; round++) {
      const watch = await watching({ initial: true, receiveBuffer: 1 });
      const replay = new Replay();
      replay.take((await watch.next()).value as LinkEvent);
      await ipBatch(storm);
      await ip("link add last0 type bridge");
      expect(await drops()).toBeGreaterThan(0);
      for (const event of await until(watch, of("added", "last0"))) replay.take(event);
      const kernel = await kernelLines();
      expect(kernel.filter((line) => line.includes(" kept"))).toHaveLength(10);
      expect(replay.lines).toEqual(kernel);
      await ipBatch(["link del group 8", "link del last0"]);
      await watch.close();
    }
  }, 600_000);
});
