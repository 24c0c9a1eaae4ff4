/** A process that may open no further descriptor: what fails says so, and leaves no device. */
import { expect } from "vitest";
import { needs } from "../setup/capabilities.js";
import { runModule } from "../setup/child.js";
import { addParent, linkNames } from "../setup/iproute2.js";
import { stage } from "../setup/stage.js";

stage(() => addParent());

/** What a call rejects with while nothing more can be opened; the module prints it as JSON. */
const module = (call: string) => `
  import { closeSync, openSync } from "node:fs";
  import * as flintap from "flintap";
  const namespace = flintap.NetworkNamespace.current();
  const made = await namespace.createMacvtap({ parent: "enp0" });
  const held = [];
  try { for (;;) held.push(openSync("/dev/null")); } catch {}
  const outcome = await (async () => ${call})().then(() => "done", (error) => error);
  for (const fd of held) closeSync(fd);
  await namespace.deleteLink(made);
  const { code, reason, hint, leftBehind } = outcome;
  console.log(JSON.stringify({ code, reason, hint, leftBehind }));
`;

/** With a limit as a daemon may have, only lower. */
const limited = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"];

const calls = [
  "namespace.createTap({ persist: false })",
  'namespace.createTap({ name: "guest0" })',
  'namespace.createMacvtap({ parent: "enp0" })',
  "namespace.openMacvtap(made)",
  'flintap.NetworkNamespace.open("/proc/self/ns/net")',
  "flintap.NetworkNamespace.current().listLinks()",
];

for (const call of calls)
  needs(
    "tun",
    "macvtap",
    "veth",
    "proc-sys",
  )(`${call} says that it is the limit`, async () => {
    const before = await linkNames();
    const { stdout, stderr } = await runModule(module(call), { under: limited });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      code: "EMFILE",
      reason: "too-many-descriptors",
      hint: expect.stringContaining("RLIMIT_NOFILE"),
    });
    expect(await linkNames()).toEqual(before);
  });
