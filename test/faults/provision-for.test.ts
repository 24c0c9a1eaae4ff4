/** A guest's devices and queues under faults: each system call of having them fails once. */
import { afterAll, beforeAll, expect } from "vitest";
import { type Provisioned, provision, release } from "../../src/flintlock/index.js";
import { FlintapError, NetworkNamespace } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { openDescriptors } from "../setup/descriptors.js";
import { addBridge, addParent } from "../setup/iproute2.js";
import { failEveryCall } from "../setup/seam.js";
import { stateOfLinks } from "../setup/state.js";

const withAll = needs("seam", "tun", "macvtap", "veth", "bridge", "proc-sys", "macvtap-queue");

const config = { parentIface: "enp0", bridgeName: "br0" };
const microvm = {
  id: "mvm1",
  namespace: "ns1",
  interfaces: [
    { deviceId: "eth1", type: "macvtap" as const },
    { deviceId: "eth2", type: "tap" as const },
  ],
};

let steady: NetworkNamespace;

beforeAll(async () => {
  await addParent();
  await addBridge("br0");
  steady = NetworkNamespace.current();
});
afterAll(() => steady.close());

withAll("a guest has all its queues, or nothing is open and nothing is left", async () => {
  const give = () => provision(microvm, { config, namespace: steady, for: "qemu", queues: 2 });
  const takeBack = async ({ interfaces }: Provisioned): Promise<void> => {
    const queues = interfaces.flatMap((entry) => entry.queues ?? []);
    expect(queues).toHaveLength(4);
    await Promise.all(queues.map((queue) => queue.close()));
    await release(microvm, { namespace: steady });
  };
  // Once, so that what the handle keeps open is open.
  await takeBack(await give());
  const before = await stateOfLinks();
  // The handle's own socket is another one after a failure of it.
  const openQueues = () => openDescriptors().filter((line) => !/ (socket|net):/.test(line));
  const open = openQueues();
  const struck = await failEveryCall(5, give, async ({ error, result, at }) => {
    if (error === undefined) await takeBack(result as Provisioned);
    else {
      expect(error, `call ${at}`).toBeInstanceOf(FlintapError);
      expect((error as FlintapError).leftBehind, `call ${at}`).toBeUndefined();
    }
    expect(await stateOfLinks(), `call ${at}`).toEqual(before);
    expect(openQueues(), `call ${at}`).toEqual(open);
  });
  expect(struck.length).toBeGreaterThan(60);
});
