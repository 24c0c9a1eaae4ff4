/** Queues in the hands of other processes: by `stdio`, by a socket, and by a request to a VMM. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import {
  createMacvtap,
  createTap,
  type Descriptor,
  FdSocket,
  handOver,
  openMacvtap,
  requestOverSocket,
} from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { everybody, hexFrame, macvtapHeader, receiveUntil, send } from "../setup/frames.js";
import { addBridge, addParent, link, linkNames } from "../setup/iproute2.js";
import { Peer } from "../setup/peer.js";
import { refusal } from "../setup/refusal.js";
import { stage } from "../setup/stage.js";

const withTap = needs("tun", "proc-sys", "bridge", "python");
const withMacvtap = needs("veth", "macvtap", "proc-sys", "macvtap-queue", "python");

stage(async () => {
  await addParent();
  await addBridge();
});

const station = "02:00:00:00:00:07";

/** How many queues of taps and macvtaps this process has open. */
function queuesHere(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return /\/tap\d+|net\/tun|\/queue/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  }).length;
}

/** Waits for a link to go, which the kernel does behind the end of a process. */
async function gone(name: string): Promise<void> {
  while ((await link(name)) !== undefined);
}

/** Text of a Python program that says which tap a descriptor is of, sends a frame and awaits one. */
function useQueue(header: number): string {
  const frame = hexFrame({ to: everybody, from: station, text: "from the child" }, header);
  return `
os.write(fd, bytes.fromhex("${frame}"))
read_until(fd, "to the child")
say(received=True)
hear()`;
}

/** Checks that a child that runs `useQueue` exchanges frames with another device beside its own. */
async function exchange(child: Peer, fd: number, header = 0): Promise<void> {
  await receiveUntil(fd, "from the child", header);
  send(fd, { to: everybody, from: "02:00:00:00:00:08", text: "to the child" }, header);
  expect(await child.hear()).toEqual({ received: true });
}

describe("a queue handed over by stdio", () => {
  withTap("carries frames in the child alone, and the tap goes with it", async () => {
    await using other = await createTap({ bridge: "br0", persist: false });
    const tap = await createTap({ bridge: "br0", persist: false });
    const before = queuesHere();
    await using child = await handOver(tap.queues, (fds) =>
      Peer.python(`fd = 3\nsay(tap=tap(fd))${useQueue(0)}`, fds),
    );
    expect(queuesHere()).toBe(before - 1);
    expect(await child.hear()).toEqual({ tap: tap.name });
    await exchange(child, other.queues[0]?.fd as number);
    await child.end();
    await gone(tap.name);
  });

  withTap("is closed where the program is not there, and the tap is gone with it", async () => {
    const before = await linkNames();
    const tap = await createTap({ persist: false });
    const spawned = handOver(tap.queues, async ([fd]) => {
      const child = spawn("/nonexistent/vmm", { stdio: ["ignore", "ignore", "ignore", fd] });
      await once(child, "spawn");
    });
    await expect(spawned).rejects.toMatchObject({ code: "ENOENT" });
    expect(await linkNames()).toEqual(before);
  });

  withTap("goes to several children, and the tap goes with the last of them", async () => {
    const tap = await createTap({ persist: false, multiQueue: true, queues: 3 });
    const children = await Promise.all(
      tap.queues.map((queue) =>
        handOver([queue], (fds) =>
          Peer.python("say(tap=tap(3), open=os.listdir('/proc/self/fd'))\nhear()", fds),
        ),
      ),
    );
    for (const child of children) expect((await child.hear()).tap).toBe(tap.name);
    expect(queuesHere()).toBe(0);
    const last = children.pop() as Peer;
    for (const child of children) await child.end();
    expect(await link(tap.name)).toBeDefined();
    await last.end();
    await gone(tap.name);
  });
});

describe("a queue sent by a socket", () => {
  withTap("carries frames in a process that adopted the socket, and nowhere else", async () => {
    await using other = await createTap({ bridge: "br0", persist: false });
    const tap = await createTap({ bridge: "br0", persist: false, name: "sent0" });
    const { socket, peer } = FdSocket.pair();
    await using _ = socket;
    const frame = hexFrame({ to: everybody, from: station, text: "from node" });
    await using child = await handOver([peer], (fds) =>
      Peer.node(
        `
        const socket = FdSocket.adopt(3);
        const message = await socket.receive();
        const [queue] = message.descriptors;
        say({ text: Buffer.from(message.data).toString(), what: readlinkSync("/proc/self/fd/" + queue.fd) });
        writeSync(queue.fd, Buffer.from("${frame}", "hex"));
        await socket.receive();
        await queue.close();
        await socket.send("closed");
        `,
        fds,
      ),
    );
    const before = queuesHere();
    await socket.send("a tap", tap.queues);
    expect(queuesHere()).toBe(before - 1);
    expect(await child.hear()).toEqual({ text: "a tap", what: "/dev/net/tun" });
    await receiveUntil(other.queues[0]?.fd as number, "from node");
    expect(await link("sent0")).toBeDefined();
    await socket.send("close it");
    await socket.receive();
    expect(await link("sent0")).toBeUndefined();
  });

  withMacvtap("may be of a macvtap", async () => {
    const [nic, other] = [
      await createMacvtap({ parent: "enp0" }),
      await createMacvtap({ parent: "enp0" }),
    ];
    await using queue = await openMacvtap(other);
    const { socket, peer } = FdSocket.pair();
    await using _ = socket;
    await using child = await handOver([peer], (fds) =>
      Peer.python(
        `s = socket.socket(fileno=3)
_, (fd,), _, _ = socket.recv_fds(s, 100, 10)${useQueue(macvtapHeader)}`,
        fds,
      ),
    );
    await socket.send("x", [await openMacvtap(nic)]);
    expect(queuesHere()).toBe(1);
    await exchange(child, queue.fd, macvtapHeader);
    await (await openMacvtap(nic)).close();
  });
});

