/** `flintap keep`, as it is shipped, against the kernel. */
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { needs } from "../setup/capabilities.js";
import {
  addHost,
  config,
  deleteOthers,
  flintap,
  flintapUntil,
  microvm,
  type React,
  specFolder,
} from "../setup/command.js";
import { ip, link, links } from "../setup/iproute2.js";

const specs = specFolder();
const spec = specs.write("spec.json", microvm);
const run = (command: string, ...args: string[]) =>
  flintap(command, "-c", config, "-f", spec, ...args);
const keeping = (args: string[], react: React) =>
  flintapUntil(["keep", "-c", config, "-f", spec, ...args], react);

const test = needs("veth", "macvtap", "bridge", "tun");
let before: string[];

beforeAll(async () => {
  before = await addHost();
});
afterEach(() => deleteOthers(before));
afterAll(() => specs[Symbol.dispose]());

test("makes what is missing, puts right what drifts, and ends with 0 on SIGTERM", async () => {
  let device: string | undefined;
  const { code, signal, stdout, stderr } = await keeping(["--repair"], async (said, end) => {
    if (device === undefined && said.split("made anew").length === 3) {
      device = (await links("type tun"))[0]?.ifname;
      await ip(`link set ${device} nomaster`);
    }
    if (said.includes("put right")) end("SIGTERM");
  });
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  expect(stderr).toBe("note: keeping 2 devices of owner flintap\n");
  const line = (what: string) => new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\S+Z  ${what}$`, "m");
  const tap = `${device} \\(tap on br0\\) for ns1/mvm1 eth2`;
  expect(stdout).toMatch(
    line("drift  flvtap\\S+ \\(macvtap on enp0\\) for ns1/mvm1 eth1  it is gone"),
  );
  expect(stdout).toMatch(line(`repaired  ${tap}  made anew`));
  expect(stdout).toMatch(line(`drift  ${tap}  bridge: nothing -> br0`));
  expect(stdout).toMatch(line(`repaired  ${tap}  put right: bridge: nothing -> br0`));
  expect((await link(device as string))?.master).toBe("br0");
});

test("only tells without --repair, an object a line with --json", async () => {
  await run("apply");
  const device = (await links("type tun"))[0];
  await ip(`link set ${device?.ifname} mtu 1400`);
  await ip(`link set ${device?.ifname} nomaster`);
  const { code, stdout } = await keeping(["--json"], async (_, end) => end("SIGINT"));
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    event: "drift",
    device: device?.ifname,
    kind: "tap",
    index: device?.ifindex,
    microvm: "ns1/mvm1",
    interface: "eth2",
    changes: [{ field: "bridge", from: null, to: "br0", repairable: true }],
  });
  expect(await link(device?.ifname as string)).toMatchObject({ mtu: 1_400 });
});

test("names why a device cannot be made", async () => {
  const lost = specs.write("lost.json", {
    id: "mvm9",
    interfaces: [{ device_id: "eth1", type: 1, overrides: { bridge_name: "br9" } }],
  });
  const args = ["keep", "-c", config, "-f", lost, "--repair", "--json"];
  const { code, stdout } = await flintapUntil(args, async (said, end) => {
    if (said.includes('"failed"')) end("SIGTERM");
  });
  expect(code).toBe(0);
  const [drift, failed] = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(failed).toMatchObject({
    event: "failed",
    error: { reason: "no-such-bridge", hint: expect.stringContaining("bridge-name") },
  });
  expect(drift).toMatchObject({ event: "drift", index: null, changes: [] });
});

test("refuses --replace without --repair", async () => {
  const { code, stderr } = await run("keep", "--replace");
  expect(code).toBe(2);
  expect(stderr).toContain("--replace");
  expect(stderr).toContain("--repair");
});
