/** deleteLink: what it deletes, and above all what it does not. iproute2 is the witness. */
import { describe, expect } from "vitest";
import {
  createBridge,
  createMacvtap,
  createTap,
  createVeth,
  deleteLink,
  getLink,
  NetworkNamespace,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { addParent, ip, link, linkNames, rename } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const withTap = needs("tun", "proc-sys");
const withBridge = needs("bridge", "proc-sys");
const withVeth = needs("veth", "proc-sys");
const anywhere = needs("bridge");

stage(async () => {});

/** What iproute2 tells of a link: equal before and after where nothing may happen to it. */
function seen(name: string): Promise<string> {
  return ip(`-details link show dev ${name}`);
}

describe("deleteLink", () => {
  const kinds = [
    ["macvtap", needs("veth", "macvtap", "proc-sys"), () => createMacvtap({ parent: "enp0" })],
    ["tap", withTap, () => createTap()],
    ["bridge", withBridge, () => createBridge()],
    ["veth", withVeth, async () => (await createVeth())[0]],
  ] as const;
  for (const [kind, register, create] of kinds) {
    register(`deletes a ${kind} that flintap made: held, by name, by index`, async () => {
      if (kind === "macvtap") await addParent();
      const before = await linkNames();
      for (const by of ["held", "name", "index"] as const) {
        const made = await create();
        expect(await link(made.name)).toMatchObject({ ifindex: made.index });
        await deleteLink(by === "held" ? made : made[by]);
        expect(await linkNames()).toEqual(before);
      }
    });
  }

  withTap("deletes by alt name", async () => {
    const before = await linkNames();
    const { identity = "" } = await createTap();
    await deleteLink(identity);
    expect(await linkNames()).toEqual(before);
  });

  withTap("deletes a tap that a VMM holds", async () => {
    const tap = await createTap({ persist: false });
    await deleteLink(tap);
    expect(await link(tap.name)).toBeUndefined();
    await tap.close();
  });

  withTap("deletes a link that was renamed, by the link held", async () => {
    const tap = await createTap({ up: false });
    await rename(tap.name, "renamed");
    await deleteLink(tap);
    expect(await link("renamed")).toBeUndefined();
  });

  withTap("deletes many at once", async () => {
    const before = await linkNames();
    const taps = await Promise.all(Array.from({ length: 20 }, () => createTap()));
    await Promise.all(taps.map((tap) => deleteLink(tap)));
    expect(await linkNames()).toEqual(before);
  });
});

describe("a link that is gone", () => {
  anywhere("is ENODEV by name and by index", async () => {
    for (const reference of ["nothing", 2_000_000_000]) {
      const error = await refusal(deleteLink(reference));
      expect(error).toMatchObject({ code: "ENODEV", reason: "no-such-link" });
    }
  });

  withTap("is ENODEV by the link held", async () => {
    const tap = await createTap();
    await ip(`link del ${tap.name}`);
    expect(await refusal(deleteLink(tap))).toMatchObject({
      code: "ENODEV",
      reason: "no-such-link",
    });
  });

  withBridge("is ENODEV by the link held, although another has its name", async () => {
    const bridge = await createBridge({ name: "reused" });
    await ip("link del reused");
    await ip("link add reused type bridge");
    const stranger = await seen("reused");
    for (const force of [false, true]) {
      const error = await refusal(deleteLink(bridge, { force }));
      expect(error).toMatchObject({ code: "ENODEV", reason: "no-such-link" });
    }
    expect(await seen("reused")).toBe(stranger);
  });

  withBridge("is ENODEV by the link held, although another has its name and index", async () => {
    const bridge = await createBridge({ name: "reused", index: 1_234_573 });
    await ip("link del reused");
    await ip("link add reused index 1234573 type bridge");
    const stranger = await seen("reused");
    const error = await refusal(deleteLink(bridge, { force: true }));
    expect(error).toMatchObject({ code: "ENODEV", reason: "no-such-link" });
    expect(await seen("reused")).toBe(stranger);
  });

  withBridge("is ENODEV by the link held, although another of ours has its place", async () => {
    const wanted = { name: "reused", index: 1_234_574, mac: "02:00:00:00:00:0c" };
    const first = await createBridge(wanted);
    await deleteLink(first);
    const second = await createBridge(wanted);
    expect((await refusal(deleteLink(first))).code).toBe("ENODEV");
    expect((await link("reused"))?.altnames).toEqual([second.identity]);
  });

  anywhere(
    "is ENODEV by a held link of somebody else's, although another has its index",
    async () => {
      await ip("link add theirs index 1234575 type bridge");
      const held = await getLink("theirs");
      await ip("link del theirs");
      await ip("link add stranger index 1234575 type bridge");
      const stranger = await seen("stranger");
      expect((await refusal(deleteLink(held, { force: true }))).code).toBe("ENODEV");
      expect(await seen("stranger")).toBe(stranger);
    },
  );
});

describe("a link that is not ours", () => {
  anywhere("is not deleted when it has no tag", async () => {
    await ip("link add theirs type bridge");
    const before = await seen("theirs");
    const held = await getLink("theirs");
    for (const reference of ["theirs", held.index, held]) {
      const error = await refusal(deleteLink(reference));
      expect(error).toMatchObject({
        code: "ERR_FLINTAP_REFUSED",
        reason: "not-ours",
        errno: 0,
        device: "theirs",
      });
    }
    expect(await seen("theirs")).toBe(before);
  });

  withBridge(
    "is not deleted when its tag has another owner, nor one that begins alike",
    async () => {
      await using namespace = NetworkNamespace.current({ owner: "flint" });
      const bridge = await createBridge();
      expect((await refusal(namespace.deleteLink(bridge))).reason).toBe("not-ours");
      const theirs = await namespace.createBridge();
      expect((await refusal(deleteLink(theirs))).reason).toBe("not-ours");
      expect(await link(bridge.name)).toBeDefined();
      expect(await link(theirs.name)).toBeDefined();
      await namespace.deleteLink(theirs);
      expect(await link(theirs.name)).toBeUndefined();
    },
  );

  anywhere("is not deleted for an alias that only looks like our tag", async () => {
    await ip("link add theirs type bridge");
    await ip("link set theirs alias", "flintap1;flintap;t=1795459923");
    expect((await refusal(deleteLink("theirs"))).reason).toBe("not-ours");
    expect(await link("theirs")).toBeDefined();
  });

  anywhere("is deleted when forced", async () => {
    await ip("link add theirs type bridge");
    await deleteLink(await getLink("theirs"), { force: true });
    expect(await link("theirs")).toBeUndefined();
  });

  anywhere("is never deleted when it is a physical one", async () => {
    const before = await seen("lo");
    for (const force of [false, true]) {
      const error = await refusal(deleteLink("lo", { force }));
      expect(error).toMatchObject({ reason: "physical-link", device: "lo" });
    }
    expect(await seen("lo")).toBe(before);
  });
});
