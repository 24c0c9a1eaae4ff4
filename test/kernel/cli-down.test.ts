/** `flintap down`, as it is shipped, against the kernel; `ip` is the witness. */
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
const spec = specs.write("spec.json", microvm);
const up = (...args: string[]) => flintap("up", "-c", config, "-f", spec, ...args);
const down = (...args: string[]) => flintap("down", "-f", spec, ...args);

const withTaps = needs("veth", "macvtap", "bridge", "tun");
const anywhere = needs("veth", "macvtap", "bridge");
let before: string[];

beforeAll(async () => {
  before = await addHost();
});
afterEach(() => deleteOthers(before));
afterAll(() => specs[Symbol.dispose]());

describe("flintap down", () => {
  withTaps("deletes what up made, and is a success when there is nothing", async () => {
    await up();
    const { code, stdout } = await down("--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ deleted: true }, { deleted: true }]);
    expect(await linkNames()).toEqual(before);
    const again = await down();
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(again.stdout).toMatch(/^eth1 +flvtap\w+ +not there$/m);
  });

  withTaps("needs no spec", async () => {
    await up();
    const { code, stdout } = await flintap("down", "--id", "mvm1", "--namespace", "ns1");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^eth1 +flvtap\w+ +deleted$/m);
    expect(stdout).toMatch(/^eth2 +fltap\w+ +deleted$/m);
    expect(await linkNames()).toEqual(before);
    const again = await flintap("down", "--id", "mvm1", "--namespace", "ns1");
    expect(again).toMatchObject({ code: 0, stdout: "There is no device of ns1/mvm1.\n" });
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

  withTaps("notes devices of the same microVM with another uid, and leaves them", async () => {
    await up("--uid", "2");
    const note = /there is no device of ns1\/mvm1, but of ns1\/mvm1\/2: --uid says which/;
    const text = await down();
    expect(text.code).toBe(0);
    expect(text.stderr).toMatch(new RegExp(`^note: ${note.source}.*\n$`));
    const json = await down("--json");
    expect(JSON.parse(json.stderr)).toEqual({ note: { message: expect.stringMatching(note) } });
    expect((await linkNames()).length).toBe(before.length + 2);
  });

  withTaps("with --dry-run prints what would be deleted, and deletes nothing", async () => {
    await up();
    const full = await everything();
    const { code, stdout } = await down("--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^- remove flvtap\w+ \(macvtap\) for ns1\/mvm1 eth1$/m);
    expect(stdout).toMatch(/^Plan: 2 to remove\.$/m);
    expect(await everything()).toBe(full);
  });

  withTaps("deletes only what is its owner's", async () => {
    await up("--owner", "other");
    const { code, stderr } = await down();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^flintap: down flvtap.*\nhint: .*\n$/);
    expect((await linkNames()).length).toBe(before.length + 2);
    expect(await down("--owner", "other")).toMatchObject({ code: 0 });
    expect(await linkNames()).toEqual(before);
  });

  anywhere("leaves a device of the same name alone that somebody else made", async () => {
    const names = JSON.parse((await down("--json")).stdout) as { hostDeviceName: string }[];
    const name = names[0]?.hostDeviceName ?? "";
    await ip(`link add ${name} type bridge`);
    for (const args of [[], ["--dry-run"]]) {
      const { code, stderr } = await down(...args);
      expect(code).toBe(1);
      expect(stderr).toContain(name);
    }
    expect(await link(name)).toMatchObject({ linkinfo: { info_kind: "bridge" } });
  });
});
