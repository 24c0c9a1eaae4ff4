/** `flintap up`, as it is shipped, against the kernel; `ip` is the witness. */
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import type { NetworkStatus } from "../../src/flintlock/index.js";
import { watchLinks } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import {
  addHost,
  config,
  deleteOthers,
  everything,
  flintap,
  flintapUnder,
  microvm,
  specFolder,
} from "../setup/command.js";
import { startCommand } from "../setup/full-pipe.js";
import { type IpLink, ip, link, linkNames, links, rename } from "../setup/iproute2.js";

const specs = specFolder();
const spec = specs.write("spec.json", microvm);
const up = (...args: string[]) => flintap("up", "-c", config, "-f", spec, ...args);

const withTaps = needs("veth", "macvtap", "bridge", "tun");
const anywhere = needs("veth", "macvtap", "bridge");
let before: string[];

beforeAll(async () => {
  before = await addHost();
});
afterEach(() => deleteOthers(before));
afterAll(() => specs[Symbol.dispose]());

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

  withTaps("prints a table for people, with what was done for each", async () => {
    const [header, ...rows] = (await up()).stdout.trimEnd().split("\n");
    expect(header).toMatch(/^INTERFACE +TYPE +DEVICE +INDEX +GUEST MAC +ACTION$/);
    expect(rows[0]).toMatch(/^eth1 +macvtap +flvtap[0-9a-f]{9} +\d+ +02:00:00:00:00:0a +created$/);
    expect(rows[1]).toMatch(/^eth2 +tap +fltap[0-9a-f]{10} +\d+ +02:00:00:00:00:0b +created$/);
    const names = rows.map((row) => row.split(/ +/)[2]);
    expect(await linkNames()).toEqual([...before, ...names].sort());
  });

  withTaps("adopts what is there when it is called twice", async () => {
    await up();
    const devices = await links();
    const { code, stdout } = await up();
    expect(code).toBe(0);
    expect(stdout.match(/ adopted$/gm)).toHaveLength(2);
    expect((await links()).map(identityOf)).toEqual(devices.map(identityOf));
  });

  withTaps("repairs a tap that is attached to nothing", async () => {
    const { eth2 }: NetworkStatus = JSON.parse((await up("--json")).stdout);
    await ip("link set nomaster", eth2?.host_device_name ?? "");
    expect((await up()).stdout).toMatch(/^eth1 .* adopted\neth2 .* repaired$/m);
    expect(await link(eth2?.host_device_name ?? "")).toMatchObject({ master: "br0" });
  });

  withTaps("replaces what cannot be repaired only when it is told to", async () => {
    await up();
    const [eth1, eth2] = microvm.interfaces;
    const other = specs.write("other.json", {
      ...microvm,
      interfaces: [eth1, { ...eth2, type: 0 }],
    });
    const args = ["up", "-c", config, "-f", other];
    const devices = await links();
    const { code, stderr } = await flintap(...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^flintap: .* kind is tap, not macvtap .*\nhint: .*--replace.*\n$/);
    expect((await links()).map(identityOf)).toEqual(devices.map(identityOf));
    expect((await flintap(...args, "--replace")).stdout).toMatch(/^eth2 +macvtap .* replaced$/m);
  });

  withTaps("with --dry-run prints the plan and changes nothing", async () => {
    const empty = await everything();
    const { code, stdout } = await up("--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\+ create flvtap\w+ \(macvtap on enp0\) for ns1\/mvm1 eth1$/m);
    expect(stdout).toMatch(/^Plan: 2 to create\.$/m);
    expect(await everything()).toBe(empty);
    await up();
    const full = await everything();
    expect((await up("--dry-run")).stdout).toMatch(/^Nothing to do: 2 as wanted\.$/m);
    expect(await everything()).toBe(full);
  });

  withTaps("adds the metadata interface, and reads a spec from standard input", async () => {
    const under = ["/bin/sh", "-c", `exec "$@" <${spec}`, "sh"];
    const args = ["up", "-c", config, "-f", "-", "--metadata-interface", "--id", "other"];
    const { code, stdout } = await flintapUnder({ under }, ...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^eth0 +tap +fltap\w+ +\d+ +aa:ff:00:00:00:01 +created$/m);
  });

  anywhere("that fails leaves nothing behind, and says what to do", async () => {
    await rename("br0", "br9");
    const { code, stdout, stderr } = await up();
    const json = await up("--json");
    await rename("br9", "br0");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^flintap: \w+ br0: the bridge does not exist.*\nhint: .*\n$/);
    expect(json).toMatchObject({ code: 1, stdout: "" });
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { code: "ENODEV", reason: "no-such-bridge", device: "br0", hint: expect.any(String) },
    });
    expect(await linkNames()).toEqual(before);
  });

  withTaps("takes back what it has made when a signal ends it, and says so", async () => {
    const interfaces = Array.from({ length: 300 }, (_, at) => ({ device_id: `e${at}`, type: 1 }));
    const many = specs.write("many.json", { id: "many", interfaces });
    await using events = watchLinks({ owner: "flintap" });
    await events.ready;
    const { child, ended } = startCommand("pipe", "up", "-c", config, "-f", many);
    for await (const { type } of events) if (type === "added") break;
    child.kill("SIGINT");
    expect(await ended).toEqual({
      code: null,
      signal: "SIGINT",
      stderr: expect.stringMatching(
        /^note: SIGINT: taking back what can be; .*\nflintap: SIGINT: given up; nothing was changed\n$/,
      ),
    });
    expect(await linkNames()).toEqual(before);
  });

  anywhere("refuses a wrong spec with all its faults, and makes nothing", async () => {
    const faulty = "test/fixtures/flintlock/faulty.json";
    const { code, stderr } = await flintap("up", "-c", config, "-f", faulty);
    expect(code).toBe(2);
    expect(stderr.trimEnd().split("\n").length).toBeGreaterThan(10);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(await linkNames()).toEqual(before);
  });

  anywhere("refuses a config without the key that an interface needs", async () => {
    const { code, stderr } = await flintap("up", "-c", "/dev/null", "-f", spec);
    expect(code).toBe(2);
    expect(stderr).toMatch(/parent-iface: expected .*eth1, received nothing/);
    expect(stderr).toMatch(/bridge-name: expected .*eth2, received nothing/);
  });
});

/** What a device that was deleted and made again would not have in common with the first. */
function identityOf({ ifname, ifindex, address, altnames, ifalias }: IpLink): unknown {
  return { ifname, ifindex, address, altnames, ifalias };
}
