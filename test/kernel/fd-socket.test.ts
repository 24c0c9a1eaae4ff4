/** FdSocket: what passes through it, what it refuses, and what is left open. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { type Descriptor, type FdMessage, FdSocket, FlintapError } from "../../src/index.js";
import { needs } from "../setup/capabilities.js";
import { Peer } from "../setup/peer.js";
import { argumentError, refusal } from "../setup/refusal.js";

function target(fd: number | string | undefined): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}

/** Every socket and pipe that is open here. */
function open(): string[] {
  return readdirSync("/proc/self/fd")
    .map((fd) => `${fd} ${target(fd)}`)
    .filter((line) => /socket:|pipe:/.test(line))
    .sort();
}

/** Registers a test after which as much is open as before. */
function sound(name: string, body: () => Promise<void>, register = needs()): void {
  register(name, async () => {
    const before = open();
    await body();
    expect(open()).toEqual(before);
  });
}

/** The same for one with a peer in Python. */
function witnessed(name: string, body: () => Promise<void>): void {
  sound(name, body, needs("python"));
}

/** Both ends in this process. */
function bothEnds(): [FdSocket, FdSocket] {
  const { socket, peer } = FdSocket.pair();
  return [socket, FdSocket.adopt(peer)];
}

/** So many descriptors to send, whose other ends are closed already. */
async function some(count: number): Promise<Descriptor[]> {
  const pairs = Array.from({ length: count }, () => FdSocket.pair());
  await Promise.all(pairs.map(({ socket }) => socket.close()));
  return pairs.map(({ peer }) => peer);
}

function text(message: FdMessage | undefined): string | undefined {
  return message && Buffer.from(message.data).toString();
}

async function closeAll(descriptors: readonly Descriptor[] = []): Promise<void> {
  await Promise.all(descriptors.map((one) => one.close()));
}

/** What a call that failed in the middle of a message says. */
async function failureOf(call: Promise<unknown>): Promise<FlintapError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(FlintapError);
  return error as FlintapError;
}

/** More than a socket has room for. */
const much = Buffer.alloc(8 << 20, "x");

describe("two sockets", () => {
  sound("pass bytes and descriptors, and the sender's copies are closed", async () => {
    const [near, far] = bothEnds();
    const { socket: held, peer } = FdSocket.pair();
    const inode = target(peer.fd);
    await near.send("here", [peer]);
    expect(peer.fd).toBe(-1);
    const message = await far.receive();
    expect(text(message)).toBe("here");
    expect(message?.descriptors.map(({ fd }) => target(fd))).toEqual([inode]);
    const got = FdSocket.adopt(message?.descriptors[0] as Descriptor);
    await held.send("through what was sent");
    expect(text(await got.receive())).toBe("through what was sent");
    await near.close();
    expect(await far.receive()).toBeUndefined();
    expect(await far.receive()).toBeUndefined();
    await Promise.all([far, held, got].map((socket) => socket.close()));
  });

  sound("pass 253 descriptors at once, and more in more messages", async () => {
    const [near, far] = bothEnds();
    await near.send("a", await some(253));
    await near.send("b", await some(47));
    const [first, second] = [await far.receive(), await far.receive()];
    expect([text(first), first?.descriptors.length]).toEqual(["a", 253]);
    expect([text(second), second?.descriptors.length]).toEqual(["b", 47]);
    await Promise.all([first, second].map((message) => closeAll(message?.descriptors)));
    await Promise.all([near.close(), far.close()]);
  });

  sound("pass what is longer than there is room for, in both directions at once", async () => {
    const [near, far] = bothEnds();
    const whole = async (socket: FdSocket): Promise<{ bytes: number; descriptors: number }> => {
      const sum = { bytes: 0, descriptors: 0 };
      while (sum.bytes < much.length) {
        const message = await socket.receive({ maxBytes: 2 ** 20 });
        sum.bytes += message?.data.length ?? 0;
        sum.descriptors += message?.descriptors.length ?? 0;
        await closeAll(message?.descriptors);
      }
      return sum;
    };
    const sent = [near.send(much, await some(2)), far.send(much, await some(3))];
    const got = await Promise.all([whole(near), whole(far)]);
    expect(got.map(({ descriptors }) => descriptors)).toEqual([3, 2]);
    await Promise.all([...sent, near.close(), far.close()]);
  });

  sound("keep the order of the calls", async () => {
    const [near, far] = bothEnds();
    const received = [1, 2, 3].map(() => far.receive({ maxBytes: 1 }));
    await Promise.all(["a", "b", "c"].map((word) => near.send(word)));
    expect((await Promise.all(received)).map(text)).toEqual(["a", "b", "c"]);
    await Promise.all([near.close(), far.close()]);
  });
});

