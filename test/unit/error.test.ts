import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { errorOf, FlintapError } from "../../src/error.js";
import { failure } from "./fake-addon.js";

function errorFrom(fields: Parameters<typeof failure>[0]): FlintapError {
  const error = errorOf(failure(fields));
  if (!(error instanceof FlintapError)) throw new Error("not a FlintapError");
  return error;
}

describe("the message", () => {
  test("is one line: operation, device, what went wrong, code, step, the kernel's text", () => {
    const { message } = errorFrom({
      operation: "createTap",
      device: "fltap0",
      reason: "no-such-bridge",
      errno: 19,
      step: "attach",
      kernelMessage: "No such device",
    });
    expect(message).toBe(
      "createTap fltap0: the bridge does not exist (ENODEV at attach; kernel: 'No such device')",
    );
  });

  test("leaves out what is not known", () => {
    expect(errorFrom({ operation: "getLink", step: "look up" }).message).toBe(
      "getLink: there is no such link (ENODEV at look up)",
    );
  });

  test("names a setting that was ignored, what it was to be and what it is", () => {
    const error = errorFrom({
      reason: "setting-ignored",
      errno: 0,
      operation: "createTap",
      device: "t0",
      step: "read back",
      attribute: "isolated",
      expected: "true",
      actual: "false",
    });
    expect(error.message).toBe(
      "createTap t0: the kernel accepted the request and ignored a setting: isolated is false, not true (ERR_FLINTAP_IGNORED at read back)",
    );
    expect(error).toMatchObject({ attribute: "isolated", expected: "true", actual: "false" });
    expect(error.hint).toContain("isolated");
  });

  test("names the parent or bridge beside the device", () => {
    const error = errorFrom({ operation: "createMacvtap", device: "t0", on: "enp0" });
    expect(error.message).toMatch(/^createMacvtap t0 on enp0: /);
    expect(error.on).toBe("enp0");
  });

  test.each([
    [{ existing: [] }, "; there is none ("],
    [{ existing: ["br0"] }, "; there are: br0 ("],
    [{ existing: ["br0", "br1"], existingMore: 3 }, "; there are: br0, br1 and 3 more ("],
  ])("says what there is instead: %j", (facts, words) => {
    const error = errorFrom({ reason: "no-such-bridge", device: "br9", ...facts });
    expect(error.message).toContain(`the bridge does not exist${words}ENODEV`);
    expect(error).toMatchObject(facts);
  });

  const link = { name: "t0", kind: "macvtap", alias: "flintap1;me;m=ns/vm%0a1;i=eth1;t=1" };
  test.each([
    ["name-taken", link, "macvtap t0 (owner 'me', microVM 'ns/vm\\n1', interface 'eth1')"],
    ["name-taken", { ...link, alias: "flintap1;me;t=1" }, "macvtap t0 (owner 'me')"],
    ["duplicate-mac", { name: "enp0", kind: "", alias: "uplink" }, "link enp0 (no tag)"],
    ["not-ours", { ...link, alias: "flintap1;me;m=vm;t=1" }, "owner 'me', microVM 'vm'"],
    ["not-ours", { ...link, alias: "" }, "nobody (no tag)"],
    ["tap-held", { pid: 4711, name: "qemu\nx" }, "process 4711 (qemu\\u000ax)"],
    ["tap-held", { pid: 4711, name: "" }, "process 4711"],
    ["tap-held", { pid: process.pid, name: "node" }, "this process"],
  ])("says who has it: %s, %j", (reason, holder, words) => {
    const error = errorFrom({ reason, errno: 17, operation: "createTap", holder });
    expect(error.holder).toBe(words);
    const whose = reason === "not-ours" ? "it belongs to" : "held by";
    expect(error.message).toContain(`; ${whose} ${words} (`);
  });

  test("shows what came from outside with nothing in it that a terminal obeys", () => {
    const [device, on, kernelMessage] = ["t\u202e0", "b\u001b[2J", "no\n"];
    const holder = { name: "l\u009b", kind: "tun", alias: "flintap1;me;m=a\u202eb;t=1" };
    const reason = "name-taken";
    const { message, ...facts } = errorFrom({ reason, device, on, kernelMessage, holder });
    expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(message).toContain("t\\u202e0 on b\\u001b[2J");
    expect(message).toContain("tap l\\u009b (owner 'me', microVM 'a\\u202eb')");
    expect(facts).toMatchObject({ device, on, kernelMessage });
  });

  test("says what could not be undone", () => {
    const error = errorFrom({ leftBehind: ["t0", "/tmp/x"] });
    expect(error.message).toMatch(/; left behind: t0, \/tmp\/x$/);
    expect(error.leftBehind).toEqual(["t0", "/tmp/x"]);
  });

  test("names eight of very many that could not be undone, the error has all", () => {
    const leftBehind = Array.from({ length: 300 }, (_, at) => `t${at}`);
    const error = errorFrom({ reason: "aborted", errno: 0, leftBehind });
    expect(error.message).toMatch(/; left behind: t0, t1, t2, t3, t4, t5, t6, t7 and 292 more$/);
    expect(error.leftBehind).toEqual(leftBehind);
  });
});

