import { describe, expect, test } from "vitest";
import * as requests from "../../src/create-requests.js";
import { parseTag } from "../../src/tag.js";
import { bootId, machineId } from "./fake-addon.js";

const now = new Date("2026-07-01T12:00:00Z");
const origin = { owner: "flintap", bootId, machineId, now };

describe("every create", () => {
  const made = [
    requests.createMacvtapRequest({ parent: "enp0" })(origin).link,
    requests.createTapRequest({})(origin).link,
    requests.createBridgeRequest({})(origin).link,
    requests.createVethRequest({})(origin).link,
    requests.createVethRequest({})(origin).peer,
  ];

  test("chooses a name, a MAC and up, and leaves index, MTU and queue length to others", () => {
    for (const link of made) {
      expect(link).toMatchObject({ name: expect.stringMatching(/^fl.{13}$/), up: true });
      expect(link.mac).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
      expect(link).not.toHaveProperty("index");
      expect(link).not.toHaveProperty("mtu");
      expect(link).not.toHaveProperty("txQueueLength");
    }
  });

  test("tags the device with owner, time and boot", () => {
    for (const link of made)
      expect(parseTag(link.alias)).toMatchObject({
        version: 1,
        owner: "flintap",
        createdAt: now,
        bootId,
      });
  });

  test("sends what was named", () => {
    const options = { name: "t0", index: 7, mtu: 9000, txQueueLength: 2, up: false };
    const mac = "02-00-00-00-00-0A";
    expect(requests.createTapRequest({ ...options, mac })(origin).link).toEqual({
      kind: "tun",
      ...options,
      mac: "02:00:00:00:00:0a",
      alias: expect.any(String),
    });
  });

  test("sends the alt names of each end that was given some", () => {
    const options = { altNames: ["one", "other"], peer: { altNames: ["far"] } };
    const { link, peer } = requests.createVethRequest(options)(origin);
    expect([link.altNames, peer.altNames]).toEqual([["one", "other"], ["far"]]);
    for (const { altNames } of made) expect(altNames).toBeUndefined();
  });

  test.each([
    [{ altNames: ["one", "one"] }, "altNames"],
    [{ name: "one", altNames: ["one"] }, "altNames"],
    [{ name: "one", peer: { altNames: ["one"] } }, "peer.altNames"],
    [{ peer: { name: "one" }, altNames: ["one"] }, "altNames"],
    [{ altNames: ["one"], peer: { altNames: ["one"] } }, "peer.altNames"],
  ])("refuses a name that comes twice: %j", (options, option) => {
    expect(() => requests.createVethRequest(options)).toThrow(
      `no name that comes twice for \`createVeth\` option \`${option}\` but received 'one'`,
    );
  });

  test("refuses a repeated name of every kind", () => {
    const options = { parent: "enp0", altNames: ["one", "one"] };
    expect(() => requests.createMacvtapRequest(options)).toThrow("comes twice");
    const { altNames } = options;
    expect(() => requests.createTapRequest({ altNames })).toThrow("comes twice");
    expect(() => requests.createBridgeRequest({ altNames })).toThrow("comes twice");
  });

  test("says the kernel's word for the kind", () => {
    expect(made.map(({ kind }) => kind)).toEqual(["macvtap", "tun", "bridge", "veth", "veth"]);
  });

  test("puts the parts of the tag into the alias", () => {
    const tag = { microvm: "ns/vm", interface: "eth1", specHash: "abc", bridge: "br0" };
    const { alias } = requests.createTapRequest({ tag })(origin).link;
    expect(parseTag(alias)).toMatchObject(tag);
  });

  test.each([
    [{ name: "a/b" }, "ERR_INVALID_ARG_VALUE"],
    [{ altNames: "one" }, "ERR_INVALID_ARG_TYPE"],
    [{ altNames: ["a b"] }, "ERR_INVALID_ARG_VALUE"],
    [{ altNames: ["flintap-0123"] }, "ERR_INVALID_ARG_VALUE"],
    [{ index: 0 }, "ERR_OUT_OF_RANGE"],
    [{ index: "7" }, "ERR_INVALID_ARG_TYPE"],
    [{ mac: "ff:ff:ff:ff:ff:ff" }, "ERR_INVALID_ARG_VALUE"],
    [{ mtu: -1 }, "ERR_OUT_OF_RANGE"],
    [{ txQueueLength: 0 }, "ERR_OUT_OF_RANGE"],
    [{ up: 1 }, "ERR_INVALID_ARG_TYPE"],
    [{ tag: { microVM: "vm" } }, "ERR_INVALID_ARG_VALUE"],
    [{ tag: "vm" }, "ERR_INVALID_ARG_TYPE"],
    [{ hostIPv6: "shut" }, "ERR_INVALID_ARG_VALUE"],
    [{ brigde: "br0" }, "ERR_INVALID_ARG_VALUE"],
    [null, "ERR_INVALID_ARG_TYPE"],
  ])("refuses %j", (options, code) => {
    expect(() => requests.createTapRequest(options)).toThrow(expect.objectContaining({ code }));
  });
});

