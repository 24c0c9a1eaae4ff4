/** Handles on other namespaces: opening, working and creating there, and what comes across. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, onTestFinished } from "vitest";
import { type Link, NetworkNamespace } from "../../src/index.js";
import { needs, ordinaryUser } from "../setup/capabilities.js";
import { runModule } from "../setup/child.js";
import { macvtapHeader, receiveUntil, send } from "../setup/frames.js";
import { addParent, ip, link, linkNames } from "../setup/iproute2.js";
import { type OtherNamespace, otherNamespace } from "../setup/other-namespace.js";
import { refusal } from "../setup/refusal.js";

const test = needs("root", "veth", "macvtap", "proc-sys");
const withTaps = needs("root", "veth", "macvtap", "tun", "proc-sys");

let other: OtherNamespace;
let blue: NetworkNamespace;
let here: NetworkNamespace;

beforeEach(async () => {
  other = await otherNamespace();
  blue = await NetworkNamespace.open({ pid: other.pid });
  here = NetworkNamespace.current();
  const before = await linkNames();
  return async () => {
    await Promise.all([blue.close(), here.close()]);
    await other[Symbol.asyncDispose]();
    for (const name of await linkNames())
      if (!before.includes(name)) await ip("link del", name).catch(() => {});
  };
});

/** The links of the other namespace, as iproute2 sees them. */
async function linksThere(): Promise<{ ifname: string; ifindex: number; flags: string[] }[]> {
  return JSON.parse(await other.run("ip", "-json", "-details", "link"));
}

const namesThere = async (): Promise<string[]> =>
  (await linksThere()).map(({ ifname }) => ifname).sort();

const inode = async (path: string): Promise<number> => (await stat(path)).ino;

describe("a namespace", () => {
  test("is opened by path, by process and by descriptor", async () => {
    await other.run("ip", "link", "add", "there0", "type", "bridge");
    const path = `/proc/${other.pid}/ns/net`;
    const fd = openSync(path, "r");
    onTestFinished(() => closeSync(fd));
    for (const target of [path, { pid: other.pid }, { fd }]) {
      await using namespace = await NetworkNamespace.open(target);
      expect(await namespace.getLink("there0")).toMatchObject({ namespace: await inode(path) });
    }
    expect(await linkNames()).not.toContain("there0");
  });

  test("has its number in every link, ours too", async () => {
    expect(await here.getLink("lo")).toMatchObject({ namespace: await inode("/proc/self/ns/net") });
    for (const one of await blue.listLinks())
      expect(one.namespace).toBe(await inode(`/proc/${other.pid}/ns/net`));
  });

  test("that is not there, or none, is told so", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flintap-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "file"), "");
    const open = (target: Parameters<typeof NetworkNamespace.open>[0]) =>
      refusal(NetworkNamespace.open(target));
    const absent = { reason: "no-such-namespace", operation: "NetworkNamespace.open" };
    expect(await open(join(folder, "none"))).toMatchObject({ ...absent, code: "ENOENT" });
    expect(await open(join(folder, "file", "none"))).toMatchObject({ ...absent, code: "ENOTDIR" });
    expect(await open({ pid: 4_194_303 })).toMatchObject(absent);
    const wrong = { reason: "not-a-namespace" };
    expect(await open(join(folder, "file"))).toMatchObject(wrong);
    expect(await open("/proc/self/ns/uts")).toMatchObject({ ...wrong, code: "EINVAL" });
    expect(await open({ fd: 4_000 })).toMatchObject({ ...wrong, code: "EBADF" });
  });

  test("that has no number, for want of /proc, is refused, and no other is watched in its stead", async () => {
    const ending = await runModule(
      `import { NetworkNamespace } from "flintap";
       import { openSync } from "node:fs";
       import { execFileSync } from "node:child_process";
       const fd = openSync("/proc/${other.pid}/ns/net");
       execFileSync("mount", ["-t", "tmpfs", "none", "/proc"]);
       const { code, step, hint } = await NetworkNamespace.open({ fd }).catch((error) => error);
       console.log(code, step, hint);`,
      { under: ["unshare", "--mount"] },
    );
    expect(ending).toMatchObject({ code: 0, stderr: "" });
    expect(ending.stdout).toMatch(/^ENOENT find the network namespace .*mount -t proc/);
  });

  test("whose handle is closed is not watched any more", async () => {
    await blue.close();
    expect(() => blue.watchLinks()).toThrow(expect.objectContaining({ reason: "closed" }));
  });

  test("lives as long as a handle is open on it, and its links with it", async () => {
    await blue.createBridge({ name: "kept0" });
    const path = `/proc/${other.pid}/ns/net`;
    await other[Symbol.asyncDispose]();
    expect(await refusal(NetworkNamespace.open(path))).toMatchObject({
      reason: "no-such-namespace",
    });
    await blue.createBridge({ name: "kept1" });
    const names = (await blue.listLinks({ kind: "bridge" })).map(({ name }) => name);
    expect(names.sort()).toEqual(["kept0", "kept1"]);
    other = await otherNamespace();
  });
});

