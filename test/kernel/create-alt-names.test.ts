/** The alt names that a device is given when it is made, with iproute2 as the witness. */
import { describe, expect } from "vitest";
import {
  createBridge,
  createMacvtap,
  createTap,
  createVeth,
  type Link,
  listLinks,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { inventory } from "../setup/inventory.js";
import { addParent, ip, link } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const withAll = needs("tun", "veth", "macvtap", "bridge", "proc-sys");

stage(async () => {
  await addParent();
  await ip("link property add dev enp0 altname uplink");
  // The handle opens its socket once.
  await listLinks();
});

const makers: Record<string, (options: object) => Promise<Link | readonly Link[]>> = {
  createMacvtap: (options) => createMacvtap({ parent: "enp0", ...options }),
  createTap,
  createBridge,
  createVeth,
};

async function shownAltNames({ name }: Pick<Link, "name">): Promise<string[] | undefined> {
  return (await link(name))?.altnames;
}

const long = "x".repeat(127);

for (const [call, create] of Object.entries(makers)) {
  describe(call, () => {
    withAll("gives the device its alt names, beside its identity", async () => {
      const altNames = [`${call}-a`, long, "größe%d"];
      const [made] = [await create({ altNames })].flat() as [Link];
      expect(made.altNames.toSorted()).toEqual([made.identity, ...altNames].toSorted());
      expect(await shownAltNames(made)).toEqual([made.identity, ...altNames]);
      expect((await link(long))?.ifname).toBe(made.name);
      await ip(`link del ${made.name}`);
    });

    withAll("with none in the list gives it none", async () => {
      const [made] = [await create({ altNames: [] })].flat() as [Link];
      expect(await shownAltNames(made)).toEqual([made.identity]);
    });

    const takings = [
      ["another link's name", {}, "wire0"],
      ["another link's alt name", {}, "uplink"],
      ["a taken name, with an index of the caller's", { index: 1_300_000 }, "uplink"],
    ] as const;
    for (const [what, options, taken] of takings) {
      withAll(`makes nothing with ${what} among the alt names`, async () => {
        const before = await inventory();
        const wanted = { ...options, altNames: ["free", taken, "also-free"] };
        expect(await refusal(create(wanted))).toMatchObject({
          code: "EEXIST",
          reason: "alt-name-taken",
          operation: call,
          step: "add the alt names",
          device: taken,
        });
        expect(await inventory()).toEqual(before);
      });
    }
  });
}

describe("createVeth", () => {
  withAll("gives the other end alt names of its own", async () => {
    const [near, far] = await createVeth({ altNames: ["near"], peer: { altNames: ["far"] } });
    expect(await shownAltNames(near)).toEqual([near.identity, "near"]);
    expect(await shownAltNames(far)).toEqual([far.identity, "far"]);
  });

  withAll("makes nothing when an alt name of the other end is taken", async () => {
    const before = await inventory();
    const error = await refusal(createVeth({ peer: { altNames: ["uplink"] } }));
    expect(error).toMatchObject({ reason: "alt-name-taken", device: "uplink" });
    expect(await inventory()).toEqual(before);
  });
});
