/** The command as it is shipped, as far as it asks nothing of the kernel. */
import { describe, expect, test } from "vitest";
import { runNode } from "../../setup/child.js";

const fixtures = "test/fixtures/flintlock";
const config = `${fixtures}/config.yaml`;
const flintap = (...args: string[]) => runNode(["dist/cli/main.js", ...args]);

describe("wrong usage ends with 2 and one line with a hint:", () => {
  test.each([
    [["lsit"], "unknown command 'lsit'", "Did you mean list?"],
    [["list", "--jsn"], "unknown option '--jsn'", "Did you mean --json?"],
    [["up"], "required option '-f, --file <file>' not specified", "See --help"],
    [["list", "more"], "too many arguments", "See --help"],
    [["completion", "csh"], "command-argument value 'csh' is invalid", "See --help"],
    [["list", "--netns", ""], "'--netns <netns>' argument '' is invalid. It is a name", "See"],
    [["list", "--owner", ""], "argument '' is invalid. It has 1 to 32 bytes", "See --help"],
    [["list", "--owner", "x".repeat(33)], "is invalid. It has 1 to 32 bytes", "See --help"],
    [["up", "--for", "qemu", "-f", "x"], "hands its queues to nobody", "See --help"],
    [["apply", "--for", "cloud-hypervisor", "-f", "x"], "only a daemon can", "See --help"],
    [["down"], "no microVM is named", "Name it with --id"],
    [["gc"], "which microVMs keep their devices", "--keep-none"],
    [["gc", "-f", "x", "--keep-none"], "'--keep-none' cannot be used with option '-f", "See"],
    [["gc", "--keep-none", "--min-age", "1h"], "'1h' is invalid. It is a whole", "See --help"],
    [["gc", "--keep-none", "--min-age", "9".repeat(20)], "is invalid. It is a whole", "See --help"],
    [["gc", "-f", "/none/*.yaml"], "the spec /none/*.yaml: no such file", "Check"],
    [["gc", "-f", `${fixtures}/capmvm-tap.yaml`], "names no microVM", "Write its id"],
    [["up", "-c", config, "-f", "/none.json"], "the spec /none.json: no such file", "Check"],
    [["plan", "-c", "/none.yaml", "-f", "x"], "the host's config /none.yaml: no such", "Check"],
    [["plan", "-c", config, "-f", "a", "b", "--id", "x"], "--id, --namespace, --uid", "one file"],
    [["plan", "-c", config, "-f", `${fixtures}/capmvm-tap.yaml`], "names no microVM", "--id"],
  ])("%j", async (args, message, hint) => {
    const { code, stdout, stderr } = await flintap(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    const [first, second, ...more] = stderr.trimEnd().split("\n");
    expect(first).toMatch(/^flintap: /);
    expect(first).toContain(message);
    expect(second).toMatch(/^hint: /);
    expect(second).toContain(hint);
    expect(more).toEqual([]);
  });

  test("the same microVM in two files", async () => {
    const spec = `${fixtures}/microvm.json`;
    const { code, stderr } = await flintap("plan", "-c", config, "-f", spec, spec);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^flintap: .* is described in .* as well\n$/);
  });
});

test("with --json an error is one object on standard error", async () => {
  const { code, stdout, stderr } = await flintap("--json", "lsit");
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(JSON.parse(stderr)).toEqual({
    error: { code: "ERR_USAGE", message: "unknown command 'lsit'", hint: "Did you mean list?" },
  });
});

describe("help", () => {
  test("documents the exit codes, and ends with 0", async () => {
    const { code, stdout } = await flintap("--help");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /Exit codes:\n {2}0 {2}done\n {2}1 {2}refused.*\n {2}2 .*\n {2}3 .*\n {2}128\+n {2}ended by signal/,
    );
  });

  test.each([
    "up",
    "down",
    "gc",
    "list",
    "plan",
    "apply",
    "watch",
    "config check",
    "spec check",
    "completion",
  ])("of %s has examples, in lines of up to 84 characters", async (command) => {
    const { code, stdout } = await flintap(...command.split(" "), "--help");
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nExamples:\n {2}\$ .*flintap/);
    expect(stdout).toMatch(/\n\nExit codes: see flintap --help\n$/);
    // A line that commander had to break is followed by a word or two.
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(84);
  });

  test("is printed to standard error, with 2, where a command is missing", async () => {
    const { code, stdout, stderr } = await flintap("config");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: flintap config /);
  });
});

describe("spec check", () => {
  test("prints what is asked for, also of fragments and templates", async () => {
    const files = ["examples/quickstart/spec.json", `${fixtures}/capmvm-tap.yaml`];
    const { code, stdout } = await flintap("spec", "check", ...files);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^FILE +MICROVM +INTERFACE +TYPE +GUEST MAC +ADDRESS +BRIDGE$/m);
    expect(stdout).toMatch(/ \(flintlock spec\) +\w+ +/);
    expect(stdout).toMatch(
      / \(MicrovmMachineTemplate mvm-md-0\) +eth1 +tap +chosen +DHCP +bridge-name$/m,
    );
  });

  test("prints JSON of one shape", async () => {
    const file = `${fixtures}/machines.json`;
    const { stdout } = await flintap("spec", "check", file, "--json");
    expect(JSON.parse(stdout)[0]).toEqual({
      file,
      kind: "MicrovmMachine",
      name: "mvm-0",
      microvm: expect.stringMatching(/^ns1\//),
      interface: "eth1",
      type: "macvtap",
      guestMac: "02:00:00:00:00:01",
      address: null,
      gateway: null,
      bridge: null,
    });
  });

  test("tells of every wrong file, and ends with 2", async () => {
    const { code, stderr } = await flintap(
      "spec",
      "check",
      "/none.json",
      `${fixtures}/faulty.json`,
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/^flintap: the spec \/none\.json: /m);
    expect(stderr).toMatch(/^flintap: .*faulty\.json is refused:$/m);
  });

  test("refuses the same guest MAC in two files", async () => {
    const file = `${fixtures}/machines.json`;
    const { code, stderr } = await flintap("spec", "check", file, file);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /machines\.json is refused:\n {2}\S+ eth1: expected a MAC of its own, received "02:00:00:00:00:01" \(\S+ eth1 in \S+ has it\)/,
    );
  });

  test("with a config looks whether it has the keys that are needed", async () => {
    const file = `${fixtures}/tap.json`;
    expect((await flintap("spec", "check", "-c", config, file)).code).toBe(0);
    const { code, stderr } = await flintap("spec", "check", "-c", "/dev/null", file);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^flintap: \/dev\/null, for .*tap\.json, is refused:\n {2}bridge-name: /,
    );
  });
});

test("config check prints what is understood, for people and for programs", async () => {
  const { code, stdout } = await flintap("config", "check", "-c", config);
  expect(code).toBe(0);
  expect(stdout).toBe(
    [
      "KEY           VALUE  USED FOR",
      "parent-iface  enp0   macvtaps",
      "bridge-name   br0    taps that name no bridge",
      "",
    ].join("\n"),
  );
  const json = await flintap("config", "check", "-c", "/dev/null", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject([
    { key: "parent-iface", value: null },
    { key: "bridge-name", value: null },
  ]);
});

test("config check notes keys that are misspelt", async () => {
  const under = ["sh", "-c", 'echo "parent_iface: enp0" | "$@"', "sh"];
  const args = ["dist/cli/main.js", "config", "check", "-c", "/dev/stdin"];
  const { code, stderr } = await runNode(args, { under });
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: "note: /dev/stdin: parent_iface means nothing; did you mean parent-iface?\n",
  });
});
