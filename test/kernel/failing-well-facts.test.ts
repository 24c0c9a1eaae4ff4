/** What a refusal knows beside the reason: what there is instead, who has it, and on what. */
import { readFileSync } from "node:fs";
import { describe, expect } from "vitest";
import {
  attachToBridge,
  type CreateOptions,
  createBridge,
  createMacvtap,
  createTap,
  createVeth,
  deleteLink,
  type FlintapError,
  NetworkNamespace,
  openTap,
  setLink,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { runModule } from "../setup/child.js";
import { addBridge, addParent, ipBatch, link } from "../setup/iproute2.js";
import { otherNamespace } from "../setup/other-namespace.js";
import { refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const withAll = needs("tun", "veth", "macvtap", "bridge", "proc-sys");
const withTap = needs("tun", "proc-sys");

stage(async () => {
  await addParent();
});

describe("a bridge that does not exist", () => {
  withAll("is told with those that do", async () => {
    const calls = [
      () => createTap({ bridge: "nothing" }),
      () => attachToBridge("wire0", "nothing"),
      () => createTap({ bridge: 4_711 }),
    ];
    for (const call of calls) {
      const error = await refusal(call());
      expect(error).toMatchObject({ reason: "no-such-bridge", existing: [] });
      expect(error.message).toContain("the bridge does not exist; there is none (");
    }
    await addBridge("br1");
    await addBridge("br0");
    for (const call of calls) {
      const error = await refusal(call());
      expect(error.existing).toEqual(["br0", "br1"]);
      expect(error).not.toHaveProperty("existingMore");
      expect(error.message).toContain("; there are: br0, br1 (");
    }
  });

  withAll("is told with eight of many", async () => {
    await ipBatch(Array.from({ length: 11 }, (_, at) => `link add many${at + 10} type bridge`));
    const error = await refusal(createTap({ bridge: "nothing" }));
    expect(error.existing).toEqual(Array.from({ length: 8 }, (_, at) => `many${at + 10}`));
    expect(error.existingMore).toBe(3);
    expect(error.message).toContain(", many17 and 3 more (");
  });
});

describe("a parent that does not exist", () => {
  withAll("is told with those that can be one", async () => {
    await addBridge();
    await createMacvtap({ parent: "enp0" });
    await createTap();
    const error = await refusal(createMacvtap({ parent: "nothing" }));
    expect(error).toMatchObject({ reason: "no-such-parent", device: "nothing" });
    expect(error.existing).toEqual(["br0", "enp0", "wire0"]);
  });
});

describe("the parent or bridge is named", () => {
  withAll("beside the device", async () => {
    await addBridge();
    const held = await createMacvtap({ parent: "enp0" });
    const name = "guest0";
    const cases = [
      [() => createMacvtap({ name, parent: "enp0", mtu: 9000 }), "mtu-above-parent", "enp0"],
      [() => createMacvtap({ name, parent: "enp0", mode: "passthru" }), "parent-busy", "enp0"],
      [() => createMacvtap({ name, parent: "lo" }), "parent-unusable", "lo"],
      [() => createMacvtap({ name, parent: held }), "parent-unusable", held.name],
      [() => createTap({ name, bridge: "br0", mtu: 67 }), "mtu-out-of-range", "br0"],
    ] as const;
    for (const [call, reason, on] of cases) {
      const error = await refusal(call());
      expect(error).toMatchObject({ reason, device: name, on });
      expect(error.message).toContain(` ${name} on ${on}: `);
    }
    const error = await refusal(attachToBridge(held, "br0"));
    expect(error).toMatchObject({ reason: "cannot-be-port", device: held.name, on: "br0" });
  });
});

describe("who has it is told", () => {
  const tag = { microvm: "ns/vm", interface: "eth1" };
  const ofOurs = "(owner 'flintap', microVM 'ns/vm', interface 'eth1')";

  withAll("of a name, an alt name and an index", async () => {
    const { index } = await createBridge({ name: "taken", altNames: ["other-name"], tag });
    const takings: [CreateOptions, string][] = [
      [{ name: "taken" }, "name-taken"],
      [{ name: "other-name" }, "alt-name-taken"],
      [{ altNames: ["taken"] }, "alt-name-taken"],
      [{ altNames: ["other-name"] }, "alt-name-taken"],
      [{ index }, "index-taken"],
    ];
    for (const [options, reason] of takings) {
      const makers = [
        () => createMacvtap({ parent: "enp0", ...options }),
        () => createTap(options),
        () => createBridge(options),
        () => createVeth(options),
        () => createVeth({ peer: options }),
      ];
      for (const make of makers)
        expect(await refusal(make())).toMatchObject({ reason, holder: `bridge taken ${ofOurs}` });
    }
    const error = await refusal(setLink("wire0", { name: "taken", up: false }));
    expect(error.message).toContain(`; held by bridge taken ${ofOurs} (EEXIST at rename`);
    expect((await refusal(createBridge({ name: "lo" }))).holder).toBe("link lo (no tag)");
  });

  needs(
    "root",
    "veth",
    "proc-sys",
  )("of a name in the namespace to which a link goes", async () => {
    await using other = await otherNamespace();
    await other.run("ip", "link", "add", "there0", "type", "veth", "peer", "name", "there1");
    await using there = await NetworkNamespace.open({ pid: other.pid });
    await using here = NetworkNamespace.current();
    const [made] = await here.createVeth({ name: "there0" });
    const error = await refusal(here.moveLink(made, there));
    expect(error).toMatchObject({ reason: "name-taken", holder: "veth there0 (no tag)" });
  });

  withAll("of a MAC on the same parent", async () => {
    const holder = await createMacvtap({ parent: "enp0", tag });
    const words = `macvtap ${holder.name} ${ofOurs}`;
    const { mac } = holder;
    const taken = await refusal(createMacvtap({ parent: "enp0", mac }));
    expect(taken).toMatchObject({ reason: "duplicate-mac", holder: words, on: "enp0" });
    const parents = (await link("enp0"))?.address;
    const own = await refusal(createMacvtap({ parent: "enp0", mac: parents }));
    expect(own).toMatchObject({ reason: "duplicate-mac", holder: "veth enp0 (no tag)" });
    const second = await createMacvtap({ parent: "enp0" });
    expect(await refusal(setLink(second, { mac }))).toMatchObject({ holder: words });
    const down = await createMacvtap({ parent: "enp0", mac, up: false });
    expect(await refusal(setLink(down, { up: true }))).toMatchObject({ holder: words });
  });

  withAll("of a link that is another owner's, or nobody's", async () => {
    await using namespace = NetworkNamespace.current({ owner: "other" });
    const made = await createMacvtap({ parent: "enp0", tag });
    const theirs = await refusal(namespace.deleteLink(made));
    expect(theirs).toMatchObject({
      reason: "not-ours",
      holder: "owner 'flintap', microVM 'ns/vm', interface 'eth1'",
    });
    expect((await refusal(deleteLink("wire0"))).holder).toBe("nobody (no tag)");
  });

  withTap("of a tap: this process, or another one by number and command", async () => {
    const tap = await createTap();
    const queue = await openTap(tap);
    const own = await refusal(openTap(tap));
    expect(own).toMatchObject({ reason: "tap-held", holder: "this process" });
    await queue.close();
    const source = `
      import { openTap } from "flintap";
      globalThis.queue = await openTap("${tap.name}");
      setInterval(() => console.log("held"), 10_000);
      console.log("held");
    `;
    const errors: [FlintapError, string][] = [];
    await runModule(source, {
      onOutput: async (_, pid) => {
        const command = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
        const error = await refusal(openTap(tap)).finally(() => process.kill(pid));
        errors.push([error, `process ${pid} (${command})`]);
      },
    });
    const [[error, holder] = expect.unreachable()] = errors;
    expect(error.holder).toBe(holder);
    expect(error.message).toContain(`; held by ${holder} (EBUSY at `);
  });
});
