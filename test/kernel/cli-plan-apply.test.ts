/** `flintap plan` and `flintap apply`, as they are shipped, against the kernel. */
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { needs } from "../setup/capabilities.js";
import {
  addHost,
  config,
  deleteOthers,
  everything,
  flintap,
  microvm,
  specFolder,
} from "../setup/command.js";
import { ip, link, linkNames } from "../setup/iproute2.js";

const specs = specFolder();
const first = specs.write("first.json", microvm);
const second = specs.write("second.yaml", "id: mvm2\ninterfaces: [{device_id: eth1, type: TAP}]\n");
const [macvtap, tap] = microvm.interfaces;

const run = (command: string, ...args: string[]) => flintap(command, "-c", config, ...args);

const test = needs("veth", "macvtap", "bridge", "tun");
let before: string[];

beforeAll(async () => {
  before = await addHost();
});
afterEach(() => deleteOthers(before));
afterAll(() => specs[Symbol.dispose]());

describe("flintap plan", () => {
  test("says what is to be done for several files, and changes nothing", async () => {
    const empty = await everything();
    const { code, stdout } = await run("plan", "-f", first, second);
    expect(code).toBe(0);
    expect(stdout.match(/^\+ create /gm)).toHaveLength(3);
    expect(stdout).toMatch(/for default\/mvm2 eth1$/m);
    expect(stdout).toMatch(/\n\nPlan: 3 to create\.\n$/);
    expect(await everything()).toBe(empty);
  });

  test("ends with 3 for --exit-code when there is something to do, else with 0", async () => {
    expect((await run("plan", "-f", first, "--exit-code")).code).toBe(3);
    await run("apply", "-f", first);
    expect((await run("plan", "-f", first, "--exit-code")).code).toBe(0);
  });

  test("prints steps of one shape as JSON, with what is to be changed", async () => {
    await run("apply", "-f", first);
    const { stdout } = await run("plan", "-f", first, "--json");
    const device = JSON.parse(stdout)[1].device;
    await ip("link set nomaster down", device);
    const smaller = specs.write("smaller.json", { ...microvm, interfaces: [tap] });
    const steps = JSON.parse((await run("plan", "-f", smaller, "--json")).stdout);
    const { ifindex } = (await link(device)) ?? {};
    expect(steps).toEqual([
      {
        action: "repair",
        device,
        kind: "tap",
        index: ifindex,
        guestMac: "02:00:00:00:00:0b",
        microvm: "ns1/mvm1",
        interface: "eth2",
        changes: [
          { field: "bridge", from: null, to: "br0", repairable: true },
          { field: "up", from: false, to: true, repairable: true },
        ],
      },
      {
        action: "remove",
        device: expect.stringMatching(/^flvtap/),
        kind: "macvtap",
        index: expect.any(Number),
        guestMac: "02:00:00:00:00:0a",
        microvm: "ns1/mvm1",
        interface: "eth1",
        changes: [],
      },
    ]);
  });

  test("prints a plan that cannot be applied, and ends with 1", async () => {
    await run("apply", "-f", first);
    const other = specs.write("other.json", { ...microvm, interfaces: [{ ...tap, type: 0 }] });
    for (const command of [["plan"], ["apply"], ["apply", "--dry-run"]]) {
      const [name = "", ...args] = command;
      const { code, stdout, stderr } = await run(name, "-f", other, ...args);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^! refuse .*\n {4}kind: tap -> macvtap \(not while/m);
      expect(stderr).toMatch(/^flintap: .*\nhint: .*--replace/);
    }
  });

  test("refuses the same MAC on the same bridge", async () => {
    const same = specs.write("same.json", { id: "mvm3", interfaces: [tap] });
    const { code, stderr } = await run("plan", "-f", first, same);
    expect(code).toBe(1);
    expect(stderr).toMatch(/another guest on the same bridge or parent has that MAC/);
  });
});

describe("flintap apply", () => {
  test("makes what is wanted, takes what is not, and leaves other microVMs alone", async () => {
    await run("apply", "-f", second);
    const made = await run("apply", "-f", first);
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(made.stdout).toMatch(/\n\nPlan: 2 to create\.\nDone: 2 created\.\n$/);
    expect((await linkNames()).length).toBe(before.length + 3);
    const smaller = specs.write("smaller.json", { ...microvm, interfaces: [macvtap] });
    const removed = await run("apply", "-f", smaller);
    expect(removed.stdout).toMatch(/Done: 1 as wanted, 1 removed\.\n$/);
    expect((await linkNames()).length).toBe(before.length + 2);
    expect((await run("apply", "-f", smaller)).stdout).toMatch(/\nNothing to do: 1 as wanted\.\n$/);
  });

  test("prints what was done as JSON, with the devices as they are", async () => {
    const { code, stdout } = await run("apply", "-f", second, "--json");
    expect(code).toBe(0);
    const [done] = JSON.parse(stdout);
    const { ifindex } = (await link(done.device)) ?? {};
    expect(done).toMatchObject({ action: "create", index: ifindex, guestMac: expect.any(String) });
  });

  test("replaces what it is told to", async () => {
    await run("apply", "-f", first);
    const other = specs.write("other.json", { ...microvm, interfaces: [{ ...tap, type: 0 }] });
    const { code, stdout } = await run("apply", "-f", other, "--replace");
    expect(code).toBe(0);
    expect(stdout).toMatch(/Done: 1 replaced, 1 removed\.\n$/);
  });

  test("with --dry-run is a plan, and changes nothing", async () => {
    await run("apply", "-f", first);
    const other = specs.write("other.json", { ...microvm, interfaces: [{ ...tap, type: 0 }] });
    const full = await everything();
    const { code, stdout } = await run("apply", "-f", other, "--replace", "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nPlan: 1 to replace, 1 to remove\.\n$/);
    expect(await everything()).toBe(full);
  });

  test("sends nothing where one of the files names no microVM", async () => {
    const machines = "test/fixtures/flintlock/cluster-template.yaml";
    const { code, stderr } = await run("apply", "-f", first, machines);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^flintap: .* names no microVM\nhint: .*--id.*\n$/);
    expect(await linkNames()).toEqual(before);
  });
});
