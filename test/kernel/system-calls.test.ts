/**
 * What the kernel is asked for, seen from outside: how often, in which order, on which thread. The
 * sequences here are those that docs/architecture.md shows.
 */
import { beforeAll, describe, expect } from "vitest";
import { type Capability, missing, needs } from "../setup/capabilities.js";
import { addBridge, addParent } from "../setup/iproute2.js";
import { otherNamespace } from "../setup/other-namespace.js";
import {
  isSend,
  marked,
  messages,
  type SystemCall,
  type Trace,
  traceModule,
} from "../setup/strace.js";

const needed: Capability[] = ["root", "strace", "veth", "bridge", "macvtap", "tun", "proc-sys"];

/** What is traced, by name; later ones use what earlier ones made. */
const statements = {
  createMacvtap: 'const macvtap = await namespace.createMacvtap({ parent: "enp0" })',
  createTap: "const tap = await namespace.createTap()",
  "createTap on a bridge":
    'const port = await namespace.createTap({ bridge: "br0", isolated: true, learning: false })',
  "createTap with several queues":
    "const queued = await namespace.createTap({ persist: false, multiQueue: true, queues: 2 })",
  createBridge: "const bridge = await namespace.createBridge()",
  createVeth: "const [veth] = await namespace.createVeth()",
  attachToBridge: 'await namespace.attachToBridge(tap, "br0", { hairpin: true })',
  detachFromBridge: "await namespace.detachFromBridge(tap)",
  getLink: "await namespace.getLink(macvtap)",
  listLinks: "await namespace.listLinks()",
  openMacvtap: "const guest = await namespace.openMacvtap(macvtap)",
  openTap: "const host = await namespace.openTap(tap)",
  "close of queues": "await Promise.all([guest, host, ...queued.queues].map((one) => one.close()))",
  "createMacvtap with a parent elsewhere": "await blue.createMacvtap({ parent })",
  "createMacvtap with a parent elsewhere, again": "await blue.createMacvtap({ parent })",
  setLink: "await namespace.setLink(tap, { mtu: 1_400, txQueueLength: 500 })",
  moveLink: "await namespace.moveLink(tap, blue)",
  "NetworkNamespace.open": "const green = await flintap.NetworkNamespace.open({ fd: elsewhere })",
  "close of a handle": "await green.close()",
  "beginning of a watch": "const watch = namespace.watchLinks(); await watch.ready",
  "close of a watch": "await watch.close()",
  // What is called while another operation runs, runs together.
  deleteLinks: "void namespace.createBridge(); await namespace.deleteLinks([bridge, veth, port])",
  deleteLink: "await namespace.deleteLink(macvtap)",
  "deleteLink, several times":
    "for (const tap of await Promise.all([1, 2, 3, 4, 5].map(() => namespace.createTap()))) await namespace.deleteLink(tap)",
} as const;

type Statement = keyof typeof statements;

let trace: Trace;

beforeAll(async () => {
  if (needed.some((capability) => missing(capability) !== undefined)) return;
  await addParent();
  await addBridge();
  await using other = await otherNamespace();
  // The host's facts are asked for by the first create of a handle, once.
  trace = await traceModule(
    `await namespace.createBridge();
     const parent = await namespace.getLink("enp0");
     const blue = await flintap.NetworkNamespace.open({ pid: ${other.pid} });
     await blue.createBridge();
     const { openSync } = await import("node:fs");
     const elsewhere = openSync("/proc/${other.pid}/ns/net");
     ${Object.entries(statements)
       .map(([name, statement]) => marked(name, statement))
       .join("\n")}`,
  );
});

/** The sends of a statement, each as its messages. */
function sends(statement: Statement): string[][] {
  return trace.between(statement).filter(isSend).map(messages);
}

/** glibc's malloc counts the processors once: in whichever thread a process's ninth arena is made. */
const ofMalloc = "/sys/devices/system/cpu/online";