describe("the address of a guest's device", () => {
  const tag = { microvm: "ns/vm", interface: "eth1" };
  const tapMac = (options: object, from: requests.Origin = origin): string | undefined =>
    requests.createTapRequest(options)(from).link.mac;
  const macvtapMac = (options: object): string | undefined =>
    requests.createMacvtapRequest({ parent: "enp0", ...options })(origin).link.mac;

  test("is the same every time where microVM and interface are known", () => {
    expect(tapMac({ tag })).toBe(tapMac({ tag }));
    expect(macvtapMac({ tag })).toBe(macvtapMac({ tag }));
  });

  test("is not the same for a tap as for its guest", () => {
    expect(tapMac({ tag })).toMatch(/^fe:/);
    expect(tapMac({ tag })?.slice(3)).not.toBe(macvtapMac({ tag })?.slice(3));
  });

  test("differs by interface, microVM, owner and machine", () => {
    const macs = [
      tapMac({ tag }),
      tapMac({ tag: { ...tag, interface: "eth2" } }),
      tapMac({ tag: { ...tag, microvm: "ns/other" } }),
      tapMac({ tag }, { ...origin, owner: "other" }),
      tapMac({ tag }, { ...origin, machineId: "f".repeat(32) }),
    ];
    expect(new Set(macs).size).toBe(macs.length);
  });

  test.each([
    ["the machine's id", { tag }, { ...origin, machineId: undefined }],
    ["the interface", { tag: { microvm: "ns/vm" } }, origin],
    ["the microVM and a name", { tag: { interface: "eth1" } }, origin],
  ])("is random without %s", (_, options, from) => {
    expect(tapMac(options, from)).not.toBe(tapMac(options, from));
  });

  test("is the same for a device of the same name where no microVM is known", () => {
    const named = { name: "t0", tag: { interface: "eth1" } };
    expect(tapMac(named)).toBe(tapMac(named));
    expect(tapMac(named)).not.toBe(tapMac({ ...named, name: "t1" }));
  });

  test("of a tap is never its guest's", () => {
    const mac = "02:00:00:00:00:0A";
    const options = { mac, tag: { ...tag, guestMac: "02-00-00-00-00-0a" } };
    expect(() => requests.createTapRequest(options)).toThrow(/another MAC than the guest's/);
  });

  test("stands in the tag: a macvtap's own, and one beside a tap's stable one", () => {
    const guestMac = (alias: string | undefined) => parseTag(alias)?.guestMac;
    const tap = requests.createTapRequest({ tag })(origin).link;
    expect(guestMac(tap.alias)).toBe(tap.mac?.replace(/^fe/, "02"));
    const macvtap = requests.createMacvtapRequest({ parent: "enp0" })(origin).link;
    expect(guestMac(macvtap.alias)).toBe(macvtap.mac);
    const said = { ...tag, guestMac: "02:00:00:00:00:0a" };
    expect(guestMac(requests.createTapRequest({ tag: said })(origin).link.alias)).toBe(
      said.guestMac,
    );
    expect(guestMac(requests.createTapRequest({})(origin).link.alias)).toBeUndefined();
    const passthru = requests.createMacvtapRequest({ parent: "enp0", mode: "passthru" })(origin);
    expect(guestMac(passthru.link.alias)).toBeUndefined();
  });
});

describe("createMacvtap", () => {
  test("is in bridge mode and closed to the host's IPv6 by default", () => {
    expect(requests.createMacvtapRequest({ parent: "enp0" })(origin)).toMatchObject({
      parent: { name: "enp0" },
      hostIPv6: "closed",
      link: { details: { mode: "bridge" } },
    });
  });

  test("normalises the source addresses of mode source", () => {
    const options = { parent: 3, mode: "source", sourceMacs: ["02-00-00-00-00-0A"] };
    expect(requests.createMacvtapRequest(options)(origin).link.details).toEqual({
      mode: "source",
      sourceMacs: ["02:00:00:00:00:0a"],
    });
  });

  test("leaves the address to the parent in mode passthru, unless one is given", () => {
    const macOf = (options: object): string | undefined =>
      requests.createMacvtapRequest({ parent: 3, mode: "passthru", ...options })(origin).link.mac;
    expect(macOf({})).toBeUndefined();
    expect(macOf({ mac: "02:00:00:00:00:0a" })).toBe("02:00:00:00:00:0a");
  });

  test("refuses source addresses in another mode", () => {
    expect(() => requests.createMacvtapRequest({ parent: 3, sourceMacs: [] })).toThrow(
      "no value unless `mode` is 'source' for `createMacvtap` option `sourceMacs`",
    );
  });

  test("needs a parent", () => {
    expect(() => requests.createMacvtapRequest({})).toThrow("option `parent`");
    expect(() => requests.createMacvtapRequest(undefined)).toThrow("argument `options`");
  });
});

describe("createTap", () => {
  test("is persistent, plain and unattached by default", () => {
    expect(requests.createTapRequest({})(origin)).toEqual({
      link: expect.any(Object),
      hostIPv6: "closed",
      persistent: true,
      multiQueue: false,
      vnetHeader: false,
      queues: 0,
      uid: process.geteuid?.(),
    });
  });

  test.each([
    [{ uid: 7 }, { uid: 7 }],
    [{ gid: 8 }, { gid: 8 }],
    [{ anyUser: true }, {}],
  ])("is this process's user's unless it is given to another: %j", (options, owner) => {
    const { uid, gid } = requests.createTapRequest(options)(origin);
    expect({ uid, gid }).toEqual({ uid: undefined, gid: undefined, ...owner });
  });

  test("is not both anybody's and somebody's", () => {
    expect(() => requests.createTapRequest({ anyUser: true, uid: 7 })).toThrow(/anyUser/);
  });

  test("sends bridge and only the port settings that were named", () => {
    const request = requests.createTapRequest({ bridge: "br0", isolated: true, learning: false });
    expect(request(origin)).toMatchObject({ bridge: { name: "br0" } });
    expect(request(origin).port).toEqual({ isolated: true, learning: false });
  });

  test("sends no port where no setting was named", () => {
    const request = requests.createTapRequest({ bridge: "br0" })(origin);
    expect(request.bridge).toEqual({ name: "br0" });
    expect(request).not.toHaveProperty("port");
  });

  test("hands out one queue where it is not persistent, or as many as asked for", () => {
    expect(requests.createTapRequest({ persist: false })(origin).queues).toBe(1);
    const several = { persist: false, multiQueue: true, queues: 4 };
    expect(requests.createTapRequest(several)(origin).queues).toBe(4);
  });

  test("sends owner, group and header size where they were named", () => {
    const options = { uid: 0, gid: 107, vnetHeader: true, vnetHeaderSize: 12 };
    expect(requests.createTapRequest(options)(origin)).toMatchObject(options);
  });

  test.each([
    [{ isolated: true }, "no value without option `bridge` for `createTap` option `isolated`"],
    [{ hairpin: false }, "no value without option `bridge` for `createTap` option `hairpin`"],
    [{ queues: 1 }, "no value unless `persist` is false for `createTap` option `queues`"],
    [{ persist: false, queues: 2 }, "1 unless `multiQueue` is true"],
    [{ persist: false, multiQueue: true, queues: 257 }, "an integer from 1 to 256"],
    [{ vnetHeaderSize: 12 }, "no value unless `vnetHeader` is true"],
    [{ vnetHeader: true, vnetHeaderSize: 11 }, "one of 10, 12"],
    [{ uid: 2 ** 32 - 1 }, "an integer from 0 to 4294967294"],
  ])("refuses %j", (options, message) => {
    expect(() => requests.createTapRequest(options)).toThrow(message);
  });
});

describe("for a VMM", () => {
  const tapFor = (options: object) => requests.createTapRequest(options)(origin);

  test.each(["firecracker", "firecracker-macvtap"])(
    "%s a tap stays, to be opened by name",
    (vmm) => {
      expect(tapFor({ for: vmm, uid: 30_000 })).toMatchObject({
        persistent: true,
        multiQueue: false,
        queues: 0,
        vnetHeader: true,
        vnetHeaderSize: 12,
        uid: 30_000,
      });
    },
  );

  test.each(["cloud-hypervisor", "qemu"])("%s a tap goes with its queues", (vmm) => {
    const header = { vnetHeader: true, vnetHeaderSize: 12 };
    const one = { persistent: false, multiQueue: false, queues: 1, ...header };
    expect(tapFor({ for: vmm })).toMatchObject(one);
    expect(tapFor({ for: vmm, queues: 4 })).toMatchObject({ ...one, multiQueue: true, queues: 4 });
    const persistent = { persistent: true, multiQueue: true, queues: 0, ...header };
    expect(tapFor({ for: vmm, queues: 2, persist: true })).toMatchObject(persistent);
  });

  test("that opens no macvtap, none is made, and the error says which does", () => {
    const refused = expect.objectContaining({
      reason: "vmm-kind",
      operation: "createMacvtap",
      hint: expect.stringContaining('for: "firecracker-macvtap"'),
    });
    const macvtapFor = (vmm: string) => requests.createMacvtapRequest({ parent: "p", for: vmm });
    expect(() => macvtapFor("firecracker")).toThrow(refused);
    for (const vmm of ["firecracker-macvtap", "cloud-hypervisor", "qemu"])
      expect(macvtapFor(vmm)(origin)).not.toHaveProperty("for");
  });

  test.each([
    [{ for: "bhyve" }, "one of 'firecracker', 'firecracker-macvtap', 'cloud-hypervisor', 'qemu'"],
    [{ for: "qemu", multiQueue: false }, "no value with `for`, which decides it"],
    [{ for: "qemu", vnetHeader: true }, "no value with `for`, which decides it"],
    [{ for: "firecracker", vnetHeaderSize: 12 }, "no value with `for`, which decides it"],
    [{ for: "firecracker", persist: false }, "true: the VMM opens the tap by its name"],
    [{ for: "firecracker", queues: 2 }, "1: Firecracker has one queue for each interface"],
  ])("refuses %j", (options, message) => {
    expect(() => requests.createTapRequest(options)).toThrow(message);
  });
});

describe("createBridge", () => {
  test("is without spanning tree, forward delay and router advertisements by default", () => {
    expect(requests.createBridgeRequest({})(origin)).toEqual({
      link: expect.objectContaining({ details: { stp: false, forwardDelay: 0 } }),
      acceptRouterAdvertisements: false,
    });
  });

  test("has the kernel's forward delay with spanning tree, unless it is named", () => {
    const details = (options: object) => requests.createBridgeRequest(options)(origin).link.details;
    expect(details({ stp: true })).toEqual({ stp: true, forwardDelay: 1500 });
    expect(details({ stp: true, forwardDelay: 400 })).toEqual({ stp: true, forwardDelay: 400 });
  });
});

describe("createVeth", () => {
  test("leaves the host's IPv6 open and gives both ends names and addresses of their own", () => {
    const { hostIPv6, link, peer } = requests.createVethRequest({})(origin);
    expect(hostIPv6).toBe("open");
    expect(peer.name).not.toBe(link.name);
    expect(peer.mac).not.toBe(link.mac);
  });

  test("gives the peer this end's tag, unless it has its own", () => {
    const tag = { microvm: "vm" };
    const peerTag = (peer: object) =>
      parseTag(requests.createVethRequest({ tag, peer })(origin).peer.alias);
    expect(peerTag({})).toMatchObject(tag);
    expect(peerTag({ tag: { microvm: "other" } })).toMatchObject({ microvm: "other" });
  });

  test("names an option of the peer by its path", () => {
    expect(() => requests.createVethRequest({ peer: { mtu: 0 } })).toThrow("option `peer.mtu`");
  });
});
