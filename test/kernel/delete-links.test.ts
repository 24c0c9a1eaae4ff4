/** deleteLinks: many at once, each with a result of its own. iproute2 is the witness. */
import { describe, expect } from "vitest";
import {
  createBridge,
  createMacvtap,
  createTap,
  type DeleteResult,
  deleteLink,
  deleteLinks,
  NetworkNamespace,
  openMacvtap,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { addBridge, addParent, ip, ipBatch, link, linkNames, links } from "../setup/iproute2.js";
import { otherNamespace } from "../setup/other-namespace.js";
import { stage } from "../setup/stage.js";

const withTap = needs("tun", "proc-sys");
const withVeth = needs("veth", "proc-sys");
const withMacvtap = needs("veth", "macvtap", "proc-sys");

stage(async () => {});

/** Why it was not deleted; `"deleted"` where it was. */
function ending(result: DeleteResult): string {
  return result.deleted ? "deleted" : ((result.error as { reason?: string }).reason ?? "given up");
}

async function endings(deletion: Promise<DeleteResult[]>): Promise<string[]> {
  return (await deletion).map(ending);
}

/** Many veth pairs by iproute2, which nobody has tagged; gives the names of their first ends. */
async function addPairs(count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, at) => `p${at}`);
  await ipBatch(names.map((name) => `link add ${name} type veth peer name ${name}x`));
  return names;
}

describe("deleteLinks", () => {
  withTap("tells of each what became of it, and deletes the others", async () => {
    await ip("link add theirs type bridge");
    const [gone, other, twice, named] = await Promise.all([
      createTap(),
      createTap(),
      createTap(),
      createTap({ name: "named" }),
    ]);
    await ip("link del", gone.name);
    const wanted = [gone, other, "lo", "theirs", twice, 2_000_000_000, twice, "named", named.index];
    expect(await endings(deleteLinks(wanted))).toEqual([
      "no-such-link",
      "deleted",
      "physical-link",
      "not-ours",
      "deleted",
      "no-such-link",
      "no-such-link",
      "deleted",
      "no-such-link",
    ]);
    expect(await linkNames()).toEqual(["lo", "theirs"]);
    expect((await link("theirs"))?.group).toBe("default");
  });

  withTap("deletes the others although a physical one is among them, by force", async () => {
    const taps = await Promise.all([createTap(), createTap()]);
    const before = await link("lo");
    expect(await endings(deleteLinks([...taps, "lo"], { force: true }))).toEqual([
      "deleted",
      "deleted",
      "physical-link",
    ]);
    expect(await link("lo")).toEqual(before);
  });

  withMacvtap("deletes bridges with what is on them", async () => {
    const bridges = await Promise.all(Array.from({ length: 6 }, () => createBridge()));
    const on = await Promise.all(
      bridges.flatMap((bridge) => [
        createTap({ bridge: bridge.name, persist: true }),
        createMacvtap({ parent: bridge }),
      ]),
    );
    const results = await endings(deleteLinks([...bridges, ...on]));
    expect(results).toEqual(Array(18).fill("deleted"));
    expect(await linkNames()).toEqual(["lo"]);
  });

  needs(
    "veth",
    "macvtap",
    "tap-node",
    "tun",
    "proc-sys",
  )("deletes taps and macvtaps that are held", async () => {
    await addParent();
    const tap = await createTap({ persist: false, multiQueue: true, queues: 2 });
    const macvtap = await createMacvtap({ parent: "enp0" });
    const queue = await openMacvtap(macvtap);
    const results = await endings(deleteLinks([tap, macvtap, await createTap()]));
    expect(results).toEqual(["deleted", "deleted", "deleted"]);
    await ip("link del enp0");
    expect(await linkNames()).toEqual(["lo"]);
    await tap.close();
    await queue.close();
  });

  withVeth("gives hundreds of results, in the order of the names", async () => {
    const names = await addPairs(330);
    const wanted = names.flatMap((name, at) => (at % 10 === 5 ? [name, `no${at}`] : [name]));
    const expected = wanted.map((name) => (name.startsWith("no") ? "no-such-link" : "deleted"));
    expect(await endings(deleteLinks(wanted, { force: true }))).toEqual(expected);
    expect(await linkNames()).toEqual(["lo"]);
  });

  withTap("leaves links in other groups alone", async () => {
    await ip("link add theirs type bridge");
    await ip("link add grouped type bridge");
    await ip("link set grouped group 77");
    const taps = await Promise.all([createTap(), createTap()]);
    const before = await Promise.all(["theirs", "grouped"].map((name) => link(name)));
    await deleteLinks(taps);
    expect(await Promise.all(["theirs", "grouped"].map((name) => link(name)))).toEqual(before);
  });

  withTap("frees the names at once, again and again", async () => {
    for (let round = 0; round < 10; round++) {
      const names = Array.from({ length: 4 }, (_, at) => `again${at}`);
      const made = await Promise.all(names.map((name) => createTap({ name })));
      expect(await endings(deleteLinks(made))).toEqual(names.map(() => "deleted"));
    }
    expect(await linkNames()).toEqual(["lo"]);
  });

  withVeth("given up in the middle, it stops at the next chunk, and tells which stay", async () => {
    const [first = "", ...others] = await addPairs(600);
    const controller = new AbortController();
    const begun = deleteLink(first, { force: true });
    const deletion = deleteLinks(others, { force: true, signal: controller.signal });
    await begun;
    controller.abort();
    const results = await deletion;
    const there = new Set(await linkNames());
    expect(results.filter(({ link: name, deleted }) => deleted === there.has(`${name}`))).toEqual(
      [],
    );
    expect(results.some(({ deleted }) => !deleted)).toBe(true);
    expect((await links()).filter(({ group }) => group !== "default")).toEqual([]);
  });

  needs(
    "root",
    "tun",
    "proc-sys",
  )("deletes where the handle is, one and many", async () => {
    await using other = await otherNamespace();
    await using there = await NetworkNamespace.open({ pid: other.pid });
    const here = await createTap({ name: "same0" });
    const names = ["same0", "same1", "same2"];
    const made = await Promise.all(names.map((name) => there.createTap({ name })));
    await there.deleteLink(made[1] as (typeof made)[0]);
    expect(await endings(there.deleteLinks(names))).toEqual(["deleted", "no-such-link", "deleted"]);
    expect(await other.run("ip", "-brief", "link")).not.toMatch(/same/);
    expect(await link("same0")).toMatchObject({ ifindex: here.index });
  });
});

describe("a single delete", () => {
  withTap("frees the name at once, many times in a row", async () => {
    for (let round = 0; round < 30; round++) {
      const tap = await createTap({ name: "again0" });
      expect(await link("again0")).toMatchObject({ ifindex: tap.index });
      await deleteLink(tap);
      expect(await link("again0")).toBeUndefined();
    }
  });

  needs(
    "bridge",
    "tun",
    "proc-sys",
  )("of a bridge's port is no leaving of the bridge", async () => {
    await addBridge();
    // A port's deletion tells first that it leaves the bridge (AF_BRIDGE), then that it is gone.
    for (let round = 0; round < 10; round++) {
      const tap = await createTap({ bridge: "br0" });
      await deleteLink(tap);
      expect(await link(tap.name)).toBeUndefined();
    }
  });
});