describe("on a handle of another namespace", () => {
  withTaps("every call works there, and nothing happens here", async () => {
    const before = await linkNames();
    const [parent] = await blue.createVeth({ name: "enp0", peer: { name: "wire0" } });
    const bridge = await blue.createBridge({ name: "br0" });
    const guest = await blue.createMacvtap({ parent });
    const tap = await blue.createTap({ name: "tap0", bridge, isolated: true });
    const ephemeral = await blue.createTap({ persist: false });
    await blue.detachFromBridge(tap);
    await blue.attachToBridge(tap, bridge);
    const queue = await blue.openTap(tap);
    const there = ["br0", "enp0", "lo", ephemeral.name, guest.name, "tap0", "wire0"].sort();
    expect(await namesThere()).toEqual(there);
    expect(await linkNames()).toEqual(before);
    for (const { name } of [guest, tap, ephemeral]) {
      const setting = `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`;
      expect(await other.run("cat", setting)).toBe("1\n");
    }
    await Promise.all([queue.close(), ephemeral.close()]);
    for (const made of [guest, tap, bridge, parent]) await blue.deleteLink(made);
    expect(await namesThere()).toEqual(["lo"]);
  });

  needs(
    "root",
    "veth",
    "macvtap",
    "mknod",
    "proc-sys",
  )("a macvtap is opened by its own node, whoever has that index elsewhere", async () => {
    await addParent();
    const [parent] = await blue.createVeth();
    const index = 1_234_567;
    const mine = await here.createMacvtap({ parent: "enp0", index });
    const theirs = await blue.createMacvtap({ parent, index });
    const queues = [await here.openMacvtap(mine), await blue.openMacvtap(theirs)];
    const devices = await Promise.all(
      queues.map(async ({ fd }) => (await stat(`/proc/self/fd/${fd}`)).rdev),
    );
    expect(new Set(devices).size).toBe(2);
    await Promise.all(queues.map((queue) => queue.close()));
  });

  withTaps("two namespaces are worked in at once", async () => {
    const both = [here, blue].map((namespace) =>
      Promise.all(Array.from({ length: 20 }, (_, at) => namespace.createTap({ name: `t${at}` }))),
    );
    const [mine = [], theirs = []] = await Promise.all(both);
    expect(await namesThere()).toEqual(expect.arrayContaining(theirs.map(({ name }) => name)));
    expect(await linkNames()).toEqual(expect.arrayContaining(mine.map(({ name }) => name)));
    await Promise.all(mine.map((tap) => here.deleteLink(tap)));
  });
});

describe("a link of one namespace", () => {
  test("is refused on the handle of another, though name and index are taken there", async () => {
    const elsewhere = await blue.getLink("lo");
    const refused = { reason: "other-namespace", code: "ENODEV", device: "lo" };
    expect(await refusal(here.getLink(elsewhere))).toMatchObject(refused);
    expect(await refusal(here.deleteLink(elsewhere, { force: true }))).toMatchObject(refused);
    await here.createBridge({ name: "br0" });
    expect(await refusal(here.attachToBridge(elsewhere, "br0"))).toMatchObject(refused);
    const bridge = await here.getLink("br0");
    expect(await refusal(blue.listLinks({ master: bridge }))).toMatchObject(
      refused && { reason: "other-namespace" },
    );
  });

  test("works on every handle of its own", async () => {
    await using again = await NetworkNamespace.open({ pid: other.pid });
    const bridge = await blue.createBridge();
    expect(await again.getLink(bridge)).toMatchObject({ identity: bridge.identity });
  });
});

