/** openTap: whose device a queue is, and what passes through it. */
import { fstatSync, readFileSync, statSync } from "node:fs";
import { describe, expect } from "vitest";
import {
  createBridge,
  createTap,
  deleteLink,
  FlintapError,
  NetworkNamespace,
  openTap,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { runModule } from "../setup/child.js";
import { everybody, receiveUntil, send } from "../setup/frames.js";
import { ip, link, linkNames } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const withTap = needs("tun", "proc-sys");
const withBridge = needs("tun", "proc-sys", "bridge");

stage(async () => {});

/** The name of the tap that a descriptor is a queue of. */
function deviceOf(fd: number): string | undefined {
  return /^iff:\s*(\S*)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
}

async function tunData(name: string): Promise<Record<string, unknown> | undefined> {
  return (await link(name))?.linkinfo?.info_data;
}

describe("the queue of a tap", () => {
  withTap("is that of this very link, whichever way it is named", async () => {
    const tap = await createTap();
    for (const reference of [tap, tap.name, tap.index]) {
      await using queue = await openTap(reference);
      expect(fstatSync(queue.fd).rdev).toBe(statSync("/dev/net/tun").rdev);
      expect(deviceOf(queue.fd)).toBe(tap.name);
      expect((await link(tap.name))?.flags).toContain("LOWER_UP");
    }
    expect((await link(tap.name))?.flags).not.toContain("LOWER_UP");
  });

  withTap("is not inherited by programs that the process starts", async () => {
    await using queue = await openTap(await createTap());
    const flags = /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${queue.fd}`, "utf8"));
    expect(Number.parseInt(flags?.[1] ?? "0", 8) & 0o2000000).toBe(0o2000000);
  });

  for (const multiQueue of [false, true]) {
    for (const vnetHeader of [false, true]) {
      const flags = { multiQueue, vnetHeader };
      withTap(`has the tap's own flags: ${JSON.stringify(flags)}`, async () => {
        const tap = await createTap(flags);
        await using queue = await openTap(tap);
        expect(deviceOf(queue.fd)).toBe(tap.name);
        expect(await tunData(tap.name)).toMatchObject({
          multi_queue: multiQueue,
          vnet_hdr: vnetHeader,
        });
      });
    }
  }

  withTap("has the flags of a tap that somebody else made, too", async () => {
    await ip("tuntap add dev theirs mode tap pi vnet_hdr multi_queue");
    await using queue = await openTap("theirs");
    expect(deviceOf(queue.fd)).toBe("theirs");
    expect(await tunData("theirs")).toMatchObject({ pi: true, vnet_hdr: true, numqueues: 1 });
  });
});

describe("frames of taps on a bridge", () => {
  withBridge("go in at one and out at the other", async () => {
    const bridge = await createBridge();
    const [one, other] = [await createTap({ bridge }), await createTap({ bridge })];
    await using from = await openTap(one);
    await using to = await openTap(other);
    const guests = ["02:00:00:00:00:01", "02:00:00:00:00:02"] as const;
    send(from.fd, { to: everybody, from: guests[0], text: "who is there?" });
    expect(await receiveUntil(to.fd, "who is there?")).toEqual(["who is there?"]);
    send(to.fd, { to: guests[0], from: guests[1], text: "a guest" });
    expect(await receiveUntil(from.fd, "a guest")).toEqual(["a guest"]);
    send(from.fd, { to: guests[1], from: guests[0], text: "well" });
    expect(await receiveUntil(to.fd, "well")).toEqual(["well"]);
  });

  withBridge("do not go from one isolated port to another", async () => {
    const bridge = await createBridge();
    const isolated = { bridge, isolated: true, persist: false } as const;
    await using one = await createTap(isolated);
    await using other = await createTap(isolated);
    await using open = await createTap({ bridge, persist: false });
    const [fromOne = -1, toOther = -1, atOpen = -1] = [one, other, open].map(
      ({ queues }) => queues[0]?.fd,
    );
    send(fromOne, { to: everybody, from: "02:00:00:00:00:01", text: "isolated" });
    expect(await receiveUntil(atOpen, "isolated")).toEqual(["isolated"]);
    send(atOpen, { to: everybody, from: "02:00:00:00:00:03", text: "open" });
    expect(await receiveUntil(toOther, "open")).toEqual(["open"]);
  });
});

