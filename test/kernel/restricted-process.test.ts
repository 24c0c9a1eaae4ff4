/**
 * What a process gets that may do less than root: it says what is missing and leaves nothing
 * behind. The limits of the mount namespace are set for a moment in that of this file.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect } from "vitest";
import {
  createBridge,
  createMacvtap,
  createTap,
  type FlintapError,
  getLink,
  listLinks,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { runModule } from "../setup/child.js";
import { inventory } from "../setup/inventory.js";
import { addBridge, addParent, ip, link } from "../setup/iproute2.js";
import { withReadOnlyProcSys } from "../setup/read-only-proc-sys.js";
import { refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const withTun = needs("tun", "proc-sys");
const withBridge = needs("bridge", "proc-sys");
const withAll = needs("tun", "veth", "macvtap", "bridge", "proc-sys");

stage(async () => {
  await addParent();
  await addBridge();
});

// The handle of the process's own namespace opens its socket once.
beforeAll(async () => {
  await listLinks();
});

/** Runs `body` with a setting of the namespace's new devices changed. */
async function withDefault(
  setting: string,
  value: string,
  body: () => Promise<void>,
): Promise<void> {
  const path = `/proc/sys/net/ipv6/conf/default/${setting}`;
  const before = readFileSync(path, "utf8");
  writeFileSync(path, value);
  try {
    await body();
  } finally {
    writeFileSync(path, before);
  }
}

describe("where /proc/sys is read-only", () => {
  withAll("a device that cannot be closed is not made", async () => {
    const before = await inventory();
    await withReadOnlyProcSys(async () => {
      const calls = [
        () => createMacvtap({ parent: "enp0" }),
        () => createTap(),
        () => createTap({ persist: false }),
      ];
      for (const call of calls) {
        const error = await refusal(call());
        expect(error).toMatchObject({ code: "EROFS", reason: "proc-sys-read-only" });
        expect(error.hint).toContain("hostIPv6: 'reduced'");
      }
      const error = await refusal(createBridge());
      expect(error).toMatchObject({ code: "EROFS", reason: "proc-sys-read-only" });
      expect(error.hint).toContain("acceptRouterAdvertisements: true");
    });
    expect(await inventory()).toEqual(before);
  });

  withTun("which is hidden, a device that cannot be closed is not made", async () => {
    const before = await inventory();
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/proc/sys"]);
    try {
      expect(await refusal(createTap())).toMatchObject({
        code: "ENOENT",
        reason: "proc-sys-read-only",
        step: "close the host's IPv6",
      });
    } finally {
      execFileSync("umount", ["/proc/sys"]);
    }
    expect(await inventory()).toEqual(before);
  });

  withAll("it is made where the namespace's default is closed", async () => {
    await withDefault("disable_ipv6", "1", () =>
      withReadOnlyProcSys(async () => {
        for (const made of [await createMacvtap({ parent: "enp0" }), await createTap()]) {
          expect(made.ipv6?.state).toBe("closed");
          const setting = `/proc/sys/net/ipv6/conf/${made.name}/disable_ipv6`;
          expect(readFileSync(setting, "utf8")).toBe("1\n");
        }
      }),
    );
  });

  withAll("it is made with less or nothing closed when that is asked for", async () => {
    await withReadOnlyProcSys(async () => {
      for (const [hostIPv6, mode] of [
        ["reduced", "none"],
        ["open", "eui64"],
      ] as const) {
        const made = [
          await createMacvtap({ parent: "enp0", hostIPv6 }),
          await createTap({ hostIPv6 }),
        ];
        for (const { name, ipv6 } of made) {
          expect(ipv6?.state).toBe(hostIPv6);
          expect((await link(name))?.inet6_addr_gen_mode).toBe(mode);
        }
      }
    });
  });

  withBridge("a bridge is made where it is deaf or need not be", async () => {
    await withReadOnlyProcSys(async () => {
      const { ipv6 } = await createBridge({ acceptRouterAdvertisements: true });
      expect(ipv6?.acceptRouterAdvertisements).toBe(1);
    });
    await withDefault("accept_ra", "0", () =>
      withReadOnlyProcSys(async () => {
        expect((await createBridge()).ipv6?.acceptRouterAdvertisements).toBe(0);
      }),
    );
  });
});

/** Runs `body` with another /dev/net. */
async function withDevNet(prepare: () => void, body: () => Promise<void>): Promise<void> {
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/dev/net"]);
  try {
    prepare();
    await body();
  } finally {
    execFileSync("umount", ["/dev/net"]);
  }
}