/** A call of the core in words: what is sent, opened or set. Nothing for what these come with. */
function inWords(call: SystemCall): string[] {
  const { name, text } = call;
  if (isSend(call)) return [`send ${messages(call).join(" ")}`];
  if (name === "setns") return [name];
  if (name === "ioctl") return [/TUN\w+/.exec(text)?.[0] ?? text];
  if (name !== "openat") return [];
  const [, path = ""] = /"([^"]+)"/.exec(text) ?? [];
  if (path === ofMalloc) return [];
  return [`open ${path.replace(/(conf|net)\/(fl\w+)\//, "$1/LINK/").replace(/tap\d+/g, "tapN")}`];
}

function script(statement: Statement): string[] {
  return trace
    .between(statement)
    .filter(({ tid }) => trace.operationThreads.includes(tid))
    .flatMap(inWords);
}

const closeIPv6 = "open /proc/sys/net/ipv6/conf/LINK/disable_ipv6";
const setUp = "send SETLINK GETLINK";

describe("the kernel is asked", () => {
  const asked = needs(...needed);

  asked("for a macvtap by two sends beside the look at its parent", () => {
    expect(script("createMacvtap")).toEqual([
      "send GETLINK GETLINK",
      "send NEWLINK NEWLINKPROP SETLINK",
      closeIPv6,
      setUp,
    ]);
  });

  asked("for a tap by two sends, and it stays only after the last one", () => {
    expect(script("createTap")).toEqual([
      "open /dev/net/tun",
      "TUNSETIFINDEX",
      "TUNSETIFF",
      "TUNSETOWNER",
      "send NEWLINKPROP SETLINK SETLINK",
      closeIPv6,
      setUp,
      "TUNSETPERSIST",
    ]);
  });

  asked("for a tap on a bridge, with port settings, by two sends beside the look at it", () => {
    expect(sends("createTap on a bridge")).toEqual([
      ["GETLINK"],
      ["NEWLINKPROP", "SETLINK", "SETLINK", "SETLINK", "NEWLINK"],
      ["SETLINK", "GETLINK"],
    ]);
  });

  asked("for the further queues of a tap before it is read back", () => {
    expect(script("createTap with several queues")).toEqual([
      "open /dev/net/tun",
      "TUNSETIFINDEX",
      "TUNSETIFF",
      "TUNSETOWNER",
      "open /dev/net/tun",
      "TUNSETIFF",
      "send NEWLINKPROP SETLINK SETLINK NEWQDISC",
      closeIPv6,
      setUp,
    ]);
  });

  asked("for a bridge by two sends beside a look whether its index is free", () => {
    expect(script("createBridge")).toEqual([
      "send GETLINK",
      "send NEWLINK NEWLINKPROP SETLINK",
      "open /proc/sys/net/ipv6/conf/LINK/accept_ra",
      setUp,
    ]);
  });

  asked("for both ends of a veth by two sends beside a look whether their indexes are free", () => {
    expect(script("createVeth")).toEqual([
      "send GETLINK GETLINK",
      "send NEWLINK NEWLINKPROP SETLINK NEWLINKPROP SETLINK",
      "send SETLINK SETLINK GETLINK GETLINK",
    ]);
  });

  asked("to attach and to detach by one send beside the look at the port", () => {
    expect(script("attachToBridge")).toEqual([
      "send GETLINK GETLINK",
      "send SETLINK NEWLINK GETLINK",
    ]);
    expect(script("detachFromBridge")).toEqual(["send GETLINK", "send SETLINK GETLINK"]);
  });

  asked("for one link, and for all, by one send", () => {
    expect(script("getLink")).toEqual(["send GETLINK"]);
    expect(script("listLinks")).toEqual(["send GETLINK"]);
  });

  asked("to delete by one send beside the look at whose it is", () => {
    expect(script("deleteLink")).toEqual(["send GETLINK", "send DELLINK"]);
  });

  asked("to delete many by a group of them, and a bridge by itself", () => {
    expect(sends("deleteLinks").slice(sends("createBridge").length)).toEqual([
      ["GETLINK", "GETLINK", "GETLINK"],
      ["SETLINK", "SETLINK"],
      ["DELLINK"],
      ["DELLINK"],
    ]);
  });

  asked("to delete by another thread, for which the next delete does not wait", () => {
    const senders = trace
      .between("deleteLink, several times")
      .filter((call) => isSend(call) && messages(call).includes("DELLINK"))
      .map(({ tid }) => tid);
    expect(senders).toHaveLength(5);
    expect(senders).not.toContain(trace.operationThreads[0]);
    // The first was still in the kernel when another was needed.
    expect(new Set(senders).size).toBeGreaterThan(1);
  });

  asked("for a macvtap whose parent is elsewhere after the number of that namespace", () => {
    const create = ["send GETLINK GETLINK", "send NEWLINK NEWLINKPROP SETLINK", closeIPv6, setUp];
    expect(script("createMacvtap with a parent elsewhere")).toEqual([
      "send GETNSID",
      "send NEWNSID GETNSID",
      ...create,
    ]);
    expect(script("createMacvtap with a parent elsewhere, again")).toEqual([
      "send GETNSID",
      ...create,
    ]);
  });

  asked("to move by one send, after which a thread over there sets the link up", () => {
    expect(script("moveLink")).toEqual([
      "send GETLINK",
      closeIPv6,
      "send SETLINK",
      "setns",
      closeIPv6,
      setUp,
    ]);
    const entered = trace.between("moveLink").filter(({ name }) => name === "setns");
    expect(entered.map(({ tid }) => tid)).not.toContain(trace.operationThreads[0]);
  });

  asked("to change a link beside the look at whose it is, with a lower MTU last", () => {
    expect(script("setLink")).toEqual(["send GETLINK", "send SETLINK", "send SETLINK GETLINK"]);
  });

  asked("to open a namespace by entering it, and nothing else", () => {
    expect(script("NetworkNamespace.open")).toEqual(["setns", "open /proc/thread-self/ns/net"]);
  });

  asked("for a queue of a tap between two looks at whose it is", () => {
    expect(script("openTap")).toEqual([
      "send GETLINK",
      "open /dev/net/tun",
      "TUNSETIFF",
      "send GETLINK",
    ]);
  });
});