describe("what comes", () => {
  sound("is refused where it is more than asked for, and nothing stays open", async () => {
    const [near, far] = bothEnds();
    for (const maxDescriptors of [0, 1, 2]) {
      await near.send("x", await some(3));
      const error = await refusal(far.receive({ maxDescriptors }));
      expect(error).toMatchObject({
        reason: "too-many-descriptors",
        operation: "FdSocket.receive",
      });
    }
    await near.send("x", await some(3));
    await closeAll((await far.receive({ maxDescriptors: 3 }))?.descriptors);
    await Promise.all([near.close(), far.close()]);
  });

  witnessed("is close-on-exec, so that no other child has it", async () => {
    const [near, far] = bothEnds();
    const sent = await some(1);
    const inode = target(sent[0]?.fd);
    await near.send("x", sent);
    const message = await far.receive();
    await using child = Peer.python(
      'say(all=[os.path.realpath("/proc/self/fd/" + fd) for fd in os.listdir("/proc/self/fd")])',
    );
    const { all } = await child.hear();
    expect((all as string[]).filter((path) => path.endsWith(inode))).toEqual([]);
    await closeAll(message?.descriptors);
    await Promise.all([near.close(), far.close()]);
  });

  witnessed("comes from another program, also 300 descriptors of it", async () => {
    const { socket, peer } = FdSocket.pair();
    await using child = Peer.python(
      `s = socket.socket(fileno=3)
for count in (253, 47): socket.send_fds(s, [b"x"], [1] * count)
try: socket.send_fds(s, [b"x"], [1] * 254)
except OSError as error: say(refused=error.strerror)`,
      [peer.fd],
    );
    await peer.close();
    for (const count of [253, 47]) {
      const message = await socket.receive();
      expect(message?.descriptors).toHaveLength(count);
      await closeAll(message?.descriptors);
    }
    expect(await child.hear()).toEqual({ refused: "Invalid argument" });
    await socket.close();
  });
});

describe("a peer that is closed", () => {
  sound("ends what waits to receive", async () => {
    const [near, far] = bothEnds();
    const waiting = far.receive();
    await near.close();
    expect(await waiting).toBeUndefined();
    await far.close();
  });

  sound("before it has read everything is a failure once, then the end", async () => {
    const [near, far] = bothEnds();
    await near.send("unread", await some(1));
    await far.close();
    const error = await refusal(near.receive());
    expect(error).toMatchObject({ reason: "peer-closed", code: "ECONNRESET" });
    expect(await near.receive()).toBeUndefined();
    await near.close();
  });

  sound("refuses a send, and what was to go stays", async () => {
    const [near, far] = bothEnds();
    await far.close();
    const [sent] = (await some(1)) as [Descriptor];
    const error = await refusal(near.send("x", [sent]));
    expect(error).toMatchObject({
      reason: "peer-closed",
      code: "EPIPE",
      operation: "FdSocket.send",
    });
    expect(target(sent.fd)).toContain("socket:");
    await sent.close();
    await near.close();
  });

  sound("in the middle of a send leaves what was to go, and says what was sent", async () => {
    const [near, far] = bothEnds();
    const [sent] = (await some(1)) as [Descriptor];
    const sending = failureOf(near.send(much, [sent]));
    await closeAll((await far.receive({ maxBytes: 1 }))?.descriptors);
    await far.close();
    const { reason, leftBehind } = await sending;
    expect(reason).toBe("peer-closed");
    expect(leftBehind).toEqual([
      expect.stringMatching(/^\d+ of 8388608 bytes, sent to the peer with all descriptors$/),
    ]);
    expect(target(sent.fd)).toContain("socket:");
    expect((await refusal(near.send("behind"))).reason).toBe("closed");
    await sent.close();
    await near.close();
  });
});

