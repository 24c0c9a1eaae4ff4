/** Every example program does what it says, and leaves nothing behind. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { missing, needs, ordinaryUser } from "../setup/capabilities.js";
import { type RunOptions, runModule, runNode } from "../setup/child.js";
import { addBridge, addParent, ip, linkNames } from "../setup/iproute2.js";
import { otherNamespace } from "../setup/other-namespace.js";
import { Peer } from "../setup/peer.js";
import { readableCopy } from "../setup/readable-copy.js";

const withMacvtap = needs("veth", "macvtap");
const withTap = needs("bridge", "tun");
const withNodes = needs("root", "veth", "macvtap", "macvtap-queue");
const withAll = needs("root", "veth", "macvtap", "bridge", "tun", "macvtap-queue");

/** Runs an example to its end; the lines that it printed. */
async function linesOf(
  program: string,
  options?: RunOptions,
  ...args: string[]
): Promise<string[]> {
  const { code, stdout, stderr } = await runNode([program, ...args], options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout.trimEnd().split("\n");
}

const tested = new Set<string>();

/** A test of one example: what it prints. */
function example(
  program: string,
  register: ReturnType<typeof needs>,
  check: (lines: string[]) => void,
): void {
  tested.add(program);
  register(program, async () => check(await linesOf(`examples/${program}`)));
}

describe("an example", () => {
  let before: string[];

  beforeEach(async () => {
    await addParent();
    await addBridge();
    before = await linkNames();
  });

  afterEach(async () => {
    const after = await linkNames();
    await ip("link del enp0");
    await ip("link del br0");
    expect(after).toEqual(before);
  });

  example("create-macvtap.mjs", withMacvtap, ([line]) => {
    expect(line).toMatch(/^flvtap\w{9}: \/dev\/tap\d+, guest MAC [0-9a-f:]{17}, MTU 1500$/);
  });

  example("create-tap.mjs", withTap, (lines) => {
    expect(lines[0]).toMatch(/^fltap\w{10}: port of br0, isolated: true$/);
    expect(lines[1]).toMatch(/MAC fe:/);
  });

  example("ephemeral-tap.mjs", withTap, (lines) => {
    expect(lines[0]).toMatch(/is in the VMM's hands: true$/);
    expect(lines[1]).toMatch(/is gone with it$/);
  });

  tested.add("hand-over.mjs");
  needs(
    "bridge",
    "tun",
    "python",
  )("hand-over.mjs", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fl-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "vmm.sock");
    await using vmm = Peer.python(`
s = socket.socket(socket.AF_UNIX)
s.bind(${JSON.stringify(path)})
s.listen()
say(listening=True)
c, _ = s.accept()
_, (fd,), _, _ = socket.recv_fds(c, 1024, 1)
c.sendall(b"HTTP/1.1 200 \\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(tap(fd)), tap(fd).encode()))
hear()`);
    await vmm.hear();
    const [line] = await linesOf("examples/hand-over.mjs", {}, path);
    const name = /^(fltap\w{10}) is the VMM's: \1$/.exec(line as string)?.[1];
    expect(await linkNames()).toContain(name);
    await vmm.end();
    while ((await linkNames()).length > before.length);
  });

  example("open-macvtap.mjs", withNodes, (lines) => {
    expect(lines).toEqual([expect.stringMatching(/^sent 70 bytes/)]);
  });

  example("open-tap.mjs", withTap, (lines) => {
    expect(lines).toEqual([
      "/dev/net/tun",
      expect.stringMatching(/^fltap\w+ has a carrier while its queue is open$/),
    ]);
  });

  withMacvtap("list-links.mjs", async () => {
    tested.add("list-links.mjs");
    await runModule(`
      import { createMacvtap } from "flintap";
      const tag = { microvm: "vm1", interface: "eth1" };
      await createMacvtap({ name: "mt0", parent: "enp0", tag });
    `);
    const lines = await linesOf("examples/list-links.mjs");
    await ip("link del mt0");
    expect(lines).toEqual([expect.stringMatching(/^mt0 \(macvtap\) of vm1 eth1: \d+ in, \d+ out/)]);
  });

  example("attach-to-bridge.mjs", withMacvtap, (lines) => {
    expect(lines).toEqual(["br1: enp0"]);
  });

  const elsewhere = (program: string, check: (lines: string[]) => void): void => {
    tested.add(program);
    needs(
      "root",
      "veth",
      "macvtap",
      "tun",
      "proc-sys",
    )(program, async () => {
      await using other = await otherNamespace();
      check(await linesOf(`examples/${program}`, {}, `/proc/${other.pid}/ns/net`));
    });
  };

  elsewhere("namespaces.mjs", ([first, kinds]) => {
    expect(first).toMatch(/^fltap\w+ and flvtap\w+ are in namespace \d+$/);
    expect(kinds).toBe("[ 'macvtap', 'tun' ]");
  });

  elsewhere("move-link.mjs", (lines) => {
    expect(lines).toEqual(["guest0: up true, host IPv6 closed", "here: ENODEV"]);
  });

  example("watch-links.mjs", withAll, (lines) => {
    const lost = ["default/mvm1 has lost eth1", "default/mvm2 has lost eth1"];
    expect(lines.sort()).toEqual(lost);
  });

  example("in-a-container.mjs", needs("tun", "proc-sys"), ([line]) => {
    expect(line).toMatch(/^fltap\w{10}: the host's IPv6 is closed$/);
  });

  withTap("set-link.mjs", async () => {
    tested.add("set-link.mjs");
    const lines = await linesOf("examples/set-link.mjs");
    await ip("link del guest1");
    expect(lines).toEqual(["guest1, MTU 1000, also web-1", "host IPv6 closed", "tagged"]);
  });

  example("delete-links.mjs", withTap, (lines) => {
    expect(lines).toEqual(["deleted", "deleted", "deleted", "physical-link"]);
  });

  example("abort.mjs", withTap, (lines) => {
    expect(lines).toEqual(["20 given up, 0 made"]);
  });

  example("tracing.mjs", withAll, (lines) => {
    const took = "waited [\\d.]+ ms, ran [\\d.]+ ms";
    expect(lines).toEqual([
      expect.stringMatching(`^createBridge br7: done, ${took}, 3 sends$`),
      expect.stringMatching(`^deleteLink br7: done, ${took}, 2 sends$`),
    ]);
  });

  example("errors.mjs", withTap, ([codes, message]) => {
    expect(codes).toBe("ENODEV no-such-bridge");
    expect(message).toMatch(/^createTap nosuch0: the bridge does not exist/);
  });

  example("desired-state.mjs", withTap, (lines) => {
    expect(lines).toEqual([
      "~ repair guest1 (tap on br0) for default/vm1 eth1",
      "    bridge: nothing -> br0",
      "as wanted",
    ]);
  });

  example("keep-in-state.mjs", withTap, (lines) => {
    const tap = "guest1 (tap on br0) for default/vm1 eth1";
    expect(lines.filter((line) => !line.startsWith("guest-lost"))).toEqual([
      `drift  ${tap}  it is gone`,
      `repaired  ${tap}  made anew`,
      `drift  ${tap}  bridge: nothing -> br0`,
      `repaired  ${tap}  put right: bridge: nothing -> br0`,
      `drift  ${tap}  it is gone`,
      `repaired  ${tap}  made anew`,
    ]);
  });

  example("collect-garbage.mjs", withTap, (lines) => {
    expect(lines).toEqual(["young: default/vm2", "removed: default/vm2, kept: default/vm1"]);
  });

  withAll("microvm.mjs", async () => {
    tested.add("microvm.mjs");
    const files = ["config.yaml", "spec.json"].map((name) => `examples/quickstart/${name}`);
    // What stands for a VMM tells what it was given.
    const vmm = ["sh", "-c", 'readlink /proc/self/fd/3 /proc/self/fd/4; printf "%s\\n" "$@"', "--"];
    const lines = await linesOf("examples/microvm.mjs", {}, ...files, ...vmm);
    expect(lines).toEqual([
      // The kernel's node, or one that was made for it alone.
      expect.stringMatching(/^(\/dev)?\/tap\d+$/),
      "/dev/net/tun",
      "--cmdline",
      expect.stringMatching(/^network-config=[A-Za-z0-9+/]+=*$/),
      "--net",
      expect.stringMatching(/^fd=3,mac=[0-9a-f:]{17},id=eth1$/),
      expect.stringMatching(/^fd=4,mac=02:[0-9a-f:]{14},id=eth2$/),
      "default/vm1 ended with 0",
    ]);
  });
});

describe("the quickstart", () => {
  needs("ordinary-user")("tells an ordinary user what is not possible", async () => {
    const copy = readableCopy("examples");
    onTestFinished(() => rmSync(copy, { recursive: true }));
    const lines = await linesOf(`${copy}/examples/quickstart/quickstart.mjs`, {
      under: [...ordinaryUser],
      env: { HOME: copy },
    });
    expect(lines.filter((line) => line.startsWith("not possible here: "))).toEqual([
      expect.stringContaining("/dev/net/tun may not be opened"),
      expect.stringContaining(
        missing("tap-node") === undefined
          ? "the device node may not be opened"
          : "there is no device node of the macvtap, and none may be made",
      ),
    ]);
    expect(lines.filter((line) => line.startsWith("ok  "))).toEqual([
      "ok  flintap lists 0 devices of its own",
      "ok  ip shows nothing but lo",
    ]);
  });

  withAll("exchanges frames that the wire does not see, and leaves nothing", async () => {
    const lines = await linesOf("examples/quickstart/quickstart.mjs");
    const verdicts = lines.filter((line) => /^(ok|NOT TRUE) /.test(line));
    expect(verdicts).toEqual([
      expect.stringMatching(/^ok {2}mvm1 sent .* and mvm2 received it$/),
      "ok  of that frame, the wire saw 0",
      "ok  of a broadcast (ARP), the wire saw 1",
      "ok  flintap lists 0 devices of its own",
      "ok  ip shows nothing but lo",
    ]);
  });
});

test("every example program has a test here", () => {
  const programs = readdirSync("examples").filter((name) => name.endsWith(".mjs"));
  expect(programs.filter((name) => !tested.has(name))).toEqual([]);
});
