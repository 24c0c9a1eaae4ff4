/** openMacvtap: whose device a queue is, and what passes through it. */
import { execFileSync } from "node:child_process";
import {
  chownSync,
  closeSync,
  fstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { describe, expect } from "vitest";
import {
  createMacvtap,
  deleteLink,
  type MacvtapLink,
  NetworkNamespace,
  openMacvtap,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { type Ending, runModule } from "../setup/child.js";
import { everybody, macvtapHeader, receiveUntil, send } from "../setup/frames.js";
import { addParent, ip } from "../setup/iproute2.js";
import { unshare, unshareArguments } from "../setup/namespace.js";
import { refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const withQueue = needs("veth", "macvtap", "proc-sys", "macvtap-queue");
const withMknod = needs("root", "veth", "macvtap", "proc-sys", "mknod");
const withNode = needs("root", "veth", "macvtap", "proc-sys", "tap-node", "mknod");

stage(() => addParent());

/** `major:minor`, as sysfs writes it; a minor above 255 goes on above the major. */
function numberOf(rdev: number): string {
  return `${(rdev >> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >> 12) & 0xfff00)}`;
}

function sysfsNumber({ name, index }: MacvtapLink): string {
  return readFileSync(`/sys/class/net/${name}/macvtap/tap${index}/dev`, "utf8").trim();
}

function makeNode(path: string, rdev: number): void {
  const [major = "", minor = ""] = numberOf(rdev).split(":");
  execFileSync("mknod", ["-m", "600", path, "c", major, minor]);
}

/** What the library may have left in /dev. */
function leftInDev(): string[] {
  return readdirSync("/dev").filter((name) => name.startsWith(".flintap"));
}

describe("the queue of a macvtap", () => {
  withQueue("is that of this very link, whichever way it is named", async () => {
    const macvtap = await createMacvtap({ parent: "enp0" });
    for (const reference of [macvtap, macvtap.name, macvtap.index]) {
      await using queue = await openMacvtap(reference);
      const { rdev } = fstatSync(queue.fd);
      expect(numberOf(rdev)).toBe(sysfsNumber(macvtap));
    }
  });

  withQueue("is not inherited by programs that the process starts", async () => {
    await using queue = await openMacvtap(await createMacvtap({ parent: "enp0" }));
    const flags = /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${queue.fd}`, "utf8"));
    expect(Number.parseInt(flags?.[1] ?? "0", 8) & 0o2000000).toBe(0o2000000);
  });

  withQueue(
    "carries a guest's frames to another guest, and only broadcast to the wire",
    async () => {
      const [one, other] = [
        await createMacvtap({ parent: "enp0" }),
        await createMacvtap({ parent: "enp0" }),
      ];
      const everything = await createMacvtap({ parent: "wire0", mode: "passthru" });
      await using from = await openMacvtap(one);
      await using to = await openMacvtap(other);
      await using wire = await openMacvtap(everything);
      const sender = one.mac ?? "";
      send(from.fd, { to: other.mac ?? "", from: sender, text: "unicast" }, macvtapHeader);
      send(from.fd, { to: everybody, from: sender, text: "broadcast" }, macvtapHeader);
      expect(await receiveUntil(to.fd, "broadcast", macvtapHeader)).toEqual([
        "unicast",
        "broadcast",
      ]);
      expect(await receiveUntil(wire.fd, "broadcast", macvtapHeader)).toEqual(["broadcast"]);
    },
  );

  withQueue("takes what comes for the guest from the wire, and nobody else's", async () => {
    const [one, other] = [
      await createMacvtap({ parent: "enp0" }),
      await createMacvtap({ parent: "enp0" }),
    ];
    const outside = await createMacvtap({ parent: "wire0" });
    await using from = await openMacvtap(outside);
    await using to = await openMacvtap(one);
    const sender = outside.mac ?? "";
    send(from.fd, { to: other.mac ?? "", from: sender, text: "other's" }, macvtapHeader);
    send(from.fd, { to: one.mac ?? "", from: sender, text: "its own" }, macvtapHeader);
    expect(await receiveUntil(to.fd, "its own", macvtapHeader)).toEqual(["its own"]);
  });
});

describe("a second queue of a macvtap", () => {
  withQueue("is refused, on another handle too", async () => {
    await using namespace = NetworkNamespace.current();
    const macvtap = await createMacvtap({ parent: "enp0" });
    await using queue = await openMacvtap(macvtap);
    for (const handle of [{ openMacvtap }, namespace]) {
      const error = await refusal(handle.openMacvtap(macvtap.index));
      expect(error).toMatchObject({
        code: "ERR_FLINTAP_REFUSED",
        reason: "queue-already-open",
        device: macvtap.name,
      });
    }
    expect(numberOf(fstatSync(queue.fd).rdev)).toBe(sysfsNumber(macvtap));
  });

  withQueue("is opened when it is asked for", async () => {
    const macvtap = await createMacvtap({ parent: "enp0" });
    await using first = await openMacvtap(macvtap);
    await using second = await openMacvtap(macvtap, { additionalQueue: true });
    expect(second.fd).not.toBe(first.fd);
    expect(numberOf(fstatSync(second.fd).rdev)).toBe(sysfsNumber(macvtap));
  });

  withQueue("is the first again once that was closed, here or behind our back", async () => {
    const macvtap = await createMacvtap({ parent: "enp0" });
    await (await openMacvtap(macvtap)).close();
    const leaked = await openMacvtap(macvtap);
    closeSync(leaked.fd);
    await using again = await openMacvtap(macvtap);
    expect(numberOf(fstatSync(again.fd).rdev)).toBe(sysfsNumber(macvtap));
  });

  withQueue(
    "is not what a queue of a link that is gone is, whose device number is free again",
    async () => {
      const first = await createMacvtap({ parent: "enp0" });
      await using stale = await openMacvtap(first);
      await deleteLink(first);
      const second = await createMacvtap({ parent: "enp0" });
      expect(stale.fd).toBeGreaterThan(2);
      await using queue = await openMacvtap(second);
      expect(numberOf(fstatSync(queue.fd).rdev)).toBe(sysfsNumber(second));
    },
  );
});

/**
 * Makes a macvtap with this index in a namespace of its own and opens it there, with the rights
 * that are left. Prints the numbers of the device that it opened and of the link's own.
 */
function openElsewhere(index: number, ...rights: string[]): Promise<Ending> {
  const source = `
    import { execFileSync } from "node:child_process";
    import { fstatSync, readFileSync } from "node:fs";
    import { createMacvtap, openMacvtap } from "flintap";
    execFileSync("ip", "link add enp0 type veth peer name wire0".split(" "));
    const { name, index } = await createMacvtap({ parent: "enp0", index: ${index} });
    try {
      const queue = await openMacvtap(name);
      const own = readFileSync("/sys/class/net/" + name + "/macvtap/tap" + index + "/dev", "utf8");
      console.log(JSON.stringify({ rdev: fstatSync(queue.fd).rdev, own: own.trim() }));
    } catch ({ code, reason, hint, device, leftBehind }) {
      console.log(JSON.stringify({ code, reason, hint, named: device === name, leftBehind }));
    }
  `;
  return runModule(source, { under: [unshare, ...unshareArguments, ...rights] });
}

describe("where /dev/tapN is another namespace's", () => {
  const ways = [
    ["a node that nobody sees", []],
    ["a node in a directory of its own, where it may not mount", ["-sys_admin"]],
  ] as const;
  for (const [way, less] of ways) {
    withMknod(`the link's own device is opened, by ${way}`, async () => {
      const first = await createMacvtap({ parent: "enp0" });
      const rights = less.length === 0 ? [] : ["setpriv", `--bounding-set=${less.join(",")}`];
      const { stdout, stderr } = await openElsewhere(first.index, ...rights);
      expect(stderr).toBe("");
      const { rdev, own } = JSON.parse(stdout);
      expect(numberOf(rdev)).toBe(own);
      expect(own).not.toBe(sysfsNumber(first));
      expect(leftInDev()).toEqual([]);
    });
  }

  for (const less of ["-mknod", "-mknod,-sys_admin"]) {
    withMknod(`it is refused without the right to make a node (${less})`, async () => {
      const first = await createMacvtap({ parent: "enp0" });
      const { stdout, stderr } = await openElsewhere(
        first.index,
        "setpriv",
        `--bounding-set=${less}`,
      );
      expect(stderr).toBe("");
      expect(JSON.parse(stdout)).toEqual({
        code: "EPERM",
        reason: "mknod-not-allowed",
        hint: expect.stringContaining("CAP_MKNOD"),
        named: true,
      });
      expect(leftInDev()).toEqual([]);
    });
  }
});

describe("a node in /dev", () => {
  withNode("is the one that is opened", async () => {
    const macvtap = await createMacvtap({ parent: "enp0" });
    await using queue = await openMacvtap(macvtap);
    const { ino, rdev } = statSync(`/dev/tap${macvtap.index}`);
    expect(fstatSync(queue.fd)).toMatchObject({ ino, rdev });
  });

  withNode("is not needed", async () => {
    const macvtap = await createMacvtap({ parent: "enp0" });
    rmSync(`/dev/tap${macvtap.index}`);
    await using queue = await openMacvtap(macvtap);
    expect(numberOf(fstatSync(queue.fd).rdev)).toBe(sysfsNumber(macvtap));
    expect(leftInDev()).toEqual([]);
  });

  withNode("is not opened when it is another device", async () => {
    const [one, other] = [
      await createMacvtap({ parent: "enp0" }),
      await createMacvtap({ parent: "enp0" }),
    ];
    const node = `/dev/tap${one.index}`;
    const stranger = statSync(`/dev/tap${other.index}`).rdev;
    rmSync(node);
    // The kernel removes only the node that it made, so this one has to be removed here.
    makeNode(node, stranger);
    try {
      await using queue = await openMacvtap(one);
      expect(numberOf(fstatSync(queue.fd).rdev)).toBe(sysfsNumber(one));
    } finally {
      rmSync(node);
    }
  });

  withNode("that may not be opened says so", async () => {
    const { name, index } = await createMacvtap({ parent: "enp0" });
    chownSync(`/dev/tap${index}`, 65_534, 65_534);
    const source = `
      import { openMacvtap } from "flintap";
      await openMacvtap("${name}").catch(({ code, reason, hint, device }) =>
        console.log(JSON.stringify({ code, reason, hint, device })));
    `;
    const under = ["setpriv", "--bounding-set=-dac_override"];
    const { stdout } = await runModule(source, { under });
    expect(JSON.parse(stdout)).toEqual({
      code: "EACCES",
      reason: "device-not-allowed",
      hint: expect.stringContaining("cgroup"),
      device: name,
    });
  });
});

describe("openMacvtap", () => {
  withMknod("says where no sysfs of the namespace can be had", async () => {
    const source = `
      import { execFileSync } from "node:child_process";
      import { createMacvtap, openMacvtap } from "flintap";
      execFileSync("ip", "link add enp0 type veth peer name wire0".split(" "));
      const macvtap = await createMacvtap({ parent: "enp0" });
      await openMacvtap(macvtap).catch(({ reason, hint }) =>
        console.log(JSON.stringify({ reason, hint })));
    `;
    // Without a mount of its own, /sys goes on showing the links of the namespace of before.
    const under = [unshare, "--net", "--", "setpriv", "--bounding-set=-sys_admin"];
    const { stdout, stderr } = await runModule(source, { under });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      reason: "sysfs-foreign",
      hint: expect.stringContaining("mount -t sysfs"),
    });
  });

  needs("veth")("refuses what is no macvtap", async () => {
    const error = await refusal(openMacvtap("enp0"));
    expect(error).toMatchObject({
      code: "ERR_FLINTAP_REFUSED",
      reason: "not-a-macvtap",
      device: "enp0",
    });
  });

  withQueue("says that the link is gone", async () => {
    const macvtap = await createMacvtap({ parent: "enp0" });
    await ip(`link del ${macvtap.name}`);
    for (const reference of [macvtap, macvtap.name]) {
      const error = await refusal(openMacvtap(reference));
      expect(error).toMatchObject({ code: "ENODEV", reason: "no-such-link" });
    }
  });
});
