/**
 * The host's IPv6 on a link whose settings are changed: as it was asked for, and with no gap in which
 * a router advertisement could be heard.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { describe, expect } from "vitest";
import {
  createBridge,
  createMacvtap,
  createTap,
  createVeth,
  getLink,
  type HostIPv6,
  openMacvtap,
  setLink,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { macvtapHeader } from "../setup/frames.js";
import { addParent, addresses, ip, link, routes } from "../setup/iproute2.js";
import { withReadOnlyProcSys } from "../setup/read-only-proc-sys.js";
import { refusal } from "../setup/refusal.js";
import { advertise } from "../setup/router-advertisement.js";
import { stage } from "../setup/stage.js";

const withTap = needs("tun", "proc-sys");
const withVeth = needs("veth", "proc-sys");
const withBridge = needs("bridge", "proc-sys");
const withNode = needs("veth", "macvtap", "proc-sys", "tap-node");

stage(async () => {
  await addParent();
});

function setting(name: string, which: string): string {
  return readFileSync(`/proc/sys/net/ipv6/conf/${name}/${which}`, "utf8").trim();
}

/** The address mode by which the namespace makes addresses: `eui64`. */
const modes = { open: "0", reduced: "1" };

describe("hostIPv6", () => {
  const states: HostIPv6[] = ["closed", "reduced", "open"];
  for (const from of states) {
    for (const to of states) {
      withTap(`goes from ${from} to ${to}, on a link that is up and one that is down`, async () => {
        for (const up of [true, false]) {
          const tap = await createTap({ hostIPv6: from, up });
          const changed = await setLink(tap, { hostIPv6: to });
          expect(changed).toMatchObject({ up, ipv6: { state: to } });
          expect(setting(tap.name, "disable_ipv6")).toBe(to === "closed" ? "1" : "0");
          if (to !== "closed") expect(setting(tap.name, "addr_gen_mode")).toBe(modes[to]);
        }
      });
    }
  }

  withVeth("of somebody else's link: closed takes its addresses, open makes one", async () => {
    await ip("link add end0 type veth peer name end1");
    for (const end of ["end0", "end1"]) await ip(`link set ${end} up`);
    await ip("address add 2001:db8::1/64 dev end0");
    await setLink("end0", { hostIPv6: "closed" });
    expect(await addresses("end0")).toEqual([]);
    await setLink("end0", { hostIPv6: "reduced" });
    expect(await addresses("end0")).toEqual([]);
    await setLink("end0", { hostIPv6: "open" });
    expect(await addresses("end0")).toMatchObject([{ local: expect.stringMatching(/^fe80::/) }]);
  });

  withVeth("is as asked before the link goes up", async () => {
    const [end] = await createVeth({ up: false });
    const changed = await setLink(end, { hostIPv6: "closed", up: true });
    expect(changed).toMatchObject({ up: true, ipv6: { state: "closed" } });
    expect(await addresses(end.name)).toEqual([]);
  });

  withTap("opens in the namespace's own way of making addresses", async () => {
    const path = "/proc/sys/net/ipv6/conf/default/addr_gen_mode";
    writeFileSync(path, "3");
    try {
      const tap = await createTap({ hostIPv6: "reduced" });
      await setLink(tap, { hostIPv6: "open" });
      expect((await link(tap.name))?.inet6_addr_gen_mode).toBe("random");
    } finally {
      writeFileSync(path, "0");
    }
  });

  withTap("cannot be opened where an MTU leaves no IPv6", async () => {
    const tap = await createTap({ mtu: 1_000 });
    for (const changes of [
      { hostIPv6: "open" },
      { hostIPv6: "reduced" },
      { hostIPv6: "open", mtu: 1_279 },
    ] as const) {
      const error = await refusal(setLink(tap, { ...changes, txQueueLength: 9 }));
      expect(error).toMatchObject({ code: "ERR_FLINTAP_REFUSED", reason: "no-ipv6" });
    }
    expect(await link(tap.name)).toMatchObject({ mtu: 1_000, txqlen: 1_000 });
    for (const hostIPv6 of states) {
      expect(await setLink(tap, { hostIPv6, mtu: 1_280 })).toMatchObject({
        up: true,
        ipv6: { state: hostIPv6 },
      });
      expect(await setLink(tap, { hostIPv6: "closed", mtu: 1_000 })).toMatchObject({ mtu: 1_000 });
    }
  });
});

