/** One request of HTTP/1.1 over a unix socket, with descriptors beside it. */
import {
  abortSignal,
  argumentError,
  arrayOf,
  type Check,
  type ChecksFor,
  object,
  oneOf,
  string,
} from "./check.js";
import { type Descriptor, descriptor } from "./descriptor.js";
import { FlintapError } from "./error.js";
import { FdSocket, loanOf, sendLent } from "./fd-socket.js";
import { httpReply, NoReply, type SocketReply } from "./http-reply.js";

/** For {@link requestOverSocket}. */
export interface SocketRequest {
  /** Default: `"GET"`, and `"PUT"` where there is a body. */
  method?: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  /** Such as `/api/v1/vm.add-net`. */
  path: string;
  /** JSON text. Default: no body. */
  body?: string;
  /** Queues, or other descriptors, up to 253. Default: none. */
  descriptors?: readonly Descriptor[];
  /** Gives the request up: the promise rejects with its `reason`. */
  signal?: AbortSignal;
}

const call = "requestOverSocket";

const target: Check<string> = (value, place) => {
  const text = string(value, place);
  const expected = "a path that begins with '/', in ASCII without spaces,";
  if (!/^\/[!-~]*$/.test(text))
    throw argumentError("ERR_INVALID_ARG_VALUE", expected, place, value);
  return text;
};

const requestOptions = object(
  {
    method: oneOf("GET", "PUT", "POST", "PATCH", "DELETE"),
    path: target,
    body: string,
    descriptors: arrayOf(descriptor),
    signal: abortSignal,
  } satisfies ChecksFor<SocketRequest>,
  ["path"],
);

function textOf({ method, path, body }: Pick<SocketRequest, "method" | "path" | "body">): string {
  const head = [
    `${method ?? (body === undefined ? "GET" : "PUT")} ${path} HTTP/1.1`,
    "Host: localhost",
    "Accept: application/json",
  ];
  if (body !== undefined)
    head.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`);
  return `${head.join("\r\n")}\r\n\r\n${body ?? ""}`;
}

async function replyBy(socket: FdSocket, signal: AbortSignal | undefined): Promise<SocketReply> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    // Nobody asked for descriptors.
    const message = await socket.receive({ maxDescriptors: 0, ...(signal && { signal }) });
    if (message !== undefined) bytes = Buffer.concat([bytes, message.data]);
    const reply = httpReply(bytes, message === undefined);
    if (reply !== undefined) return reply;
  }
}

function errorOf(error: unknown): unknown {
  if (error instanceof FlintapError) return FlintapError.again(error, { operation: call });
  if (!(error instanceof NoReply)) return error;
  const step = `read the reply: ${error.message}`;
  const facts = { errno: 0, reason: "invalid-reply", operation: call, step } as const;
  return new FlintapError(facts, { cause: error });
}

/**
 * Makes one HTTP request over a unix socket, the descriptors as ancillary data (`SCM_RIGHTS`) of its
 * first bytes, and gives the reply, whatever its status. This is how Cloud Hypervisor takes queues
 * while it runs, in `vm.add-net` and `vm.restore`:
 *
 * ```ts
 * const { status, body } = await requestOverSocket("/run/vm1.sock", {
 *   path: "/api/v1/vm.add-net",
 *   body: JSON.stringify({ id: "eth1", mac: nic.mac }),
 *   descriptors: [await openMacvtap(nic)],
 * });
 * if (status >= 300) throw new Error(body);
 * ```
 *
 * With a status from 200 to 299, the descriptors have another owner and are closed here, as by
 * `close()`. With any other, and where the promise rejects, they are open here and the caller's; the
 * other end may still have copies. Where no reply came, the request may have had its effect.
 *
 * Rejects with reason `"socket-unreachable"`, `"peer-closed"`, `"invalid-reply"`,
 * `"too-many-descriptors"` and `"kernel"`, and with the signal's reason.
 *
 * @throws {TypeError} A descriptor is closed already, is being sent, or is named twice.
 */
export async function requestOverSocket(
  socketPath: string,
  request: SocketRequest,
): Promise<SocketReply> {
  const checked = requestOptions(request, { call, argument: "request" });
  const { signal } = checked;
  const loan = loanOf(checked.descriptors ?? [], call, "descriptors");
  try {
    await using socket = await FdSocket.connect(socketPath, signal === undefined ? {} : { signal });
    await sendLent(socket, Buffer.from(textOf(checked)), loan, signal);
    const reply = await replyBy(socket, signal);
    if (reply.status >= 200 && reply.status < 300) await loan.close();
    else loan.giveBack();
    return reply;
  } catch (error) {
    loan.giveBack();
    throw errorOf(error);
  }
}