describe("createTap", () => {
  withTun("says that /dev/net/tun is missing", async () => {
    const before = await inventory();
    await withDevNet(
      () => {},
      async () => {
        const error = await refusal(createTap());
        expect(error).toMatchObject({ code: "ENOENT", reason: "tun-device-missing" });
        expect(error.hint).toContain("modprobe tun");
      },
    );
    expect(await inventory()).toEqual(before);
  });

  const inItsPlace = [
    ["a folder", () => mkdirSync("/dev/net/tun"), "EISDIR"],
    ["a plain file", () => writeFileSync("/dev/net/tun", ""), "ENOTTY"],
    ["another device", () => execFileSync("mknod", ["/dev/net/tun", "c", "1", "3"]), "ENOTTY"],
  ] as const;
  for (const [what, prepare, code] of inItsPlace)
    withTun(`says that /dev/net/tun is not the tun device but ${what}`, async () => {
      await withDevNet(prepare, async () => {
        for (const call of [() => createTap(), () => createTap({ index: 7 })])
          expect(await refusal(call())).toMatchObject({ code, reason: "tun-device-missing" });
      });
    });

  withTun("says that /dev/net/tun may not be opened", async () => {
    const before = await inventory();
    await withDevNet(
      () => {
        writeFileSync("/dev/net/tun", "");
        chmodSync("/dev/net/tun", 0);
      },
      async () => {
        const under = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
        const [failure] = await outcomesOf(["createTap()"], under);
        expect(failure).toMatchObject({ code: "EACCES", reason: "tun-not-allowed" });
        expect(failure?.hint).toContain("chmod 666 /dev/net/tun");
      },
    );
    expect(await inventory()).toEqual(before);
  });
});

/** What the calls are refused with in a process started through `under`. */
async function outcomesOf(calls: string[], under: string[]): Promise<Partial<FlintapError>[]> {
  const { stdout, stderr } = await runModule(
    `
    import * as flintap from "flintap";
    const outcomes = [];
    for (const call of [${calls.map((call) => `() => flintap.${call}`)}])
      outcomes.push(await call().catch(({ code, reason, hint, leftBehind }) =>
        ({ code, reason, hint, leftBehind })));
    console.log(JSON.stringify(outcomes));
  `,
    { under },
  );
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

/** Runs `body` with a /sys that says of lo, as a stand-in, that it is wireless. */
async function withWirelessLoopback(body: () => Promise<void>): Promise<void> {
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/sys"]);
  try {
    const folder = "/sys/class/net/lo";
    mkdirSync(`${folder}/phy80211`, { recursive: true });
    const files = { ifindex: "1", address: "00:00:00:00:00:00", ifalias: "" };
    for (const [name, text] of Object.entries(files))
      writeFileSync(`${folder}/${name}`, `${text}\n`);
    await body();
  } finally {
    execFileSync("umount", ["/sys"]);
  }
}

describe("createMacvtap", () => {
  withAll("refuses a wireless parent (this machine has none: /sys says so of lo)", async () => {
    await withWirelessLoopback(async () => {
      const calls = ["", ', mode: "source"', ', mode: "passthru"'];
      const outcomes = await outcomesOf(
        calls.map((more) => `createMacvtap({ parent: "lo"${more} })`),
        // Without it, no sysfs of the process's own.
        ["setpriv", "--bounding-set=-sys_admin"],
      );
      const refused = { code: "ERR_FLINTAP_REFUSED", reason: "parent-wireless" };
      expect(outcomes).toMatchObject([refused, refused, { reason: "parent-unusable" }]);
    });
  });

  withAll("does without where no sysfs of the namespace tells", async () => {
    const under = ["setpriv", "--bounding-set=-sys_admin"];
    const [outcome] = await outcomesOf(['createMacvtap({ parent: "lo" })'], under);
    expect(outcome).toMatchObject({ reason: "parent-unusable" });
  });
});

describe("without CAP_NET_ADMIN", () => {
  withAll("every change is refused with what is missing, and reading goes on", async () => {
    await ip("link add port0 type veth peer name port1");
    await ip("link set port0 master br0");
    const before = await inventory();
    const calls = [
      'createMacvtap({ parent: "enp0" })',
      "createTap()",
      "createBridge()",
      "createVeth()",
      'attachToBridge("port1", "br0")',
      'detachFromBridge("port0")',
      'deleteLink("port0", { force: true })',
    ];
    const outcomes = await outcomesOf(calls, ["setpriv", "--bounding-set=-net_admin"]);
    const expected = { code: "EPERM", reason: "no-permission" };
    expect(outcomes).toMatchObject(calls.map(() => expected));
    for (const { hint } of outcomes) expect(hint).toContain("CAP_NET_ADMIN");
    expect(await inventory()).toEqual(before);
    const [found] = await outcomesOf(
      ['getLink("port0")'],
      ["setpriv", "--bounding-set=-net_admin"],
    );
    expect(found).toMatchObject({ name: "port0", index: (await getLink("port0")).index });
  });
});