describe("a macvtap in another namespace than its parent", () => {
  test("is made, marked, closed and up there", async () => {
    await addParent();
    await ip("link set enp0 mtu 1400");
    const parent = await here.getLink("enp0");
    const guest = await blue.createMacvtap({ parent });
    expect(guest).toMatchObject({
      parent: parent.index,
      parentNamespace: expect.any(Number),
      mtu: 1400,
      up: true,
      ipv6: { state: "closed" },
      namespace: (await blue.getLink("lo")).namespace,
    });
    expect(await namesThere()).toEqual([guest.name, "lo"].sort());
    expect((await linksThere()).find(({ ifname }) => ifname === guest.name)).toMatchObject({
      ifindex: guest.index,
      flags: expect.arrayContaining(["UP"]),
      altnames: [guest.identity],
    });
    // The number that the namespace was given is taken again.
    expect(await blue.createMacvtap({ parent })).toMatchObject({
      parentNamespace: guest.parentNamespace,
    });
    await ip("link del enp0");
    expect(await namesThere()).toEqual(["lo"]);
    // That stays: the kernel takes none back.
    const numbers: { nsid: number }[] = JSON.parse(
      await other.run("ip", "-json", "netns", "list-id"),
    );
    expect(numbers.map(({ nsid }) => nsid)).toEqual([guest.parentNamespace]);
  });

  needs(
    "root",
    "veth",
    "macvtap",
    "mknod",
    "proc-sys",
  )("is opened there, and reaches the parent's other guests", async () => {
    await addParent();
    const parent = await here.getLink("enp0");
    const [guest, neighbour] = [
      await blue.createMacvtap({ parent }),
      await here.createMacvtap({ parent }),
    ];
    await using queue = await blue.openMacvtap(guest);
    await using beside = await here.openMacvtap(neighbour);
    const [from, to] = [guest.mac as string, neighbour.mac as string];
    send(queue.fd, { from, to, text: "from there" }, macvtapHeader);
    expect(await receiveUntil(beside.fd, "from there", macvtapHeader)).toEqual(["from there"]);
    expect(await refusal(blue.openMacvtap(guest))).toMatchObject({ reason: "queue-already-open" });
  });

  test("has the host's IPv6, the name and the index that are asked for", async () => {
    await addParent();
    const parent = await here.getLink("enp0");
    const asked = { name: "guest0", index: 1_234_567, mtu: 1_300, up: false };
    const guest = await blue.createMacvtap({ parent, ...asked, hostIPv6: "reduced" });
    expect(guest).toMatchObject({ ...asked, ipv6: { state: "reduced" } });
    expect(await refusal(blue.createMacvtap({ parent, index: asked.index }))).toMatchObject({
      reason: "index-taken",
    });
  });

  test("is refused with the same words as in its own, and leaves nothing", async () => {
    await addParent();
    const parent = await here.getLink("enp0");
    const { mac } = await blue.createMacvtap({ parent });
    const before = await namesThere();
    const refused = (options: object) => refusal(blue.createMacvtap({ parent, ...options }));
    expect(await refused({ mac })).toMatchObject({ reason: "duplicate-mac" });
    expect(await refused({ mtu: 9_000 })).toMatchObject({ reason: "mtu-above-parent" });
    expect(await refused({ name: "lo" })).toMatchObject({ reason: "name-taken" });
    expect(await namesThere()).toEqual(before);
    await ip("link del enp0");
    expect(await refused({})).toMatchObject({ reason: "no-such-parent" });
  });

  test("needs the handle from which the parent came", async () => {
    await addParent();
    const elsewhere = await otherNamespace();
    onTestFinished(() => elsewhere[Symbol.asyncDispose]());
    const green = await NetworkNamespace.open({ pid: elsewhere.pid });
    const parent: Link = await green.getLink("lo");
    await green.close();
    expect(await refusal(blue.createMacvtap({ parent }))).toMatchObject({
      reason: "namespace-not-open",
      code: "ERR_FLINTAP_REFUSED",
    });
  });
});

