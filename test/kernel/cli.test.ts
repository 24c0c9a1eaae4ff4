/** The `flintap` command, as it is shipped, against the kernel; `ip` is the witness. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import type { NetworkStatus } from "../../src/flintlock/index.js";
import { needs } from "../setup/capabilities.js";
import { runNode } from "../setup/child.js";
import {
  addBridge,
  addParent,
  type IpLink,
  ip,
  link,
  linkNames,
  links,
} from "../setup/iproute2.js";

const config = "test/fixtures/flintlock/config.yaml";
const folder = mkdtempSync(join(tmpdir(), "flintap-cli-"));
const specFile = join(folder, "spec.json");
const spec = {
  id: "mvm1",
  namespace: "ns1",
  interfaces: [
    { device_id: "eth1", type: 0, guest_mac: "02:00:00:00:00:0a" },
    { device_id: "eth2", type: 1, guest_mac: "02:00:00:00:00:0b" },
  ],
};

const flintap = (...args: string[]) => runNode(["dist/cli/main.js", ...args]);
const up = (...args: string[]) => flintap("up", "-c", config, "-f", specFile, ...args);
const down = (...args: string[]) => flintap("down", "-f", specFile, ...args);

const withTaps = needs("veth", "macvtap", "bridge", "tun");
const anywhere = needs("veth", "macvtap", "bridge");
let before: string[];

beforeAll(async () => {
  await addParent();
  await addBridge();
  writeFileSync(specFile, JSON.stringify(spec));
  before = await linkNames();
});

afterEach(async () => {
  for (const { ifname } of await links()) {
    if (!before.includes(ifname)) await ip("link del", ifname);
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("flintap up", () => {
  withTaps("makes the spec's macvtap and tap, and prints flintlock's status", async () => {
    const { code, stdout, stderr } = await up("--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const status: NetworkStatus = JSON.parse(stdout);
    const macvtap = await link(status.eth1?.host_device_name ?? "");
    expect(macvtap).toMatchObject({
      ifindex: status.eth1?.index,
      link: "enp0",
      address: "02:00:00:00:00:0a",
      flags: expect.arrayContaining(["UP"]),
      linkinfo: { info_kind: "macvtap", info_data: { mode: "bridge" } },
    });
    const tap = await link(status.eth2?.host_device_name ?? "");
    expect(tap).toMatchObject({
      ifindex: status.eth2?.index,
      master: "br0",
      address: expect.stringMatching(/^fe:/),
      flags: expect.arrayContaining(["UP"]),
      linkinfo: { info_kind: "tun", info_data: { type: "tap", persist: true } },
    });
    expect(status.eth1?.mac_address).toBe("02:00:00:00:00:0A");
    expect(status.eth2?.mac_address).toBe("02:00:00:00:00:0B");
    expect((await linkNames()).length).toBe(before.length + 2);
  });

  withTaps("prints a table for people, with the same devices", async () => {
    const { stdout } = await up();
    const [header, ...rows] = stdout.trimEnd().split("\n");
    expect(header).toMatch(/^INTERFACE +TYPE +DEVICE +INDEX +GUEST MAC$/);
    expect(rows[0]).toMatch(/^eth1 +macvtap +flvtap[0-9a-f]{9} +\d+ +02:00:00:00:00:0a$/);
    expect(rows[1]).toMatch(/^eth2 +tap +fltap[0-9a-f]{10} +\d+ +02:00:00:00:00:0b$/);
    const names = rows.map((row) => row.split(/ +/)[2]);
    expect(await linkNames()).toEqual([...before, ...names].sort());
  });

  withTaps("refuses a microVM that is up already, and leaves its devices as they are", async () => {
    await up();
    const devices = await links();
    const { code, stderr } = await up();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^flintap: .*already.*EEXIST.*\nhint: .*\n$/);
    expect((await links()).map(identityOf)).toEqual(devices.map(identityOf));
  });

  anywhere("that fails leaves nothing behind, and says what to do", async () => {
    await ip("link set br0 name br9");
    const { code, stdout, stderr } = await up();
    await ip("link set br9 name br0");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^flintap: createTap br0: the bridge does not exist.*\nhint: .*\n$/);
    expect(await linkNames()).toEqual(before);
  });

  anywhere("refuses a wrong spec with all its faults, and makes nothing", async () => {
    const faulty = "test/fixtures/flintlock/faulty.json";
    const { code, stderr } = await flintap("up", "-c", config, "-f", faulty);
    expect(code).toBe(2);
    expect(stderr.trimEnd().split("\n")).toHaveLength(15);
    expect(await linkNames()).toEqual(before);
  });

  anywhere("refuses a config without the key that an interface needs", async () => {
    const { code, stderr } = await flintap("up", "-c", "/dev/null", "-f", specFile);
    expect(code).toBe(2);
    expect(stderr).toMatch(/parent-iface: expected .*eth1, received nothing/);
    expect(stderr).toMatch(/bridge-name: expected .*eth2, received nothing/);
  });
});

describe("flintap down", () => {
  withTaps("deletes what up made, and is a success when there is nothing", async () => {
    await up();
    const { code, stdout } = await down("--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ deleted: true }, { deleted: true }]);
    expect(await linkNames()).toEqual(before);
    const again = await down();
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/^eth1 +flvtap\w+ +not there$/m);
  });

  withTaps("finds the devices by the id beside a spec that has none", async () => {
    const fragment = "examples/quickstart/spec.json";
    const made = await flintap("up", "-c", config, "-f", fragment, "--id", "a", "--uid", "1");
    expect(made.code).toBe(0);
    expect((await flintap("down", "-f", fragment, "--id", "b")).stdout).not.toContain("deleted");
    expect((await linkNames()).length).toBe(before.length + 2);
    await flintap("down", "-f", fragment, "--id", "a", "--uid", "1");
    expect(await linkNames()).toEqual(before);
  });

  anywhere("leaves a device of the same name alone that somebody else made", async () => {
    const names = JSON.parse((await down("--json")).stdout) as { hostDeviceName: string }[];
    const name = names[0]?.hostDeviceName ?? "";
    await ip(`link add ${name} type bridge`);
    const { code, stderr } = await down();
    expect(code).toBe(1);
    expect(stderr).toContain(name);
    expect(await link(name)).toMatchObject({ linkinfo: { info_kind: "bridge" } });
  });
});

/** What a device that was deleted and made again would not have in common with the first. */
function identityOf({ ifname, ifindex, address, altnames, ifalias }: IpLink): unknown {
  return { ifname, ifindex, address, altnames, ifalias };
}