describe("the code", () => {
  test("is the errno's name", () => {
    expect(errorFrom({ reason: "bridge-full", errno: 54 })).toMatchObject({
      code: "EXFULL",
      errno: 54,
      reason: "bridge-full",
    });
  });

  test.each([
    ["other-master", 0, "ERR_FLINTAP_REFUSED"],
    ["physical-link", 0, "ERR_FLINTAP_REFUSED"],
    ["not-ours", 0, "ERR_FLINTAP_REFUSED"],
    ["not-a-bridge", 0, "ERR_FLINTAP_REFUSED"],
    ["setting-ignored", 0, "ERR_FLINTAP_IGNORED"],
    ["outcome-unknown", 105, "ERR_FLINTAP_UNKNOWN_OUTCOME"],
    ["closed", 0, "ERR_FLINTAP_CLOSED"],
    ["aborted", 0, "ERR_FLINTAP_ABORTED"],
    ["aborted", 125, "ERR_FLINTAP_ABORTED"],
  ])("for %s with errno %d is %s", (reason, errno, code) => {
    expect(errorFrom({ reason, errno }).code).toBe(code);
  });
});

describe("the hint", () => {
  test.each([
    ["createMacvtap", "modprobe macvtap"],
    ["createTap", "modprobe tun"],
    ["createBridge", "modprobe bridge"],
    ["createVeth", "modprobe veth"],
  ])("names the module that %s needs", (operation, hint) => {
    expect(errorFrom({ reason: "kind-unsupported", errno: 95, operation }).hint).toContain(hint);
  });

  test("knows a wireless station by what the kernel says of it as a port", () => {
    const refused = { reason: "cannot-be-port", errno: 95, operation: "attachToBridge" };
    const kernelMessage = "Device does not allow enslaving to a bridge";
    expect(errorFrom({ ...refused, kernelMessage }).hint).toMatch(
      /^This is .* a wireless interface/,
    );
    expect(errorFrom(refused).hint).toMatch(/^A macvtap/);
  });

  test("names the three ways out of a read-only /proc/sys", () => {
    const { hint } = errorFrom({ reason: "proc-sys-read-only", errno: 30 });
    expect(hint).toContain("net.ipv6.conf.default.disable_ipv6=1");
    expect(hint).toContain("writable /proc/sys");
    expect(hint).toContain("hostIPv6: 'reduced'");
  });
});

describe("the error", () => {
  test("is a FlintapError by name, instance and inspection, without empty fields", () => {
    const error = errorFrom({});
    expect(error.name).toBe("FlintapError");
    expect(error).toBeInstanceOf(Error);
    expect(inspect(error)).toContain("FlintapError: getLink: there is no such link");
    expect(Object.keys(error)).toEqual(["code", "reason", "errno", "operation", "step", "hint"]);
  });

  test("of a reason that this version does not know has the reason kernel", () => {
    expect(errorFrom({ reason: "of-a-newer-addon", errno: 22 })).toMatchObject({
      code: "EINVAL",
      reason: "kernel",
    });
    expect(errorFrom({ reason: "toString", errno: 22 }).reason).toBe("kernel");
  });

  test("is made only of a failure: anything else that was thrown stays what it is", () => {
    const wrongRequest = new TypeError("link.index is not a number");
    expect(errorOf(wrongRequest)).toBe(wrongRequest);
    expect(errorOf("text")).toBe("text");
    expect(errorOf(null)).toBe(null);
  });
});
