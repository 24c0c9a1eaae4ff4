/** The changes and deletes that are put under faults, in the forms that take different ways. */
import { expect } from "vitest";
import { ip, link } from "../setup/iproute2.js";
import { elsewhere, emptyElsewhere } from "./elsewhere.js";
import {
  expectAttached,
  expectClosed,
  makePort,
  makeUpPort,
  port,
  type Subject,
  subject,
} from "./subject.js";

export const changes: Subject[] = [
  subject({
    name: "attachToBridge, from no master",
    operation: "attachToBridge",
    needs: ["veth", "bridge"],
    least: 14,
    prepare: async () => {
      await makePort();
      await ip("link set port0 nomaster");
    },
    operate: (namespace, signal) => namespace.attachToBridge("port0", "br0", { ...port, signal }),
    complete: () => expectAttached("br0"),
  }),
  subject({
    name: "attachToBridge, forced from another master",
    operation: "attachToBridge",
    needs: ["veth", "bridge"],
    least: 14,
    prepare: makePort,
    operate: (namespace, signal) =>
      namespace.attachToBridge("port0", "br0", { ...port, force: true, signal }),
    complete: () => expectAttached("br0"),
  }),
  subject({
    name: "attachToBridge, to the master it has",
    operation: "attachToBridge",
    needs: ["veth", "bridge"],
    least: 14,
    prepare: makePort,
    operate: (namespace, signal) => namespace.attachToBridge("port0", "br1", { ...port, signal }),
    complete: () => expectAttached("br1"),
  }),
  subject({
    name: "detachFromBridge",
    operation: "detachFromBridge",
    needs: ["veth", "bridge"],
    least: 11,
    prepare: makePort,
    operate: (namespace, signal) => namespace.detachFromBridge("port0", { signal }),
    complete: async () => expect((await link("port0"))?.master).toBeUndefined(),
  }),
  subject({
    name: "deleteLink",
    stays: true,
    operation: "deleteLink",
    needs: ["bridge"],
    least: 11,
    prepare: (steady) => steady.createBridge({ name: "victim" }),
    operate: (namespace, signal) => namespace.deleteLink("victim", { signal }),
    complete: async () => expect(await link("victim")).toBeUndefined(),
  }),
  subject({
    name: "moveLink",
    operation: "moveLink",
    needs: ["root", "tun", "proc-sys"],
    least: 32,
    pairStride: 3,
    prepare: async (steady) => {
      await emptyElsewhere();
      await steady.createTap({ name: "guest0", mtu: 1_400 });
    },
    operate: (namespace, signal) => namespace.moveLink("guest0", elsewhere().handle, { signal }),
    complete: async (moved) => {
      expect(await link("guest0")).toBeUndefined();
      expect(await elsewhere().handle.getLink(moved)).toMatchObject({
        name: "guest0",
        index: moved.index,
        mtu: 1_400,
        up: true,
        ipv6: { state: "closed" },
      });
      await emptyElsewhere();
    },
  }),
  subject({
    name: "setLink, of an MTU with which IPv6 comes back",
    operation: "setLink",
    needs: ["tun", "proc-sys"],
    least: 13,
    prepare: (steady) => steady.createTap({ name: "guest0", mtu: 1_000 }),
    operate: (namespace, signal) => namespace.setLink("guest0", { mtu: 1_500 }, { signal }),
    complete: async () => {
      expect(await link("guest0")).toMatchObject({
        mtu: 1_500,
        flags: expect.arrayContaining(["UP"]),
      });
      await expectClosed("guest0");
    },
  }),
  subject({
    name: "setLink, of the host's IPv6",
    operation: "setLink",
    needs: ["tun", "proc-sys"],
    least: 13,
    prepare: (steady) => steady.createTap({ name: "guest0" }),
    operate: (namespace, signal) =>
      namespace.setLink("guest0", { hostIPv6: "reduced" }, { signal }),
    complete: async () => {
      expect(await link("guest0")).toMatchObject({ inet6_addr_gen_mode: "none" });
    },
  }),
  subject({
    name: "setLink, of all that a link has, with its IPv6, set up",
    operation: "setLink",
    needs: ["tun", "proc-sys"],
    least: 17,
    prepare: async (steady) => {
      await steady.createTap({ name: "guest0", hostIPv6: "closed", up: false });
      await ip("link property add dev guest0 altname old");
    },
    operate: (namespace, signal) =>
      namespace.setLink(
        "guest0",
        {
          name: "renamed0",
          addAltNames: ["guest0", "new"],
          removeAltNames: ["old"],
          alias: "something",
          mac: "02:00:00:00:0a:01",
          mtu: 1_400,
          txQueueLength: 77,
          up: true,
          promiscuous: true,
          hostIPv6: "reduced",
        },
        { force: true, signal },
      ),
    complete: async (changed) => {
      expect(await link("renamed0")).toMatchObject({
        ifindex: changed.index,
        altnames: expect.arrayContaining(["guest0", "new", changed.identity]),
        ifalias: "something",
        address: "02:00:00:00:0a:01",
        mtu: 1_400,
        txqlen: 77,
        inet6_addr_gen_mode: "none",
        flags: expect.arrayContaining(["UP", "PROMISC"]),
      });
      expect((await link("renamed0"))?.altnames).toHaveLength(3);
    },
  }),
  subject({
    name: "setLink, of the name of a link that is not ours",
    operation: "setLink",
    needs: ["veth"],
    least: 11,
    prepare: makePort,
    operate: (namespace, signal) => namespace.setLink("port0", { name: "renamed0" }, { signal }),
    complete: async ({ index }) => expect(await link("renamed0")).toMatchObject({ ifindex: index }),
  }),
  subject({
    name: "setLink, set down",
    operation: "setLink",
    needs: ["veth"],
    least: 11,
    prepare: makeUpPort,
    operate: (namespace, signal) => namespace.setLink("port0", { up: false }, { signal }),
    complete: async () => expect((await link("port0"))?.flags).not.toContain("UP"),
  }),
  subject({
    name: "setLink, of the host's IPv6, opened",
    operation: "setLink",
    needs: ["tun", "proc-sys"],
    least: 15,
    prepare: (steady) => steady.createTap({ name: "guest0" }),
    operate: (namespace, signal) => namespace.setLink("guest0", { hostIPv6: "open" }, { signal }),
    complete: async ({ ipv6 }) => expect(ipv6).toMatchObject({ state: "open" }),
  }),
  subject({
    name: "setLink, of the host's IPv6, closed",
    operation: "setLink",
    needs: ["tun", "proc-sys"],
    least: 15,
    prepare: (steady) => steady.createTap({ name: "guest0", hostIPv6: "reduced" }),
    operate: (namespace, signal) => namespace.setLink("guest0", { hostIPv6: "closed" }, { signal }),
    complete: () => expectClosed("guest0"),
  }),
  subject({
    name: "setLink, of an MTU that leaves no IPv6",
    operation: "setLink",
    needs: ["tun", "proc-sys"],
    least: 11,
    prepare: (steady) => steady.createTap({ name: "guest0" }),
    operate: (namespace, signal) =>
      namespace.setLink("guest0", { mtu: 1_000, txQueueLength: 77 }, { signal }),
    complete: async () => expect(await link("guest0")).toMatchObject({ mtu: 1_000, txqlen: 77 }),
  }),
];
