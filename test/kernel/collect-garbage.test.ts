/** collectGarbage: what goes, and above all what stays. iproute2 is the witness. */
import { describe, expect } from "vitest";
import {
  type Collected,
  type CollectOptions,
  collectGarbage,
  type Link,
  NetworkNamespace,
  type TagParts,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { hostOfFile, onHost } from "../setup/host.js";
import { ip, ipBatch, link, linkNames, rename } from "../setup/iproute2.js";
import { stateOfLinks } from "../setup/state.js";

const host = hostOfFile();

/** Names of links by what became of them; lists that have none are left out. */
function told({ unclear, failed, ...others }: Collected): Record<string, unknown> {
  const names = (links: readonly Link[]) => links.map(({ name }) => name).sort();
  const lists = Object.entries({
    ...Object.fromEntries(Object.entries(others).map(([list, links]) => [list, names(links)])),
    failed: names(failed.map((one) => one.link)),
    unclear: unclear.map(({ link: { name }, why }) => `${name}: ${why}`),
  });
  return Object.fromEntries(lists.filter(([, list]) => list.length > 0));
}

/** Collects whatever its age; what is there is not waited for to grow old. */
const collect = async (keep: CollectOptions["keep"], more: Partial<CollectOptions> = {}) =>
  told(await collectGarbage({ namespace: host.namespace, keep, minAge: 0, ...more }));

const vm = (microvm: string): TagParts => ({ microvm, interface: "eth1" });

/** A tap or macvtap for each microVM; its name is the microVM's with the kind before it. */
async function makeFor(
  microvms: readonly string[],
  namespace: NetworkNamespace = host.namespace,
): Promise<void> {
  await Promise.all(
    microvms.flatMap((microvm) => [
      namespace.createTap({ name: `tap-${microvm}`, bridge: "br0", tag: vm(microvm) }),
      namespace.createMacvtap({ name: `mac-${microvm}`, parent: "enp0", tag: vm(microvm) }),
    ]),
  );
}

const tapFor = (microvm: string) =>
  host.namespace.createTap({ name: `tap-${microvm}`, bridge: "br0", tag: vm(microvm) });

/** Writes a device's alias as somebody else would. */
const writeAlias = async (name: string, change: (alias: string) => string): Promise<void> => {
  const { ifalias = "" } = (await link(name)) ?? {};
  await ip(`link set dev ${name} alias`, change(ifalias));
};

const seconds = (fromNow: number): number => Math.floor(Date.now() / 1_000) + fromNow;

/** Gives a device a tag that says when it was made. */
const dated = (name: string, fromNow: number) =>
  writeAlias(name, (alias) => alias.replace(/;t=\d+/, `;t=${seconds(fromNow)}`));

describe("collecting", () => {
  onHost("deletes what nobody names, and nothing else", async () => {
    await makeFor(["a", "b", "c"]);
    const before = (await stateOfLinks()).filter(({ ifname }) => !/-[bc]$/.test(ifname));
    expect(await collect([{ microvm: "a" }, { microvm: "x" }])).toEqual({
      removed: ["mac-b", "mac-c", "tap-b", "tap-c"],
      kept: ["mac-a", "tap-a"],
    });
    expect(await stateOfLinks()).toEqual(before);
    expect(await collect([])).toEqual({ removed: ["mac-a", "tap-a"] });
    expect(await collect([])).toEqual({});
  });

  onHost("keeps a microVM's one interface, where that is what is named", async () => {
    await makeFor(["a"]);
    const two = { microvm: "a", interface: "eth2" };
    await host.namespace.createTap({ name: "tap-2", tag: two });
    expect(await collect([two])).toEqual({ removed: ["mac-a", "tap-a"], kept: ["tap-2"] });
  });

  onHost(
    "is about one owner's devices, although another's are for microVMs of that name",
    async () => {
      await using other = NetworkNamespace.current({ owner: "other" });
      await makeFor(["a"]);
      await other.createTap({ name: "theirs", tag: vm("a") });
      const theirs = await link("theirs");
      expect(await collect([])).toEqual({ removed: ["mac-a", "tap-a"] });
      expect(await link("theirs")).toEqual(theirs);
      const ofOther = { owner: "other", namespace: undefined };
      expect(await collect([], ofOther)).toEqual({ removed: ["theirs"] });
    },
  );

  onHost("passes over what is for no guest, also what the owner made", async () => {
    await host.namespace.createBridge({ name: "ours" });
    await host.namespace.createTap({ name: "tagless", tag: { bridge: "ours" } });
    await ip("link add theirs type bridge");
    await ip("link set dev theirs alias flintap-notes");
    const before = await linkNames();
    expect(await collect([])).toEqual({});
    expect(await linkNames()).toEqual(before);
  });

  onHost("changes nothing in a dry run", async () => {
    await makeFor(["a", "b"]);
    const before = await stateOfLinks();
    expect(await collect([{ microvm: "a" }], { dryRun: true })).toEqual({
      removed: ["mac-b", "tap-b"],
      kept: ["mac-a", "tap-a"],
    });
    expect(await stateOfLinks()).toEqual(before);
  });

  onHost("takes hundreds at once", async () => {
    const microvms = Array.from({ length: 300 }, (_, at) => `m${at}`);
    await Promise.all(microvms.map((microvm) => tapFor(microvm)));
    const keep = microvms.filter((_, at) => at % 3 === 0).map((microvm) => ({ microvm }));
    const { removed, kept, ...others } = await collect(keep);
    expect(others).toEqual({});
    expect(removed).toHaveLength(200);
    const there = (await linkNames()).filter((name) => name.startsWith("tap-"));
    expect(there).toEqual(keep.map(({ microvm }) => `tap-${microvm}`).sort());
    expect(kept).toEqual(there);
    await collect([]);
  });
});

describe("where it is not known what is to stay", () => {
  const unknown = [undefined, null, [{}], [{ microvm: undefined }], [undefined], "a"];

  onHost("nothing is deleted", async () => {
    await makeFor(["a"]);
    const before = await stateOfLinks();
    for (const keep of unknown) {
      const given = keep as TagParts[];
      for (const wrong of [given, () => given, async () => given])
        await expect(collect(wrong)).rejects.toMatchObject({
          code: expect.stringMatching(/^ERR_INVALID_ARG_/),
        });
    }
    const failed = new Error("no list");
    await expect(collect(() => Promise.reject(failed))).rejects.toBe(failed);
    await expect(
      collect(() => {
        throw failed;
      }),
    ).rejects.toBe(failed);
    expect(await stateOfLinks()).toEqual(before);
  });
});

describe("a young device", () => {
  onHost("stays until its age is not looked at", async () => {
    await tapFor("a");
    expect(await collect([], { minAge: undefined })).toEqual({ young: ["tap-a"] });
    expect(await link("tap-a")).toBeDefined();
    expect(await collect([])).toEqual({ removed: ["tap-a"] });
  });

  onHost("is one from the future, and none from long ago", async () => {
    // Older than a machine is that has just booted, no device is.
    const minAge = 5_000;
    for (const microvm of ["future", "old"]) await tapFor(microvm);
    await dated("tap-future", 3_600);
    await dated("tap-old", -3_600);
    expect(await collect([], { minAge })).toEqual({
      removed: ["tap-old"],
      young: ["tap-future"],
    });
  });

  onHost("is none that was made during another boot", async () => {
    for (const microvm of ["other", "unknown", "cut"]) await tapFor(microvm);
    const boot = "00000000-0000-4000-8000-000000000000";
    await writeAlias("tap-other", (alias) => alias.replace(/;k=.*/, `;k=${boot}`));
    await writeAlias("tap-unknown", (alias) => alias.replace(/;k=.*/, ""));
    await writeAlias("tap-cut", (alias) => alias.slice(0, -30));
    expect(await collect([], { minAge: undefined })).toEqual({
      removed: ["tap-other"],
      young: ["tap-cut", "tap-unknown"],
    });
  });
});

describe("what cannot be told", () => {
  onHost("is reported, and stays", async () => {
    for (const microvm of ["fine", "broken", "note", "bare", "lost"]) await tapFor(microvm);
    await writeAlias("tap-broken", (alias) => alias.replace(/;t=.*/, ""));
    await writeAlias("tap-note", () => "somebody's note");
    await ip("link set dev tap-bare alias", "");
    const { altnames = [] } = (await link("tap-lost")) ?? {};
    for (const name of altnames) await ip(`link property del dev tap-lost altname ${name}`);
    const before = (await stateOfLinks()).filter(({ ifname }) => ifname !== "tap-fine");
    const { removed, unclear } = await collect([]);
    expect(removed).toEqual(["tap-fine"]);
    expect((unclear as string[]).sort()).toEqual([
      "tap-bare: no-tag",
      "tap-broken: broken-tag",
      "tap-lost: no-identity",
      "tap-note: broken-tag",
    ]);
    expect(await stateOfLinks()).toEqual(before);
    // Whose these are nobody knows; whose the lost one is, its tag says.
    await using other = NetworkNamespace.current({ owner: "other" });
    const ofOther = await collect([], { namespace: other });
    expect(ofOther.unclear).toHaveLength(3);
  });
});

describe("what happens to a device before it is deleted", () => {
  onHost("is no matter where it is renamed", async () => {
    await makeFor(["a"]);
    await rename("tap-a", "renamed0");
    const whileAsked = async () => {
      await rename("mac-a", "renamed1");
      return [];
    };
    expect(await collect(whileAsked)).toEqual({ removed: ["mac-a", "renamed0"] });
    for (const name of ["renamed0", "renamed1"]) expect(await link(name)).toBeUndefined();
  });

  onHost("does not harm a stranger that took its name, or its index as well", async () => {
    const { index } = await tapFor("a");
    await tapFor("b");
    const whileAsked = async () => {
      await ipBatch(["link del tap-a", `link add tap-a index ${index} type bridge`]);
      await rename("tap-b", "renamed");
      await ip("link add tap-b type bridge");
      return [];
    };
    expect(await collect(whileAsked)).toEqual({ gone: ["tap-a"], removed: ["tap-b"] });
    for (const name of ["tap-a", "tap-b"])
      expect(await link(name)).toMatchObject({ linkinfo: { info_kind: "bridge" } });
    expect(await link("renamed")).toBeUndefined();
  });

  onHost("does not harm one that was made anew under its name", async () => {
    await tapFor("a");
    const whileAsked = async () => {
      await ip("link del tap-a");
      await tapFor("a");
      return [];
    };
    expect(await collect(whileAsked)).toEqual({ gone: ["tap-a"] });
    expect(await link("tap-a")).toBeDefined();
  });

  onHost("is told where it cannot be deleted any more, and the others go", async () => {
    await makeFor(["a", "b"]);
    const whileAsked = async () => {
      await writeAlias("tap-a", (alias) => alias.replace(/^flintap1;\w+;/, "flintap1;other;"));
      return [];
    };
    const collected = await collectGarbage({
      namespace: host.namespace,
      minAge: 0,
      keep: whileAsked,
    });
    expect(told(collected)).toEqual({ failed: ["tap-a"], removed: ["mac-a", "mac-b", "tap-b"] });
    const stack = expect.stringContaining("collect-garbage.test.ts");
    expect(collected.failed).toMatchObject([
      { error: { reason: "not-ours", device: "tap-a", stack } },
    ]);
    expect(await link("tap-a")).toBeDefined();
  });

  onHost("comes behind what the list says in that moment", async () => {
    await tapFor("a");
    const noted: TagParts[] = [];
    let used: Promise<unknown> | undefined;
    const whileAsked = () => {
      // What a daemon does that notes a microVM and then uses what is there: it is too late.
      queueMicrotask(() => {
        noted.push({ microvm: "a" });
        used = host.namespace.getLink("tap-a").catch((error: unknown) => error);
      });
      return noted;
    };
    expect(await collect(whileAsked)).toEqual({ removed: ["tap-a"] });
    expect(await used).toMatchObject({ reason: "no-such-link" });
    await tapFor("a");
    expect(await collect(() => noted)).toEqual({ kept: ["tap-a"] });
  });
});

needs(
  "veth",
  "tun",
  "proc-sys",
)("hundreds of links of others are none of its business", async () => {
  const pairs = Array.from({ length: 200 }, (_, at) => `p${at}`);
  await ipBatch(pairs.map((name) => `link add ${name} type veth peer name ${name}x`));
  await host.namespace.createTap({ name: "tap-a", tag: vm("a") });
  const before = (await linkNames()).filter((name) => name !== "tap-a");
  expect(await collect([])).toEqual({ removed: ["tap-a"] });
  expect(await linkNames()).toEqual(before);
});
