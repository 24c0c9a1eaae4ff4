/** The creates that are put under faults, in the forms that take different ways. */
import { expect } from "vitest";
import type { EphemeralTap } from "../../src/index.js";
import { link } from "../setup/iproute2.js";
import { elsewhere } from "./elsewhere.js";
import { expectClosed, expectMade, port, type Subject, subject } from "./subject.js";

let stableMac: string | undefined;

const altNames = ["one-name", "another-name"];

export const creations: Subject[] = [
  subject({
    name: "createMacvtap",
    operation: "createMacvtap",
    needs: ["macvtap", "proc-sys"],
    least: 27,
    operate: (namespace, signal) =>
      namespace.createMacvtap({
        parent: "enp0",
        tag: { microvm: "vm1", interface: "eth1" },
        signal,
      }),
    complete: async (made) => {
      // A fault must not cost it what it has of the host: its stable address, its tag's boot id.
      stableMac ??= made.mac;
      await expectMade(made, { link: "enp0", linkinfo: { info_data: { mode: "bridge" } } });
      expect(made).toMatchObject({ mac: stableMac, tag: { bootId: expect.any(String) } });
      await expectClosed(made.name);
    },
  }),
  subject({
    name: "createMacvtap with an index of the caller's",
    operation: "createMacvtap",
    needs: ["macvtap", "proc-sys"],
    least: 25,
    operate: (namespace, signal) =>
      namespace.createMacvtap({ parent: "enp0", index: 4_711, hostIPv6: "reduced", signal }),
    complete: async (made) => {
      await expectMade(made, { ifindex: 4_711, inet6_addr_gen_mode: "none" });
    },
  }),
  subject({
    name: "createTap, persistent",
    operation: "createTap",
    needs: ["tun", "proc-sys"],
    least: 30,
    operate: (namespace, signal) =>
      namespace.createTap({ uid: 1_212, gid: 3_434, mtu: 1_400, signal }),
    complete: async (made) => {
      const details = { type: "tap", persist: true, user: 1212, group: 3434 };
      await expectMade(made, { mtu: 1_400, linkinfo: { info_data: details } });
      await expectClosed(made.name);
    },
  }),
  subject({
    name: "createTap, on a bridge with port settings",
    operation: "createTap",
    needs: ["tun", "bridge", "proc-sys"],
    least: 33,
    operate: (namespace, signal) =>
      namespace.createTap({ bridge: "br0", ...port, altNames, signal }),
    complete: async (made) => {
      const altnames = [made.identity, ...altNames];
      await expectMade(made, { master: "br0", linkinfo: { info_slave_data: port }, altnames });
    },
  }),
  subject({
    name: "createTap, not persistent, with several queues",
    operation: "createTap",
    needs: ["tun", "proc-sys"],
    least: 32,
    operate: (namespace, signal) =>
      namespace.createTap({
        persist: false,
        multiQueue: true,
        queues: 3,
        vnetHeader: true,
        vnetHeaderSize: 12,
        signal,
      }),
    complete: async (made: EphemeralTap) => {
      await expectMade(made, { linkinfo: expect.anything(), qdisc: "noqueue" });
      expect(made.queues).toHaveLength(3);
      await made.close();
      expect(await link(made.name)).toBeUndefined();
    },
  }),
  subject({
    name: "createBridge",
    operation: "createBridge",
    needs: ["bridge", "proc-sys"],
    least: 25,
    operate: (namespace, signal) => namespace.createBridge({ ageingTime: 1_000, signal }),
    complete: async (made) => {
      const details = { forward_delay: 0, stp_state: 0, ageing_time: 1_000 };
      await expectMade(made, { linkinfo: { info_kind: "bridge", info_data: details } });
    },
  }),
  subject({
    name: "createVeth",
    operation: "createVeth",
    needs: ["veth"],
    least: 25,
    operate: (namespace, signal) => namespace.createVeth({ peer: { altNames }, signal }),
    complete: async ([made, peer]) => {
      await expectMade(made, { link: peer.name });
      await expectMade(peer, { link: made.name, altnames: [peer.identity, ...altNames] });
    },
  }),
  subject({
    name: "createMacvtap, on a parent in another namespace",
    operation: "createMacvtap",
    needs: ["root", "macvtap", "proc-sys"],
    least: 29,
    operate: (namespace, signal) => namespace.createMacvtap({ parent: elsewhere().parent, signal }),
    complete: async (made) => {
      await expectMade(made, { linkinfo: { info_data: { mode: "bridge" } } });
      await expectClosed(made.name);
    },
  }),
];
