/** `flintap list` and `flintap watch`, as they are shipped, against the kernel. */
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { needs } from "../setup/capabilities.js";
import {
  addHost,
  config,
  deleteOthers,
  flintap,
  flintapUnder,
  flintapUntil,
  microvm,
  type React,
  specFolder,
} from "../setup/command.js";
import { fullPipe, startCommand } from "../setup/full-pipe.js";
import { ip, link } from "../setup/iproute2.js";

const specs = specFolder();
const spec = specs.write("spec.json", microvm);
const up = (...args: string[]) => flintap("up", "-c", config, "-f", spec, ...args);

const test = needs("veth", "macvtap", "bridge", "tun");
let before: string[];

beforeAll(async () => {
  before = await addHost();
});
afterEach(() => deleteOthers(before));
afterAll(() => specs[Symbol.dispose]());

const watching = (args: string[], react: React) =>
  flintapUntil(["watch", "--initial", ...args], react);

describe("flintap list", () => {
  test("prints a table of this owner's devices, or of all that have a tag", async () => {
    expect((await flintap("list")).stdout).toBe("There is no device of owner flintap.\n");
    await up();
    await up("--owner", "other", "--id", "mvm2", "--metadata-interface").then(({ code }) => {
      // The MACs are the first microVM's.
      expect(code).toBe(1);
    });
    await flintap(
      "apply",
      "-c",
      config,
      "--owner",
      "other",
      "-f",
      specs.write("b.json", {
        id: "mvm2",
        interfaces: [{ device_id: "eth1", type: 1 }],
      }),
    );
    const { code, stdout } = await flintap("list");
    expect(code).toBe(0);
    const [header, ...rows] = stdout.trimEnd().split("\n");
    expect(header).toMatch(
      /^DEVICE +KIND +INDEX +GUEST MAC +ON +MTU +STATE +MICROVM +INTERFACE +AGE$/,
    );
    expect(rows).toEqual([
      expect.stringMatching(
        /^flvtap\w+ +macvtap +\d+ +02:00:00:00:00:0a +enp0 +1500 +up +ns1\/mvm1 +eth1 +\d+s$/,
      ),
      expect.stringMatching(
        /^fltap\w+ +tap +\d+ +02:00:00:00:00:0b +br0 +1500 +no-carrier +ns1\/mvm1 +eth2 +\d+s$/,
      ),
    ]);
    const all = (await flintap("list", "--all")).stdout;
    expect(all).toMatch(/ AGE +OWNER$/m);
    expect(all).toMatch(/ default\/mvm2 +eth1 +\d+s +other$/m);
  });

  test("prints JSON of one shape", async () => {
    await up();
    const [macvtap] = JSON.parse((await flintap("list", "--json")).stdout);
    const { ifindex } = (await link(macvtap.device)) ?? {};
    expect(macvtap).toEqual({
      device: macvtap.device,
      kind: "macvtap",
      index: ifindex,
      guestMac: "02:00:00:00:00:0a",
      mac: "02:00:00:00:00:0a",
      on: "enp0",
      mtu: 1500,
      state: "up",
      microvm: "ns1/mvm1",
      interface: "eth1",
      owner: "flintap",
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
  });

  test("shows what stands in a tag and in a name without obeying it", async () => {
    const name = "a\u202eb";
    await ip("link add name", name, "type", "bridge");
    await ip("link set", name, "alias", "flintap1;flintap;m=%1b[2Jpwned%0aX;t=1");
    const { stdout } = await flintap("list");
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(stdout).toContain("a\\u202eb ");
    expect(stdout).toContain(" \\u001b[2Jpwned\\u000aX ");
    expect(JSON.parse((await flintap("list", "--json")).stdout)).toMatchObject([
      { device: name, microvm: "\u001b[2Jpwned\nX" },
    ]);
  });
});

describe("flintap watch", () => {
  test("tells what happens to a guest's device, and ends with 0 on SIGTERM", async () => {
    await up();
    const { eth2 } = JSON.parse((await up("--json")).stdout);
    const device = eth2.host_device_name;
    const done = new Set<string>();
    const onceOnly = async (what: string, act: () => Promise<unknown>) => {
      if (done.has(what)) return;
      done.add(what);
      await act();
    };
    const { code, signal, stdout, stderr } = await watching([], async (said, end) => {
      if (said.includes(device)) await onceOnly("mtu", () => ip(`link set ${device} mtu 1400`));
      if (said.includes("mtu:")) await onceOnly("move", () => ip(`link set ${device} nomaster`));
      if (said.includes("master:")) await onceOnly("delete", () => ip("link del", device));
      if (said.includes("removed")) end("SIGTERM");
    });
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(stderr).toBe("note: watching the devices of owner flintap\n");
    const line = (what: string) =>
      new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\S+Z  ${what}`.replaceAll("DEVICE", device), "m");
    expect(stdout).toMatch(line("added    DEVICE  tap  ns1/mvm1 eth2$"));
    expect(stdout).toMatch(line("changed  DEVICE  tap  ns1/mvm1 eth2  .*mtu: 1500 -> 1400"));
    expect(stdout).toMatch(line("changed  DEVICE .*master: br0 -> nothing"));
    expect(stdout).toMatch(line("removed  DEVICE .*its guest has lost it"));
  });

  test("prints an object a line, of this owner's devices only unless --all", async () => {
    await up("--owner", "other");
    const { code, stdout, stderr } = await watching(["--all", "--json"], async (said, end) => {
      if (said.split("\n").length > 2) end("SIGINT");
    });
    expect(code).toBe(0);
    expect(JSON.parse(stderr)).toEqual({ note: { message: expect.any(String) } });
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const [macvtap] = events.filter(({ kind }) => kind === "macvtap");
    expect(macvtap).toEqual({
      time: expect.stringMatching(/Z$/),
      event: "added",
      device: expect.stringMatching(/^flvtap/),
      kind: "macvtap",
      index: expect.any(Number),
      microvm: "ns1/mvm1",
      interface: "eth1",
      owner: "other",
      changes: [],
    });
    await flintap("up", "-c", config, "--id", "own", "-f", "examples/quickstart/spec.json");
    const own = await watching(["--json"], async (said, end) => {
      if (said.split("\n").length > 2) end("SIGINT");
    });
    expect(own.stdout).not.toContain('"other"');
  });

  test("ends with 0 on a signal, also when nobody takes what it prints", async () => {
    await up();
    const stdout = fullPipe(`${specs.write("placeholder", "")}.fifo`);
    const { child, ended } = startCommand(stdout, "watch", "--initial");
    child.stderr?.once("data", () => child.kill("SIGHUP"));
    expect(await ended).toMatchObject({ code: 0, signal: null });
  });

  test("ends with 0 and without a word when its reader has gone", async () => {
    const { eth2 } = JSON.parse((await up("--json")).stdout);
    const device = eth2.host_device_name;
    const changes = new AbortController();
    // A closed pipe is noticed by writing to it.
    const changing = (async () => {
      for (let mtu = 1300; !changes.signal.aborted; mtu += 1)
        await ip(`link set ${device} mtu ${(mtu % 100) + 1300}`);
    })();
    const script = 'set -o pipefail; "$@" | head -n 1';
    const under = ["bash", "-c", script, "bash"];
    const { code, stderr } = await flintapUnder({ under }, "watch", "--initial");
    changes.abort();
    await changing;
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "note: watching the devices of owner flintap\n",
    });
  });
});
