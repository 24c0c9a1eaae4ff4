/**
 * Every way in which the kernel, or the library in its stead, refuses a request: it says what, why
 * and what to do, and leaves no device, descriptor, node or change behind.
 */
import { existsSync } from "node:fs";
import { beforeAll, describe, expect } from "vitest";
import {
  attachToBridge,
  createBridge,
  createMacvtap,
  createTap,
  createVeth,
  type FlintapError,
  listLinks,
} from "../../src/index.js";
import { loadAddon } from "../../src/load-addon.js";
import { NativeLine } from "../../src/native-line.js";
import { type Capability, needs } from "../setup/capabilities.js";
import { inventory } from "../setup/inventory.js";
import { addBridge, addParent, ip, ipBatch, link } from "../setup/iproute2.js";
import { argumentError, refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const takenMac = "02:00:00:00:00:99";
const takenIndex = 1_300_000;
const freeIndex = 1_300_001;

stage(async () => {
  await addParent();
  await addBridge();
  await ip(`link add taken index ${takenIndex} link enp0 address ${takenMac} type macvtap`);
  await ip("link set taken up");
  await ip("link property add dev taken altname alternative");
});

// The handle of the process's own namespace opens its socket once.
beforeAll(async () => {
  await listLinks();
});

/** A refusal, and what has to be needed to see it. */
interface Case {
  title: string;
  needs: Capability[];
  call: () => Promise<unknown>;
  expected: Partial<FlintapError>;
}

const macvtap: Capability[] = ["veth", "macvtap", "proc-sys"];
const tap: Capability[] = ["tun", "veth", "macvtap", "bridge", "proc-sys"];
const nothing = "nothing-there";

const cases: Case[] = [
  {
    title: "createTap on an unknown bridge",
    needs: tap,
    call: () => createTap({ bridge: nothing }),
    expected: { code: "ENODEV", reason: "no-such-bridge", device: nothing, step: "look up" },
  },
  {
    title: "attachToBridge to an unknown bridge",
    needs: macvtap,
    call: () => attachToBridge("wire0", nothing),
    expected: { code: "ENODEV", reason: "no-such-bridge", device: nothing },
  },
  {
    title: "createTap on a link that is no bridge",
    needs: tap,
    call: () => createTap({ bridge: "wire0" }),
    expected: { code: "ERR_FLINTAP_REFUSED", reason: "not-a-bridge", device: "wire0" },
  },
  {
    title: "createMacvtap on an unknown parent",
    needs: macvtap,
    call: () => createMacvtap({ parent: nothing }),
    expected: { code: "ENODEV", reason: "no-such-parent", device: nothing, step: "look up" },
  },
  {
    title: "createMacvtap on a parent that cannot be one",
    needs: macvtap,
    call: () => createMacvtap({ parent: "lo" }),
    expected: { code: "EINVAL", reason: "parent-unusable" },
  },
  {
    title: "createMacvtap in mode passthru beside another one",
    needs: macvtap,
    call: () => createMacvtap({ parent: "enp0", mode: "passthru" }),
    expected: { code: "EINVAL", reason: "parent-busy" },
  },
  {
    title: "createMacvtap with the parent's own MAC",
    needs: macvtap,
    call: async () => createMacvtap({ parent: "enp0", mac: (await link("enp0"))?.address }),
    expected: { code: "EADDRINUSE", reason: "duplicate-mac" },
  },
  {
    title: "createMacvtap with a MAC that another one on the parent has",
    needs: macvtap,
    call: () => createMacvtap({ parent: "enp0", mac: takenMac, index: freeIndex }),
    expected: { code: "EADDRINUSE", errno: 98, reason: "duplicate-mac" },
  },
  {
    title: "createMacvtap with an MTU above the parent's",
    needs: macvtap,
    call: () => createMacvtap({ parent: "enp0", mtu: 1501, index: freeIndex }),
    expected: { code: "EINVAL", reason: "mtu-above-parent", step: "create" },
  },
  {
    title: "createMacvtap with an MTU that no driver takes",
    needs: macvtap,
    call: () => createMacvtap({ parent: "enp0", mtu: 67 }),
    expected: { code: "EINVAL", reason: "mtu-out-of-range" },
  },
  {
    title: "createTap with an MTU that no driver takes",
    needs: tap,
    call: () => createTap({ mtu: 65_522 }),
    expected: { code: "EINVAL", reason: "mtu-out-of-range", step: "configure" },
  },
  {
    title: "createVeth with an MTU of the other end that no driver takes",
    needs: ["veth", "proc-sys"],
    call: () => createVeth({ peer: { mtu: 67 } }),
    expected: { code: "EINVAL", reason: "mtu-out-of-range" },
  },
  {
    title: "createBridge with a setting that the kernel ignores",
    needs: ["bridge", "proc-sys"],
    call: () => createBridge({ stp: true, forwardDelay: 0 }),
    expected: {
      code: "ERR_FLINTAP_IGNORED",
      errno: 0,
      reason: "setting-ignored",
      attribute: "details.forwardDelay",
      expected: "0",
      actual: "200",
    },
  },
];

/** What each way of making a device says of a name or an index that is taken. */
const makers = {
  createMacvtap: (options: object) => createMacvtap({ parent: "enp0", ...options }),
  createTap,
  createBridge,
  createVeth,
};
const takings = [
  ["a taken name", { name: "taken" }, { reason: "name-taken", device: "taken" }],
  [
    "a name that is an alt name",
    { name: "alternative" },
    { reason: "alt-name-taken", device: "alternative" },
  ],
  ["a taken index", { index: takenIndex }, { reason: "index-taken" }],
  ["a name and an index that are taken", { name: "taken", index: takenIndex }, {}],
] as const;
for (const [operation, create] of Object.entries(makers)) {
  for (const [what, options, expected] of takings)
    cases.push({
      title: `${operation} with ${what}`,
      needs: tap,
      call: () => create(options),
      expected: { code: "EEXIST", errno: 17, operation, ...expected },
    });
}

describe("a refusal says why and what to do, and leaves nothing:", () => {
  for (const { title, needs: needed, call, expected } of cases) {
    needs(...needed)(title, async () => {
      const before = await inventory();
      expect(await refusal(call())).toMatchObject(expected);
      expect(await inventory()).toEqual(before);
      expect(existsSync(`/dev/tap${freeIndex}`)).toBe(false);
    });
  }

  needs(...tap)("createTap on a bridge that is full", async () => {
    const ports = Array.from({ length: 1023 }, (_, at) => `full${at}`);
    await ipBatch([
      "link add br9 type bridge",
      ...ports.flatMap((port) => [
        `link add ${port} type veth peer name ${port}-far`,
        `link set ${port} master br9`,
      ]),
    ]);
    const before = await inventory();
    const error = await refusal(createTap({ bridge: "br9", isolated: true }));
    expect(error).toMatchObject({ code: "EXFULL", reason: "bridge-full", step: "attach" });
    expect(error.hint).toContain("1,023");
    expect(await inventory()).toEqual(before);
  });

  needs(...macvtap)("createMacvtap with a MAC that is taken only when it goes up", async () => {
    const wanted = { parent: "enp0", mac: takenMac } as const;
    const down = await createMacvtap({ ...wanted, up: false });
    expect((await refusal(createMacvtap(wanted))).reason).toBe("duplicate-mac");
    expect((await link(down.name))?.address).toBe(takenMac);
  });
});

describe("a MAC that no device can have", () => {
  const multicast = "01:00:5e:00:00:01";

  needs(...tap)("is a wrong argument, and nothing is sent", async () => {
    const before = await inventory();
    for (const create of Object.values(makers)) {
      for (const mac of [multicast, "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"])
        expect((await argumentError(create({ mac }))).code).toBe("ERR_INVALID_ARG_VALUE");
    }
    expect(await inventory()).toEqual(before);
  });

  needs(...tap)("is refused by the native side by itself", async () => {
    const line = new NativeLine(new (loadAddon().Handle)());
    await line.run({
      operation: "listLinks",
      request: () => ({ statistics: false, unknown: false }),
    });
    const before = await inventory();
    const link = { name: "guest", alias: "", mac: multicast, up: true };
    const macvtapRequest = {
      parent: { name: "enp0" },
      link: { ...link, kind: "macvtap", details: { mode: "bridge" } },
      hostIPv6: "closed",
    } as const;
    const tapRequest = {
      link: { ...link, kind: "tun" },
      hostIPv6: "closed",
      persistent: true,
      multiQueue: false,
      vnetHeader: false,
      queues: 0,
    } as const;
    const expected = { reason: "invalid-mac", errno: 99 };
    const macvtap = line.run({ operation: "createMacvtap", request: () => macvtapRequest });
    await expect(macvtap).rejects.toMatchObject(expected);
    const tapCall = line.run({ operation: "createTap", request: () => tapRequest });
    await expect(tapCall).rejects.toMatchObject(expected);
    expect(await inventory()).toEqual(before);
    await line.close();
  });
});