const statementNames = Object.keys(statements) as Statement[];

describe("the kernel is asked for many of one tick", () => {
  const many = needs(...needed);
  const count = 100;

  many("by few sends, not by some for each", async () => {
    const inOneTick = (call: string) =>
      `await Promise.all(Array.from({ length: ${count} }, () => namespace.${call}))`;
    const traced = await traceModule(
      `await namespace.createBridge();
       ${marked("macvtaps", inOneTick('createMacvtap({ parent: "enp0" })'))}
       ${marked("taps", inOneTick('createTap({ bridge: "br0" })'))}
       ${marked("links", inOneTick('getLink("enp0")'))}`,
    );
    for (const what of ["macvtaps", "taps", "links"]) {
      const calls = traced.between(what);
      // The thread begins with the first when only that has arrived.
      expect(calls.filter(isSend).length).toBeLessThan(count / 2);
      const received = calls.filter(({ name }) => name === "recvmmsg").length;
      expect(received).toBeLessThan(count * 2);
    }
  });
});

/** Calls that an event loop must not wait for: to the network, to devices, and files that are neither. */
function concernsKernel({ name, text }: SystemCall): boolean {
  if (/^(socket|bind|connect|send|recv|ioctl|setsockopt|fs(open|config|mount)|mknod)/.test(name))
    return true;
  return /^(open|stat|newfstatat|mkdir|unlink)/.test(name) && /"\/(proc|sys|dev)\//.test(text);
}