describe("a tap that is held", () => {
  withTap("is not opened again, in this process or another one", async () => {
    const tap = await createTap();
    await using queue = await openTap(tap);
    const expected = { code: "EBUSY", reason: "tap-held", device: tap.name };
    expect(await refusal(openTap(tap))).toMatchObject(expected);
    const { stdout } = await runModule(`
      import { openTap } from "flintap";
      await openTap("${tap.name}").catch(({ code, reason, device }) =>
        console.log(JSON.stringify({ code, reason, device })));
    `);
    expect(JSON.parse(stdout)).toEqual(expected);
    expect(deviceOf(queue.fd)).toBe(tap.name);
  });

  withTap("is opened again when it has several queues", async () => {
    const tap = await createTap({ multiQueue: true });
    await using first = await openTap(tap);
    await using second = await openTap(tap);
    expect(second.fd).not.toBe(first.fd);
    expect(await tunData(tap.name)).toMatchObject({ numqueues: 2 });
  });

  withTap("has 256 queues at most", async () => {
    await using tap = await createTap({ persist: false, multiQueue: true, queues: 256 });
    const error = await refusal(openTap(tap));
    expect(error).toMatchObject({ code: "E2BIG", reason: "too-many-queues", device: tap.name });
    expect(await tunData(tap.name)).toMatchObject({ numqueues: 256 });
  });
});

describe("a tap that is gone", () => {
  withTap("is ENODEV, and is not made anew", async () => {
    const before = await linkNames();
    const tap = await createTap();
    await deleteLink(tap);
    for (const reference of [tap, tap.name, tap.index]) {
      const error = await refusal(openTap(reference));
      expect(error).toMatchObject({ code: "ENODEV", reason: "no-such-link" });
    }
    expect(await linkNames()).toEqual(before);
  });

  withTap("is ENODEV although another has its name, which is left alone", async () => {
    const tap = await createTap({ name: "reused" });
    await deleteLink(tap);
    await ip("tuntap add dev reused mode tap multi_queue");
    expect((await refusal(openTap(tap))).code).toBe("ENODEV");
    expect(await tunData("reused")).toMatchObject({ numqueues: 0 });
  });

  withTap("while it is opened is not made anew, whoever is first", async () => {
    await using namespace = NetworkNamespace.current();
    const before = await linkNames();
    for (let round = 0; round < 30; round++) {
      const tap = await createTap();
      const [opened] = await Promise.allSettled([openTap(tap), namespace.deleteLink(tap)]);
      if (opened.status === "fulfilled") await opened.value.close();
      else expect(opened.reason).toBeInstanceOf(FlintapError);
      expect(await linkNames()).toEqual(before);
    }
  });
});

describe("openTap", () => {
  needs("tun", "bridge")("refuses what is no tap", async () => {
    await ip("link add br0 type bridge");
    await ip("tuntap add dev layer3 mode tun");
    for (const name of ["br0", "layer3", "lo"]) {
      const error = await refusal(openTap(name));
      expect(error).toMatchObject({
        code: "ERR_FLINTAP_REFUSED",
        reason: "not-a-tap",
        device: name,
      });
    }
  });

  withTap(
    "needs no CAP_NET_ADMIN for the user that may open the tap, and only for it",
    async () => {
      const [mine, theirs] = [await createTap({ uid: 0 }), await createTap({ uid: 65_534 })];
      const source = `
      import { openTap } from "flintap";
      const outcomes = await Promise.allSettled([openTap("${mine.name}"), openTap("${theirs.name}")]);
      console.log(JSON.stringify(outcomes.map(({ reason }) => reason?.reason ?? "opened")));
    `;
      const under = ["setpriv", "--bounding-set=-net_admin"];
      const { stdout, stderr } = await runModule(source, { under });
      expect(stderr).toBe("");
      expect(JSON.parse(stdout)).toEqual(["opened", "no-permission"]);
    },
  );
});