describe("a namespace that vanishes", () => {
  test("goes when the last handle on it is closed, and its links with it", async () => {
    const [end] = await here.createVeth({ name: "here0", peer: { name: "there0" } });
    await here.moveLink("there0", blue);
    const path = `/proc/${other.pid}/ns/net`;
    await using again = await NetworkNamespace.open(path);
    await other[Symbol.asyncDispose]();
    await blue.close();
    expect(await again.getLink("there0")).toMatchObject({ name: "there0" });
    expect(await link("here0")).toMatchObject({ ifindex: end.index });
    await again.close();
    await expect.poll(() => link("here0"), { timeout: 30_000 }).toBeUndefined();
    other = await otherNamespace();
  });

  test("by name is no hindrance to the handle, and is not opened again", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "flintap-")), "named");
    onTestFinished(() => rmSync(dirname(path), { recursive: true }));
    writeFileSync(path, "");
    execFileSync("mount", ["--bind", `/proc/${other.pid}/ns/net`, path]);
    await using named = await NetworkNamespace.open(path);
    execFileSync("umount", [path]);
    expect(await named.createBridge({ name: "br7" })).toMatchObject({ up: true });
    expect(await namesThere()).toContain("br7");
    // What ip netns leaves behind where a name was unmounted, but not removed.
    expect(await refusal(NetworkNamespace.open(path))).toMatchObject({ reason: "not-a-namespace" });
  });
});

describe("in a user namespace", () => {
  needs(
    "root",
    "ordinary-user",
    "macvtap",
  )("an ordinary user opens, makes and moves", async () => {
    const inner = ["unshare", "--user", "--map-root-user", "--net", "--mount"];
    const ending = await runModule(
      `import { spawn } from "node:child_process";
       import { once } from "node:events";
       import { createMacvtap, createVeth, getLink, moveLink, NetworkNamespace } from "flintap";
       // A sanitizer's library, preloaded, is for Node alone.
       const { LD_PRELOAD: _, ...env } = process.env;
       const holder = spawn("unshare", ["--net", "sh", "-c", "echo there; exec cat"], { env });
       await once(holder.stdout, "data");
       const blue = await NetworkNamespace.open({ pid: holder.pid });
       const [parent] = await createVeth();
       const made = await blue.createMacvtap({ parent });
       const guest = await createMacvtap({ parent });
       const moved = await moveLink(guest, blue);
       const own = (await getLink("lo")).namespace;
       console.log(made.up, moved.up, moved.ipv6.state, moved.namespace === made.namespace, made.namespace !== own);
       await blue.close();
       holder.stdin.end();`,
      { under: [...ordinaryUser, ...inner] },
    );
    expect(ending).toMatchObject({ code: 0, stderr: "", stdout: "true true closed true true\n" });
  });
});

describe("without the right to enter", () => {
  needs("root", "ordinary-user")("opening says what it takes", async () => {
    const ending = await runModule(
      `import { NetworkNamespace } from "flintap";
       const error = await NetworkNamespace.open("/proc/self/ns/net").catch((error) => error);
       console.log(error.code, error.reason, error.hint);`,
      { under: [...ordinaryUser] },
    );
    expect(ending.stdout).toMatch(/^EPERM no-permission Entering .* CAP_SYS_ADMIN/);
  });

  needs("root", "ordinary-user")("nor to look at a process, opening says so", async () => {
    const ending = await runModule(
      `import { NetworkNamespace } from "flintap";
       const error = await NetworkNamespace.open({ pid: ${other.pid} }).catch((error) => error);
       console.log(error.code, error.reason, error.hint);`,
      { under: [...ordinaryUser] },
    );
    expect(ending.stdout).toMatch(/^EACCES no-permission /);
  });

  test("nor as root without CAP_SYS_ADMIN, though with CAP_NET_ADMIN", async () => {
    const ending = await runModule(
      `import { createTap, deleteLink, NetworkNamespace } from "flintap";
       const error = await NetworkNamespace.open({ pid: ${other.pid} }).catch((error) => error);
       await deleteLink(await createTap());
       console.log(error.code, error.reason, error.hint);`,
      { under: ["setpriv", "--bounding-set=-sys_admin"] },
    );
    expect(ending).toMatchObject({ stderr: "", stdout: expect.stringContaining("CAP_SYS_ADMIN") });
    expect(ending.stdout).toMatch(/^EPERM no-permission/);
  });
});