describe("giving up", () => {
  const fired = AbortSignal.abort(new Error("given up"));

  sound("what has not begun does nothing", async () => {
    const [near, far] = bothEnds();
    const [sent] = (await some(1)) as [Descriptor];
    await expect(near.send("x", [sent], { signal: fired })).rejects.toThrow("given up");
    await expect(far.receive({ signal: fired })).rejects.toThrow("given up");
    await expect(FdSocket.connect("/nowhere", { signal: fired })).rejects.toThrow("given up");
    await near.send("y", [sent]);
    const message = await far.receive();
    expect(text(message)).toBe("y");
    await closeAll(message?.descriptors);
    await Promise.all([near.close(), far.close()]);
  });

  sound("a receive takes nothing, and the next one has what comes", async () => {
    const [near, far] = bothEnds();
    const controller = new AbortController();
    const waiting = far.receive({ signal: controller.signal });
    controller.abort(new Error("given up"));
    await expect(waiting).rejects.toThrow("given up");
    await near.send("later");
    expect(text(await far.receive())).toBe("later");
    await Promise.all([near.close(), far.close()]);
  });

  sound("a send in its middle says what was sent, and is the socket's last", async () => {
    const [near, far] = bothEnds();
    const controller = new AbortController();
    const sent = await some(1);
    const sending = failureOf(near.send(much, sent, { signal: controller.signal }));
    const part = await far.receive({ maxBytes: 1 });
    controller.abort();
    const error = await sending;
    expect(error).toMatchObject({ reason: "aborted", code: "ERR_FLINTAP_ABORTED" });
    expect(error.leftBehind).toHaveLength(1);
    expect((await refusal(near.send("behind"))).reason).toBe("closed");
    await closeAll([...sent, ...(part?.descriptors ?? [])]);
    await Promise.all([near.close(), far.close()]);
  });
});

describe("closing", () => {
  sound("fails what waits, and what comes after it", async () => {
    const [near, far] = bothEnds();
    const waiting = [far.receive(), far.send(much), far.receive()].map(failureOf);
    await Promise.all([far.close(), far.close()]);
    await far.close();
    for (const { reason, code } of await Promise.all(waiting))
      expect({ reason, code }).toEqual({ reason: "closed", code: "ERR_FLINTAP_CLOSED" });
    expect((await refusal(far.send("x"))).reason).toBe("closed");
    expect((await refusal(far.receive())).reason).toBe("closed");
    await near.close();
  });

  sound("happens at the end of a scope", async () => {
    const { socket, peer } = FdSocket.pair();
    await using near = socket;
    await using far = peer;
    expect(target(far.fd)).toContain("socket:");
    await near.send("x");
  });
});

