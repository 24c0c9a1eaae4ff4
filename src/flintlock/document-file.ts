/** From a file to the text in it, bounded whatever the file is: `/dev/zero`, a FIFO, 10 GB. */
import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { getSystemErrorMap } from "node:util";
import { untilAborted } from "../cancellation.js";
import { shown } from "../shown.js";
import { maxDocumentLength, tooLong } from "./document.js";
import { InvalidDocumentError } from "./invalid-document.js";

const hints: Readonly<Record<string, string>> = {
  ENOENT: "Check the path; a relative one begins in the working directory.",
  EACCES: "The mode of the file, or of a folder on the way to it, keeps this user out.",
  EISDIR: "This is a folder: name a file in it.",
  ENOTDIR: "Something on the way to the file is no folder: check the path.",
};

/**
 * A config or spec is in a file that can't be read. The message is one line: `the host's config
 * /etc/opt/flintlockd/config.yaml: no such file or directory (ENOENT)`.
 */
export class UnreadableDocumentError extends Error {
  /** Always `"UnreadableDocumentError"`. */
  override readonly name = "UnreadableDocumentError";
  /** The system's name for what is wrong, such as `ENOENT`. */
  readonly code: string;
  /** The system's number for it, negative as Node.js has it. */
  readonly errno: number;
  /** The file. */
  readonly path: string;
  /** What to do about it. */
  readonly hint: string;

  /**
   * @param document What was to be read, such as "the spec", and from where.
   * @param options With Node's error as the cause.
   */
  constructor(
    { what, path }: { what: string; path: string },
    options: { cause: NodeJS.ErrnoException },
  ) {
    const { cause } = options;
    const { code = "", errno = 0 } = cause;
    const [, words = cause.message] = getSystemErrorMap().get(errno) ?? [];
    super(shown(`${what} ${path}: ${words} (${code})`), options);
    this.code = code;
    this.errno = errno;
    this.path = path;
    this.hint =
      hints[code] ?? "Check the file and the disk it is on: the system could not read it.";
  }
}

/** UTF-8 has at most three bytes for a UTF-16 unit, and may begin with a mark of three. */
const mostBytes = 3 * maxDocumentLength + 3;

/** A document that is to be read. */
export interface DocumentPlace {
  /** What it is, for errors: "the spec". */
  what: string;
  /** The file, or what the stream is called. */
  path: string;
  /** Where it comes from, if not from the file. */
  stream?: Readable;
  /** Gives it up: the system may wait for ever for what others are to write. */
  signal?: AbortSignal;
}

/**
 * Reads a file or a stream as text.
 *
 * @throws {UnreadableDocumentError} The system can't read it.
 * @throws {InvalidDocumentError} It is too long, or no UTF-8.
 */
export async function readDocument(place: DocumentPlace): Promise<string> {
  const { path, signal } = place;
  signal?.throwIfAborted();
  const reading = readStart(place);
  const bytes = await (signal ? untilAborted(signal, reading, () => true) : reading);
  if (bytes.length > mostBytes) throw new InvalidDocumentError(path, [tooLong("more")]);
  const utf16 = { path: "line 1", expected: "UTF-8", received: "UTF-16" };
  if (isUtf16(bytes)) throw new InvalidDocumentError(path, [utf16]);
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes);
  const issue = { path: placeOfFault(bytes), expected: "UTF-8", received: "bytes that are none" };
  throw new InvalidDocumentError(path, [issue]);
}

/** The bytes of a document up to one more than are read, or a few. */
async function readStart(place: DocumentPlace): Promise<Buffer> {
  const { stream = createReadStream(place.path, { end: mostBytes }) } = place;
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > mostBytes) break;
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new UnreadableDocumentError(place, { cause: error });
  }
  return Buffer.concat(chunks);
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

/** Has UTF-16's byte order mark, or begins with a character of ASCII that takes two bytes. */
function isUtf16([first, second]: Buffer): boolean {
  if (first === undefined || second === undefined) return false;
  const isMark = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return isMark || (first === 0) !== (second === 0);
}

/** The line of the first bytes that a lenient reading replaces. */
function placeOfFault(bytes: Buffer): string {
  const lenient = Buffer.from(bytes.toString("utf8"));
  const at = bytes.findIndex((byte, index) => byte !== lenient[index]);
  return `line ${bytes.subarray(0, at).toString("latin1").split("\n").length}`;
}