/** What the kernel tells of IPv6 addresses and routes while `body` runs. */
async function toldWhile(body: () => Promise<void>): Promise<string[]> {
  const monitor = spawn("ip", ["-6", "monitor", "address", "route"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const reader = createInterface(monitor.stdout);
  reader.on("line", (line) => lines.push(line));
  const told = async (words: string): Promise<void> => {
    const deadline = Date.now() + 10_000;
    while (!lines.some((line) => line.includes(words))) {
      if (Date.now() > deadline) throw new Error(`ip monitor did not tell of ${words}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  // It listens when it has told of something; after the second, of all that came before.
  const sign = async (address: string): Promise<void> => {
    let heard = false;
    const seen = told(address).then(() => {
      heard = true;
    });
    while (!heard) {
      await ip(`address replace ${address}/128 dev lo`);
      await ip(`address del ${address}/128 dev lo`);
      await Promise.race([seen, new Promise((resolve) => setImmediate(resolve))]);
    }
    await seen;
  };
  try {
    await sign("2001:db8::aaaa");
    await body();
    await sign("2001:db8::bbbb");
    return lines.filter((line) => !/ lo\b/.test(line) && !/^\s+valid_lft/.test(line));
  } finally {
    const exit = once(monitor, "exit");
    monitor.kill();
    await exit;
  }
}

describe("an MTU below 1,280 and back", () => {
  withTap("leaves a device of ours closed, without an address in between", async () => {
    await using tap = await createTap({ persist: false });
    await using open = await createTap({ persist: false, hostIPv6: "open" });
    let busy = true;
    const guest = (async () => {
      while (busy) {
        for (const { queues } of [tap, open])
          try {
            advertise(queues[0]?.fd ?? -1, "02:00:00:00:00:01");
          } catch (error) {
            expect((error as NodeJS.ErrnoException).code).toBe("EIO"); // it is down
          }
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const told = await toldWhile(async () => {
      for (let times = 0; times < 10; times++) {
        for (const each of [tap, open]) {
          await setLink(each, { mtu: 1_000 });
          expect(existsSync(`/proc/sys/net/ipv6/conf/${each.name}`)).toBe(false);
        }
        expect(await setLink(tap, { mtu: 1_500 })).toMatchObject({
          up: true,
          ipv6: { state: "closed" },
        });
        await setLink(open, { mtu: 1_500, hostIPv6: "open" });
      }
    });
    busy = false;
    await guest;
    expect(told.filter((line) => line.includes(tap.name))).toEqual([]);
    // It would have been told of.
    expect(told.some((line) => line.includes(open.name))).toBe(true);
    expect(setting(tap.name, "disable_ipv6")).toBe("1");
    expect((await routes(6)).filter(({ dev }) => dev === tap.name)).toEqual([]);
  });

  withNode("leaves a macvtap closed that hears the wire", async () => {
    const nic = await createMacvtap({ parent: "enp0" });
    const outside = await createMacvtap({ parent: "wire0" });
    await using queue = await openMacvtap(outside);
    const told = await toldWhile(async () => {
      await setLink(nic, { mtu: 1_000 });
      await setLink(nic, { mtu: 1_500 });
      advertise(queue.fd, outside.mac ?? "", macvtapHeader);
    });
    expect(told.filter((line) => line.includes(nic.name))).toEqual([]);
    expect(await getLink(nic)).toMatchObject({ up: true, ipv6: { state: "closed" } });
  });

  withBridge("leaves a bridge of ours closed, and deaf when it is opened", async () => {
    const bridge = await createBridge();
    await setLink(bridge, { mtu: 1_000 });
    expect(await setLink(bridge, { mtu: 1_500 })).toMatchObject({
      ipv6: { state: "closed", acceptRouterAdvertisements: 0 },
    });
    expect(await setLink(bridge, { hostIPv6: "open" })).toMatchObject({
      ipv6: { state: "open", acceptRouterAdvertisements: 0 },
    });
  });

  withVeth("leaves the link of somebody else as the kernel has it", async () => {
    await ip("link add end0 type veth peer name end1");
    await ip("link set end0 up");
    await setLink("end0", { mtu: 1_000 });
    expect(await setLink("end0", { mtu: 1_500 })).toMatchObject({ ipv6: { state: "open" } });
  });

  needs(
    "veth",
    "macvtap",
    "proc-sys",
  )("is put back with its IPv6 when going up is refused after it", async () => {
    const taken = await createMacvtap({ parent: "enp0" });
    for (const hostIPv6 of ["closed", "reduced", "open"] as const) {
      const nic = await createMacvtap({ parent: "enp0", hostIPv6, up: false });
      await ip(`link set ${taken.name} down`);
      await ip(`link set ${taken.name} address ${nic.mac}`).catch(() => {});
      await ip(`link set ${taken.name} up`);
      const error = await refusal(setLink(nic, { mtu: 1_000, up: true }));
      expect(error).toMatchObject({ reason: "duplicate-mac", step: "set up" });
      expect(await getLink(nic)).toMatchObject({
        mtu: 1_500,
        up: false,
        ipv6: { state: hostIPv6 },
      });
    }
  });

  withTap("is refused where it could not be closed again, and the link stays up", async () => {
    const tap = await createTap();
    await setLink(tap, { mtu: 1_000 });
    const before = await ip(`-details link show dev ${tap.name}`);
    await withReadOnlyProcSys(async () => {
      const error = await refusal(setLink(tap, { mtu: 1_500 }));
      expect(error).toMatchObject({ code: "EROFS", reason: "proc-sys-read-only" });
      expect(error.hint).toContain("Give the process a writable");
    });
    expect(await ip(`-details link show dev ${tap.name}`)).toBe(before);
    const path = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
    writeFileSync(path, "1");
    try {
      await withReadOnlyProcSys(async () => {
        expect(await setLink(tap, { mtu: 1_500 })).toMatchObject({ ipv6: { state: "closed" } });
      });
    } finally {
      writeFileSync(path, "0");
    }
  });
});

describe("where /proc/sys is read-only", () => {
  withTap("closing and opening are refused, and reducing works", async () => {
    const closed = await createTap();
    const open = await createTap({ hostIPv6: "open" });
    await withReadOnlyProcSys(async () => {
      for (const call of [
        () => setLink(closed, { hostIPv6: "open", txQueueLength: 9 }),
        () => setLink(open, { hostIPv6: "closed", txQueueLength: 9 }),
      ]) {
        const error = await refusal(call());
        expect(error).toMatchObject({ code: "EROFS", reason: "proc-sys-read-only" });
      }
      expect(await setLink(open, { hostIPv6: "reduced" })).toMatchObject({
        ipv6: { state: "reduced" },
      });
      expect(await setLink(open, { hostIPv6: "open" })).toMatchObject({ ipv6: { state: "open" } });
    });
    for (const tap of [closed, open])
      expect(await getLink(tap)).toMatchObject({ txQueueLength: 1_000 });
  });
});