describe("connecting", () => {
  /** A listening socket in Python that says who connects. */
  async function listening(address: string, body: (path: string) => Promise<void>): Promise<void> {
    await using child = Peer.python(`
s = socket.socket(socket.AF_UNIX)
s.bind(${address})
s.listen()
say(listening=True)
c, _ = s.accept()
data, fds, flags, _ = socket.recv_fds(c, 100, 10)
say(data=data.decode(), what=[what(fd)[:7] for fd in fds])
socket.send_fds(c, [b"thanks"], fds)
c.recv(1)`);
    await child.hear();
    await body(address);
    expect(await child.hear()).toEqual({ data: "hello", what: ["socket:", "socket:"] });
  }

  async function exchange(path: string): Promise<void> {
    await using socket = await FdSocket.connect(path);
    await socket.send("hello", await some(2));
    const message = await socket.receive();
    expect([text(message), message?.descriptors.length]).toEqual(["thanks", 2]);
    await closeAll(message?.descriptors);
  }

  witnessed("reaches a path of any length there is", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fl-"));
    try {
      const longest = join(folder, "s".repeat(106 - folder.length));
      expect(longest).toHaveLength(107);
      await listening(JSON.stringify(longest), () => exchange(longest));
      const error = await argumentError(FdSocket.connect(`${longest}s`));
      expect(error.code).toBe("ERR_INVALID_ARG_VALUE");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  witnessed("reaches an abstract name", async () => {
    await listening('"\\0flintap test"', () => exchange("\0flintap test"));
  });

  sound("says that nothing can be reached, and why", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fl-"));
    writeFileSync(join(folder, "file"), "");
    for (const [name, code] of [
      ["none", "ENOENT"],
      ["file", "ECONNREFUSED"],
      ["file/below", "ENOTDIR"],
    ]) {
      const path = join(folder, name as string);
      const error = await refusal(FdSocket.connect(path));
      expect(error).toMatchObject({ reason: "socket-unreachable", code, device: path });
    }
    rmSync(folder, { recursive: true });
  });
});

describe("adopting", () => {
  sound("refuses what is no connected unix stream socket, and leaves it", async () => {
    const [sent] = (await some(1)) as [Descriptor];
    const refused = expect.objectContaining({ reason: "not-adoptable" });
    for (const fd of [999_999, sent.fd]) expect(() => FdSocket.adopt(fd)).toThrow(refused);
    expect(() => FdSocket.adopt(-1)).toThrow(RangeError);
    const socket = FdSocket.adopt(sent);
    expect(sent.fd).toBe(-1);
    await sent.close();
    expect(() => FdSocket.adopt(sent)).toThrow(TypeError);
    expect(await socket.receive()).toBeUndefined();
    await socket.close();
  });
});

describe("wrong arguments", () => {
  sound("are refused before anything is done", async () => {
    const [near, far] = bothEnds();
    const [sent] = (await some(1)) as [Descriptor];
    const calls: [Promise<unknown>, string][] = [
      [near.send("", [sent]), "ERR_INVALID_ARG_VALUE"],
      [near.send("x", [sent, sent]), "ERR_INVALID_ARG_VALUE"],
      // @ts-expect-error
      [near.send(7, [sent]), "ERR_INVALID_ARG_TYPE"],
      // @ts-expect-error
      [near.send("x", [sent.fd]), "ERR_INVALID_ARG_TYPE"],
      // @ts-expect-error
      [near.send("x", [], { signl: undefined }), "ERR_INVALID_ARG_VALUE"],
      [near.send("x", Array(254).fill(sent)), "ERR_OUT_OF_RANGE"],
      [near.receive({ maxBytes: 0 }), "ERR_OUT_OF_RANGE"],
      [near.receive({ maxDescriptors: 254 }), "ERR_OUT_OF_RANGE"],
      [FdSocket.connect(""), "ERR_INVALID_ARG_VALUE"],
      [FdSocket.connect("/a\0b"), "ERR_INVALID_ARG_VALUE"],
    ];
    for (const [call, code] of calls) expect((await argumentError(call)).code).toBe(code);
    await near.send("");
    const sending = near.send("x", [sent]);
    expect((await argumentError(near.send("x", [sent]))).code).toBe("ERR_INVALID_ARG_VALUE");
    await sending;
    expect((await argumentError(near.send("x", [sent]))).code).toBe("ERR_INVALID_ARG_VALUE");
    const message = await far.receive();
    expect(text(message)).toBe("x");
    await closeAll(message?.descriptors);
    await Promise.all([near.close(), far.close()]);
  });
});
