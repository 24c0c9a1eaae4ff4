/** What of `flintap` looks at the host or at another namespace without making anything. */
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { needs } from "../setup/capabilities.js";
import {
  addHost,
  config,
  deleteOthers,
  everything,
  flintap,
  specFolder,
} from "../setup/command.js";
import { ip, link, linkNames } from "../setup/iproute2.js";
import { otherNamespace } from "../setup/other-namespace.js";

const specs = specFolder();
const test = needs("veth", "bridge");
let before: string[];

beforeAll(async () => {
  before = await addHost();
});
afterEach(() => deleteOthers(before));
afterAll(() => specs[Symbol.dispose]());

describe("flintap config check --host", () => {
  test("says that the parent and the bridge can be used, and changes nothing", async () => {
    const all = await everything();
    const { code, stdout } = await flintap("config", "check", "-c", config, "--host");
    expect(code).toBe(0);
    const { ifindex } = (await link("enp0")) ?? {};
    expect(stdout).toMatch(
      new RegExp(`^parent-iface +enp0 +macvtaps +usable: index ${ifindex}, MTU 1500, up$`, "m"),
    );
    expect(stdout).toMatch(/^bridge-name +br0 +taps that name no bridge +usable: /m);
    expect(await everything()).toBe(all);
  });

  test("ends with 1 where one is not there, or none that can be used", async () => {
    const wrong = specs.write("wrong.yaml", "parent-iface: enp9\nbridge-name: enp0\n");
    const { code, stdout, stderr } = await flintap("config", "check", "-c", wrong, "--host");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^parent-iface +enp9 .*not usable: no-such-parent$/m);
    expect(stdout).toMatch(/^bridge-name +enp0 .*not usable: not-a-bridge$/m);
    expect(stderr).toMatch(/^(flintap: config check enp[90]: .*\nhint: .*\n){2}$/);
    const json = await flintap("config", "check", "-c", wrong, "--host", "--json");
    expect(JSON.parse(json.stdout)[1].host).toMatchObject({
      usable: false,
      reason: "not-a-bridge",
    });
    expect(JSON.parse(json.stderr).error.errors).toMatchObject([
      { reason: "no-such-parent", operation: "config check" },
      { reason: "not-a-bridge" },
    ]);
  });
});

describe("flintap --netns", () => {
  needs(
    "veth",
    "bridge",
    "tun",
  )("works in a namespace that a path names", async () => {
    await using other = await otherNamespace();
    await other.run("ip", "link", "add", "br0", "type", "bridge");
    const path = `/proc/${other.pid}/ns/net`;
    const spec = specs.write("spec.json", {
      id: "a",
      interfaces: [{ device_id: "eth1", type: 1 }],
    });
    const made = await flintap("--netns", path, "up", "-c", config, "-f", spec);
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(await linkNames()).toEqual(before);
    expect(await other.run("ip", "-br", "link", "show", "master", "br0")).toMatch(/^fltap/);
    expect((await flintap("list", "--netns", path)).stdout).toMatch(/^fltap.* default\/a +eth1 /m);
    expect((await flintap("down", "--id", "a", "--netns", path)).stdout).toMatch(/deleted$/m);
  });

  test("takes a name of ip netns, and refuses one that there is not", async () => {
    await ip("netns add flintap-cli");
    try {
      expect((await flintap("list", "--netns", "flintap-cli")).code).toBe(0);
    } finally {
      await ip("netns del flintap-cli");
    }
    const { code, stderr } = await flintap("list", "--netns", "flintap-cli");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^flintap: .*\/run\/netns\/flintap-cli: .*\nhint: .*\n$/);
  });
});
