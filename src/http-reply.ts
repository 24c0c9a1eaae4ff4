/** One reply of HTTP/1.1, out of the bytes in which it comes. Pure. */

/** What was answered to {@link requestOverSocket}. */
export interface SocketReply {
  /** Such as 200. */
  status: number;
  /** Empty where there is none. */
  body: string;
}

/** Above it, who answers is no VMM's API. Interim replies count. */
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
  const [, version, status] = /^HTTP\/(1\.[01]) (\d{3})(?: |$)/.exec(statusLine) ?? [];
  if (status === undefined) throw new NoReply("its first line is no status line");
  // A field may be there several times, which is the same as a list.
  const valuesOf = (field: string): string[] =>
    lines
      .filter((line) => line.slice(0, line.indexOf(":")).toLowerCase() === field)
      .flatMap((line) => line.slice(line.indexOf(":") + 1).split(","))
      .map((value) => value.trim().toLowerCase());
  if (valuesOf("transfer-encoding").length > 0) throw new NoReply("it has a transfer encoding");
  const isEmpty = /^(1..|204|304)$/.test(status);
  const length = isEmpty ? 0 : lengthOf(valuesOf("content-length"));
  if (length !== undefined) return { status: Number(status), length };
  // A server that keeps the connection open without naming a length means that there is no body.
  const connection = valuesOf("connection");
  const isKept = version === "1.1" || connection.includes("keep-alive");
  const ends = !isKept || connection.includes("close");
  return { status: Number(status), length: ends ? undefined : 0 };
}

function lengthOf(values: readonly string[]): number | undefined {
  const [text] = values;
  if (text === undefined) return undefined;
  if (values.some((value) => value !== text)) throw new NoReply("it has two lengths");
  if (!/^\d{1,15}$/.test(text)) throw new NoReply("its length is no number");
  if (Number(text) > longestBody) throw new NoReply("it is too long");
  return Number(text);
}

/**
 * The reply that these bytes are; undefined where more is to come. `isEnd`: nothing more comes.
 * Throws NoReply. Interim ones (1xx) are passed over.
 */
export function httpReply(bytes: Buffer, isEnd: boolean): SocketReply | undefined {
  let begin = 0;
  for (;;) {
    const end = bytes.indexOf("\r\n\r\n", begin);
    if ((end === -1 ? bytes.length : end) > longestHead) throw new NoReply("its head is too long");
    if (end === -1) break;
    const { status, length } = readHead(bytes.toString("latin1", begin, end));
    begin = end + 4;
    if (status >= 200) return withBody(status, length, bytes.subarray(begin), isEnd);
  }
  if (isEnd) throw new NoReply("it was cut off");
  return undefined;
}

function withBody(
  status: number,
  length: number | undefined,
  rest: Buffer,
  isEnd: boolean,
): SocketReply | undefined {
  if (rest.length > longestBody) throw new NoReply("it is too long");
  if (length === undefined ? isEnd : rest.length >= length)
    return { status, body: rest.toString("utf8", 0, length ?? rest.length) };
  if (isEnd) throw new NoReply("it was cut off");
  return undefined;
}