/** A VMM's API socket in Python: answers one request after the other as it is told. */
async function vmm(body: (path: string, child: Peer) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "fl-"));
  const path = join(folder, "api.sock");
  try {
    await using child = Peer.python(`
import re
def whole(text):
  head, end, body = text.partition(b"\\r\\n\\r\\n")
  length = re.search(b"Content-Length: ([0-9]+)", head)
  return end and len(body) >= (int(length[1]) if length else 0)
held = []
s = socket.socket(socket.AF_UNIX)
s.bind(${JSON.stringify(path)})
s.listen()
say(listening=True)
while True:
  answer = json.loads(hear())
  c, _ = s.accept()
  text, fds = b"", []
  while not whole(text):
    data, got, _, _ = socket.recv_fds(c, 1024, 253)
    if not data: break
    if got: say(with_first=not text)
    text, fds = text + data, fds + got
  say(text=text.decode(), taps=[tap(fd) for fd in fds])
  held += fds
  # Who gives up ends the connection, whatever of the answer is under way.
  try:
    for part in answer: c.sendall(part.encode())
    c.recv(1)
  except ConnectionError: pass
  c.close()`);
    await child.hear();
    await body(path, child);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function reply(status: string, body: string): string {
  return `HTTP/1.1 ${status} \r\nServer: API\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

describe("a queue in a request to a VMM", () => {
  withTap("is the VMM's with status 200 and 204, and closed here", async () => {
    await vmm(async (path, child) => {
      const added = '{"id":"eth1","bdf":"0000:00:06.0"}';
      for (const [answer, expected] of [
        [reply("200", added).match(/[\s\S]{1,7}/g), { status: 200, body: added }],
        [["HTTP/1.1 204 \r\nServer: API\r\n\r\n"], { status: 204, body: "" }],
      ] as const) {
        const tap = await createTap({ persist: false, vnetHeader: true });
        child.tell(JSON.stringify(answer));
        const body = JSON.stringify({ id: "eth1", note: "ü".repeat(2_000) });
        const request = { path: "/api/v1/vm.add-net", body, descriptors: tap.queues };
        expect(await requestOverSocket(path, request)).toEqual(expected);
        expect(tap.queues[0]?.fd).toBe(-1);
        expect(queuesHere()).toBe(0);
        expect(await child.hear()).toEqual({ with_first: true });
        const { text, taps } = await child.hear();
        expect(taps).toEqual([tap.name]);
        expect(text).toBe(
          `PUT /api/v1/vm.add-net HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
        expect(await link(tap.name)).toBeDefined();
      }
    });
  });

  withTap("stays here with any other status, whose text is the caller's", async () => {
    await vmm(async (path, child) => {
      await using tap = await createTap({ persist: false });
      child.tell(JSON.stringify([reply("400 Bad Request", '["no such VM"]')]));
      const request = { path: "/api/v1/vm.add-net", body: "{}", descriptors: tap.queues };
      const answered = await requestOverSocket(path, request);
      expect(answered).toEqual({ status: 400, body: '["no such VM"]' });
      expect(queuesHere()).toBe(1);
    });
  });

  withTap("stays here where no reply comes", async () => {
    await vmm(async (path, child) => {
      await using tap = await createTap({ persist: false });
      const descriptors: readonly Descriptor[] = tap.queues;
      const request = { path: "/api/v1/vm.add-net", body: "{}", descriptors };
      const reason = new Error("waited long enough");
      for (const part of ["", "HTTP/1.1 200"]) {
        child.tell(JSON.stringify([part]));
        const controller = new AbortController();
        const { signal } = controller;
        const asked = requestOverSocket(path, { ...request, signal }).catch(
          (thrown: unknown) => thrown,
        );
        // The queue, then the whole request: given up before that, the VMM would have half of it.
        for (const _ of ["queue", "text"]) await child.hear();
        controller.abort(reason);
        expect(await asked).toBe(reason);
        expect(queuesHere()).toBe(1);
      }
      child.tell(JSON.stringify(["SSH-2.0\r\n\r\n"]));
      expect(await refusal(requestOverSocket(path, request))).toMatchObject({
        reason: "invalid-reply",
        operation: "requestOverSocket",
        step: "read the reply: its first line is no status line",
      });
      expect(queuesHere()).toBe(1);
      const unreachable = await refusal(requestOverSocket(`${path}.none`, request));
      expect(unreachable).toMatchObject({
        reason: "socket-unreachable",
        operation: "requestOverSocket",
      });
      expect(queuesHere()).toBe(1);
    });
  });

  withTap("asks without queues and body as well", async () => {
    await vmm(async (path, child) => {
      child.tell(JSON.stringify([reply("200 OK", '{"version":"51"}')]));
      const answered = await requestOverSocket(path, { path: "/api/v1/vmm.ping" });
      expect(answered).toEqual({ status: 200, body: '{"version":"51"}' });
      expect((await child.hear()).text).toBe(
        "GET /api/v1/vmm.ping HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n",
      );
    });
  });
});
