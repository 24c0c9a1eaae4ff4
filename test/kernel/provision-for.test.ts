/** provision for VMMs: the queues that they are handed, and what a guest that runs keeps. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fstatSync } from "node:fs";
import { describe, expect } from "vitest";
import {
  type Microvm,
  type Provisioned,
  type ProvisionOptions,
  provision,
  release,
} from "../../src/flintlock/index.js";
import type { DeviceQueue } from "../../src/index.js";
import { openDescriptors } from "../setup/descriptors.js";
import { config, hostOfFile, microvm, onHost } from "../setup/host.js";
import { link, linkNames } from "../setup/iproute2.js";
import { refusal } from "../setup/refusal.js";
import { stateOfLinks } from "../setup/state.js";

const host = hostOfFile();

const give = (options: Partial<ProvisionOptions> = {}, to: Microvm = microvm) =>
  provision(to, { config, namespace: host.namespace, for: "qemu", ...options });

const queuesOf = ({ interfaces }: Provisioned): DeviceQueue[] =>
  interfaces.flatMap(({ queues = [] }) => queues);

const closeAll = (queues: readonly DeviceQueue[]) =>
  Promise.all(queues.map((queue) => queue.close()));

/** What stands for a VMM: has the queues until its standard input is closed. */
async function startVmm(queues: readonly DeviceQueue[]) {
  const child = spawn("cat", [], {
    stdio: ["pipe", "pipe", "ignore", ...queues.map(({ fd }) => fd)],
  });
  await closeAll(queues);
  return {
    pid: child.pid as number,
    async end() {
      const exit = once(child, "exit");
      child.stdin?.end();
      await exit;
    },
  };
}

/** Ends a VMM, and waits until the kernel has removed the tap that went with it. */
async function endWithTap(
  vmm: Awaited<ReturnType<typeof startVmm>>,
  { interfaces }: Provisioned,
): Promise<void> {
  const watch = host.namespace.watchLinks({ kind: "tun" });
  await watch.ready;
  await vmm.end();
  const tap = interfaces[1]?.link.index;
  for await (const { type, link } of watch) if (type === "removed" && link.index === tap) return;
}

describe("for a VMM that takes descriptors", () => {
  onHost("each interface has its queue, and the tap goes with it", async () => {
    const given = await give();
    const [macvtap, tap] = given.interfaces;
    expect(given.interfaces.map(({ queues = [] }) => queues.length)).toEqual([1, 1]);
    expect(tap?.link).toMatchObject({
      details: { persistent: false, vnetHeader: true, multiQueue: false },
    });
    for (const { fd } of queuesOf(given)) expect(fstatSync(fd).isCharacterDevice()).toBe(true);
    const vmm = await startVmm(queuesOf(given));
    expect(await linkNames()).toContain(tap?.link.name);
    await endWithTap(vmm, given);
    expect(await linkNames()).toContain(macvtap?.link.name);
  });

  onHost("several queues make a multi-queue tap", async () => {
    const given = await give({ queues: 3, for: "cloud-hypervisor" });
    expect(given.interfaces.map(({ queues = [] }) => queues.length)).toEqual([3, 3]);
    const name = given.interfaces[1]?.link.name ?? "";
    expect((await link(name))?.linkinfo?.info_data).toMatchObject({
      multi_queue: true,
      numqueues: 3,
      persist: false,
    });
    await closeAll(queuesOf(given));
  });

  onHost("a guest that runs is not given a second time: its VMM is named", async () => {
    const before = openDescriptors();
    const first = await give();
    const vmm = await startVmm(queuesOf(first));
    const state = await stateOfLinks();
    const onlyTap = { ...microvm, interfaces: microvm.interfaces.slice(1) };
    for (const to of [microvm, onlyTap])
      expect(await refusal(give({}, to))).toMatchObject({
        reason: "queues-held",
        code: "EBUSY",
        holder: `process ${vmm.pid} (cat)`,
      });
    expect(await stateOfLinks()).toEqual(state);
    expect(openDescriptors()).toEqual(before);
    await vmm.end();
  });

  onHost("a queue that this process has not handed over yet is held, too", async () => {
    const given = await give();
    expect(await refusal(give())).toMatchObject({ reason: "queues-held" });
    await closeAll(queuesOf(given));
  });

  onHost("a guest that runs keeps its devices, and gets what is missing", async () => {
    const first = await give();
    const vmm = await startVmm(queuesOf(first));
    const again = await give({ guest: "running" });
    expect(again.status).toEqual(first.status);
    expect(queuesOf(again)).toEqual([]);
    await host.namespace.deleteLink(first.interfaces[0]?.link ?? "");
    const mended = await give({ guest: "running" });
    expect(mended.interfaces.map(({ action, queues = [] }) => [action, queues.length])).toEqual([
      ["create", 1],
      ["adopt", 0],
    ]);
    await closeAll(queuesOf(mended));
    await vmm.end();
  });

  onHost(
    "a guest that is started again has the same MACs, on the macvtap that it had",
    async () => {
      const first = await give();
      const vmm = await startVmm(queuesOf(first));
      await endWithTap(vmm, first);
      const second = await give();
      expect(second.interfaces.map(({ action }) => action)).toEqual(["adopt", "create"]);
      expect(second.interfaces.map(({ guestMac }) => guestMac)).toEqual(
        first.interfaces.map(({ guestMac }) => guestMac),
      );
      expect(queuesOf(second)).toHaveLength(2);
      await closeAll(queuesOf(second));
    },
  );

  onHost("its devices are released while it runs", async () => {
    const vmm = await startVmm(queuesOf(await give()));
    const released = await release(microvm, { namespace: host.namespace });
    expect(released.map(({ deleted }) => deleted)).toEqual([true, true]);
    // Its queues are of nothing, though the kernel may give their device number to the next macvtap.
    await closeAll(queuesOf(await give()));
    await vmm.end();
  });

  onHost("where a device cannot be had, no queue is left open and no device is left", async () => {
    const before = { links: await stateOfLinks(), open: openDescriptors() };
    const twice = { ...microvm.interfaces[1], deviceId: "eth3", bridgeName: "br9" };
    const three = { ...microvm, interfaces: [...microvm.interfaces, twice as never] };
    expect(await refusal(give({}, three))).toMatchObject({ reason: "no-such-bridge" });
    expect({ links: await stateOfLinks(), open: openDescriptors() }).toEqual(before);
  });
});

describe("for a VMM that opens taps by name", () => {
  onHost("a tap stays, is its user's, and comes without queues", async () => {
    const onlyTap = { ...microvm, interfaces: microvm.interfaces.slice(1) };
    const given = await give({ for: "firecracker", uid: 30_000 }, onlyTap);
    expect(given.interfaces[0]).not.toHaveProperty("queues");
    expect(given.interfaces[0]?.link.details).toMatchObject({ persistent: true, uid: 30_000 });
  });

  onHost("a macvtap is refused before anything is made, unless it opens those", async () => {
    const before = await stateOfLinks();
    const refused = await refusal(give({ for: "firecracker" }));
    expect(refused).toMatchObject({ reason: "vmm-kind", operation: "provision" });
    expect(await stateOfLinks()).toEqual(before);
    const given = await give({ for: "firecracker-macvtap" });
    expect(queuesOf(given)).toEqual([]);
  });
});
