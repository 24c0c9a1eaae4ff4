/** One reply of HTTP/1.1, out of the bytes in which it comes. Pure. */

/** What was answered to {@link requestOverSocket}. */
export interface SocketReply {
  /** Such as 200. */
  status: number;
  /** Empty where there is none. */
  body: string;
}

/** Above it, who answers is no VMM's API. */
const longestHead = 65_536;
const longestBody = 2 ** 24;

/** What is no reply, in a clause. */
export class NoReply extends Error {}

interface Head {
  status: number;
  /** Bytes of the body; absent: up to the end of the connection. */
  length: number | undefined;
}

function readHead(text: string): Head {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1];
  if (status === undefined) throw new NoReply("its first line is no status line");
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  if (headers.has("transfer-encoding")) throw new NoReply("it has a transfer encoding");
  return { status: Number(status), length: lengthOf(Number(status), headers) };
}

/** A server that keeps the connection open without naming a length means that there is no body. */
function lengthOf(status: number, headers: ReadonlyMap<string, string>): number | undefined {
  if (status < 200 || status === 204 || status === 304) return 0;
  const text = headers.get("content-length");
  if (text === undefined)
    return headers.get("connection")?.toLowerCase() === "close" ? undefined : 0;
  if (!/^\d{1,15}$/.test(text)) throw new NoReply("its length is no number");
  if (Number(text) > longestBody) throw new NoReply("it is too long");
  return Number(text);
}

/**
 * The reply that these bytes are; undefined where more is to come. `isEnd`: nothing more comes.
 * Throws NoReply. Interim ones (1xx) are passed over.
 */
export function httpReply(bytes: Buffer, isEnd: boolean): SocketReply | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) {
    if (bytes.length > longestHead) throw new NoReply("its head is too long");
    if (isEnd) throw new NoReply("it was cut off");
    return undefined;
  }
  const { status, length } = readHead(bytes.toString("latin1", 0, end));
  const rest = bytes.subarray(end + 4);
  if (status < 200) return httpReply(rest, isEnd);
  if (rest.length > longestBody) throw new NoReply("it is too long");
  if (length === undefined ? isEnd : rest.length >= length)
    return { status, body: rest.toString("utf8", 0, length ?? rest.length) };
  if (isEnd) throw new NoReply("it was cut off");
  return undefined;
}
