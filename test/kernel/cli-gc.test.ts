/** `flintap gc`, as it is shipped, against the kernel; `ip` is the witness. */
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
import { ip, link, linkNames, links } from "../setup/iproute2.js";

const specs = specFolder();
const first = specs.write("first.json", microvm);
const second = specs.write("second.yaml", "id: mvm2\ninterfaces: [{device_id: eth1, type: TAP}]\n");

const up = (file: string, ...args: string[]) => flintap("up", "-c", config, "-f", file, ...args);
const gc = (...args: string[]) => flintap("gc", ...args);
const now = ["--min-age", "0"];

const test = needs("veth", "macvtap", "bridge", "tun");
let before: string[];

beforeAll(async () => {
  before = await addHost();
});
afterEach(() => deleteOthers(before));
afterAll(() => specs[Symbol.dispose]());

/** The device of the second microVM. */
async function secondDevice(): Promise<string> {
  const found = await links("type tun");
  return found.find(({ ifalias }) => ifalias?.includes("m=default/mvm2;"))?.ifname ?? "";
}

describe("flintap gc", () => {
  test("deletes the devices of microVMs whose specs are not named", async () => {
    await up(first);
    const kept = await linkNames();
    await up(second);
    const device = await secondDevice();
    const { code, stdout, stderr } = await gc("-f", first, ...now);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^DEVICE +KIND +MICROVM +INTERFACE +AGE +ACTION$/m);
    const row = new RegExp(`^${device} +tap +default/mvm2 +eth1 +\\d+s +removed$`, "m");
    expect(stdout).toMatch(row);
    expect(stdout).toMatch(/\n\nDone: 1 removed, 2 kept\.\n$/);
    expect(await linkNames()).toEqual(kept);
    expect((await gc("-f", first, ...now)).stdout).toBe("Done: 2 kept.\n");
    expect((await gc("--keep-none", ...now)).stdout).toMatch(/Done: 2 removed, 0 kept\.\n$/);
    expect(await linkNames()).toEqual(before);
  });

  test("leaves what is young", async () => {
    await up(second);
    const { code, stdout } = await gc("--keep-none");
    expect(code).toBe(0);
    expect(stdout).toMatch(/ young\n\nDone: 1 young, 0 kept\.\n$/);
    expect(await linkNames()).toHaveLength(before.length + 1);
  });

  test("with --dry-run says what would be deleted, and deletes nothing", async () => {
    await up(second);
    const full = await everything();
    const { code, stdout } = await gc("--keep-none", "--dry-run", ...now);
    expect(code).toBe(0);
    expect(stdout).toMatch(/ to remove\n\nFound: 1 to remove, 0 kept\.\n$/);
    expect(await everything()).toBe(full);
  });

  test("prints JSON of one shape", async () => {
    await up(second);
    const device = await secondDevice();
    const { ifindex } = (await link(device)) ?? {};
    const { stdout } = await gc("--keep-none", "--json", ...now);
    expect(JSON.parse(stdout)).toEqual([
      {
        device,
        kind: "tap",
        index: ifindex,
        microvm: "default/mvm2",
        interface: "eth1",
        owner: "flintap",
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
        action: "removed",
        why: null,
      },
    ]);
  });

  test("deletes nothing where a file does not say which microVM keeps its devices", async () => {
    await up(second);
    const full = await everything();
    const wrong = [
      "/none/*.yaml",
      specs.write("empty.yaml", ""),
      specs.write("comment.yaml", "# nothing here yet\n"),
      specs.write("list.json", "[]"),
      specs.write("broken.json", '{"id": "mvm2", "interfaces": ['),
      specs.write("fragment.json", { interfaces: [] }),
    ];
    for (const file of wrong) {
      const { code, stdout, stderr } = await gc("-f", first, file, ...now);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(file);
    }
    expect(await everything()).toBe(full);
  });

  test("is about one owner's devices", async () => {
    await up(second, "--owner", "other");
    expect((await gc("--keep-none", ...now)).stdout).toBe("Done: 0 kept.\n");
    const { stdout } = await gc("--keep-none", "--owner", "other", ...now);
    expect(stdout).toMatch(/Done: 1 removed, 0 kept\.\n$/);
    expect(await linkNames()).toEqual(before);
  });

  test("tells of what is unclear, and what to do about it", async () => {
    await up(second);
    const device = await secondDevice();
    await ip(`link set dev ${device} alias`, "flintap1;flintap;m=default/mv");
    const { code, stdout, stderr } = await gc("--keep-none", ...now);
    expect(code).toBe(0);
    expect(stdout).toMatch(/ unclear: broken tag\n\nDone: 1 unclear, 0 kept\.\n$/);
    expect(stderr).toMatch(new RegExp(`^note: ${device} was left alone: .*ip -d link show dev`));
    const json = await gc("--keep-none", "--json", ...now);
    expect(JSON.parse(json.stdout)).toMatchObject([{ action: "unclear", why: "broken-tag" }]);
    expect(JSON.parse(json.stderr)).toEqual({
      note: { message: expect.stringContaining(device) },
    });
    expect(await link(device)).toBeDefined();
  });

  test("ends with 1 where a device cannot be deleted, and the others go", async () => {
    await up(second);
    const device = await secondDevice();
    // The kernel's own links are nobody's to delete, whatever is written on them.
    const { ifalias = "" } = (await link(device)) ?? {};
    await ip("link set dev lo alias", ifalias);
    await ip("link property add dev lo altname flintap-0123456789abcdef");
    try {
      const { code, stdout, stderr } = await gc("--keep-none", ...now);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^lo .* failed: physical link$/m);
      expect(stdout).toMatch(/\n\nDone: 1 removed, 1 failed, 0 kept\.\n$/);
      expect(stderr).toMatch(/^flintap: gc lo: .*\nhint: .*\n$/);
      expect(await linkNames()).toEqual(before);
    } finally {
      await ip("link property del dev lo altname flintap-0123456789abcdef");
      await ip("link set dev lo alias", "");
    }
  });
});