describe("between a call and its settling", () => {
  const seen = needs(...needed);

  for (const name of statementNames)
    seen(`only the operation thread talks to the kernel: ${name}`, () => {
      const calls = trace.between(name);
      const others = calls.filter(({ tid }) => !trace.operationThreads.includes(tid));
      expect(others.filter(concernsKernel)).toEqual([]);
      expect(calls.some(concernsKernel)).toBe(!name.startsWith("close of"));
      // The JavaScript thread is among those looked at: it has waited there.
      expect(others.some(({ tid }) => tid === trace.javaScript)).toBe(true);
    });

  seen("the devices are closed on the operation thread", () => {
    const opened: Statement[] = ["createTap with several queues", "openMacvtap", "openTap"];
    const queues = opened
      .flatMap((name) => trace.between(name))
      .filter(
        ({ name, text }) => name === "openat" && /"(\/dev\/net\/tun|(\/dev\/)?tap\d+)"/.test(text),
      )
      .map(({ text }) => /= (\d+)$/.exec(text)?.[1] ?? "");
    expect(queues).toHaveLength(4);
    const calls = trace.between("close of queues");
    // The first close of each: a number that is free may be used anew.
    const closers = queues.map(
      (fd) => calls.find(({ name, text }) => name === "close" && text.startsWith(`${fd})`))?.tid,
    );
    expect(closers).toEqual(queues.map(() => trace.operationThreads[0]));
  });

  seen("every descriptor is made to be closed on exec", () => {
    const made = statementNames
      .flatMap((name) => trace.between(name))
      .filter(({ tid }) => trace.operationThreads.includes(tid))
      .filter(({ name }) => /^(open|openat|socket|fsopen|fsmount|eventfd2?|dup3?)$/.test(name));
    expect(made.length).toBeGreaterThan(10);
    expect(made.filter(({ text }) => !text.includes("CLOEXEC"))).toEqual([]);
  });
});

/** Text: a socket in which the last queue of a tap lies unread, and when it is closed. */
const filledSocket = `
  import { readlinkSync } from "node:fs";
  const filled = async () => {
    const { socket, peer } = flintap.FdSocket.pair();
    (globalThis.held ??= []).push(socket);
    const path = "/proc/self/fd/" + peer.fd;
    const file = () => { try { return readlinkSync(path); } catch { return ""; } };
    const before = file();
    const { queues } = await namespace.createTap({ persist: false });
    await socket.send("x", queues);
    return { far: flintap.FdSocket.adopt(peer), isClosed: () => file() !== before };
  };
`;

describe("a socket in which a queue lies unread is closed on its own thread", () => {
  const closed = needs("root", "strace", "tun", "proc-sys");

  /** The thread that closed the second end of the pair that is made in the body. */
  async function expectOwnThread(imports: string, body: string): Promise<void> {
    const traced = await traceModule(`${imports}\n${marked("life", body)}`);
    const calls = traced.between("life");
    const made = calls.findIndex(({ name }) => name === "socketpair");
    const fd = /\[\d+, (\d+)\]/.exec(calls[made]?.text ?? "")?.[1];
    const close = calls
      .slice(made)
      .find(({ name, text }) => name === "close" && text.startsWith(`${fd})`));
    expect(traced.socketThreads).toContain(close?.tid);
  }

  closed("by close()", async () => {
    await expectOwnThread(filledSocket, "const { far } = await filled(); await far.close();");
  });

  closed("when it is collected", async () => {
    await expectOwnThread(
      `${filledSocket}
       import { setFlagsFromString } from "node:v8";
       import { runInNewContext } from "node:vm";
       setFlagsFromString("--expose-gc");
       const gc = runInNewContext("gc");
       const nextTurn = () => new Promise((resolve) => setImmediate(resolve));`,
      `const isClosed = await (async () => (await filled()).isClosed)();
       while (!isClosed()) { gc(); await nextTurn(); }`,
    );
  });

  closed("at the end of a worker", async () => {
    const text = `
      import { parentPort } from "node:worker_threads";
      import * as flintap from "flintap";
      const namespace = flintap.NetworkNamespace.current();
      ${filledSocket}
      globalThis.far = (await filled()).far;
      parentPort.postMessage("filled");
      setInterval(() => {}, 1_000);`;
    await expectOwnThread(
      `import { once } from "node:events";
       import { Worker } from "node:worker_threads";
       const options = { eval: true, execArgv: ["--input-type=module"] };`,
      `const worker = new Worker(${JSON.stringify(text)}, options);
       await once(worker, "message");
       await worker.terminate();`,
    );
  });
});
