/**
 * The system calls of a Node process, seen from outside by strace. A marker is a look at a path
 * that is not there: it stands in the trace where the JavaScript thread was when it gave it.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runModule } from "./child.js";

/** One system call, whole. */
export interface SystemCall {
  /** The thread. */
  tid: number;
  name: string;
  /** Its arguments and, unless the thread ended in it, its result, as strace writes them. */
  text: string;
}

/** What a child did. */
export interface Trace {
  /** The JavaScript thread. */
  javaScript: number;
  /** The threads that call themselves `flintap`, their senders of deletions, and those of watches. */
  operationThreads: number[];
  /** Those of sockets. */
  socketThreads: number[];
  /** The calls of every thread between the markers `begin NAME` and `end NAME`. */
  between(name: string): SystemCall[];
  /** What it wrote to its standard output. */
  stdout: string;
}

/** strace knows the protocol only of the sockets in its own namespace. */
const undecoded: Readonly<Record<string, string>> = {
  "0x10": "NEWLINK",
  "0x12": "GETLINK",
  "0x13": "SETLINK",
  "0x58": "NEWNSID",
  "0x5a": "GETNSID",
  "0x6c": "NEWLINKPROP",
};

export const isSend = ({ name }: SystemCall): boolean => /^send/.test(name);

/** The types of the messages in a send. */
export function messages({ text }: SystemCall): string[] {
  const types = text.matchAll(/nlmsg_type=(?:RTM_)?(\w+)/g);
  return Array.from(types, ([, type = ""]) => undecoded[type] ?? type);
}

/** The calls by which something can be changed. */
export const changing = ["sendmsg", "sendto", "sendmmsg", "ioctl", "open", "openat"];

/**
 * Whether a call changes something of a link, or may do so: a send with a message that is no look, any
 * ioctl, and a setting of the kernel's that is opened to be written.
 */
export function isChange(call: SystemCall): boolean {
  const { name, text } = call;
  if (isSend(call)) return messages(call).some((type) => !type.startsWith("GET"));
  const opensSetting = /^open/.test(name) && /"\/(proc|sys|dev\/net)\/.*O_(WRONLY|RDWR)/.test(text);
  return name === "ioctl" || opensSetting;
}

const markerFolder = "/flintap-marker/";

/** Text for {@link traceModule}: the statement, between its markers. */
export function marked(name: string, statement: string): string {
  return `mark("begin ${name}"); ${statement}; mark("end ${name}");`;
}

/** strace tells a call that another thread interrupts in two parts; joins them. */
function parse(output: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const unfinished = new Map<number, SystemCall>();
  for (const line of output.split("\n")) {
    const [, thread, rest = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const tid = Number(thread);
    const begun = unfinished.get(tid);
    const [, resumed] = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest) ?? [];
    if (resumed !== undefined && begun !== undefined) {
      begun.text += resumed;
      unfinished.delete(tid);
      continue;
    }
    const [, name, text] = /^(\w+)\((.*)$/.exec(rest) ?? [];
    if (name === undefined || text === undefined) continue; // a signal, or an exit
    const call = { tid, name, text: text.replace(/ <unfinished \.\.\.>$/, "") };
    if (call.text !== text) unfinished.set(tid, call);
    calls.push(call);
  }
  return calls;
}

/**
 * Runs an ES module under strace. It finds the package's exports in `flintap`, a handle in
 * `namespace`, and the function `mark` for what {@link marked} writes. Of `only` these calls, if any is
 * named, which is faster.
 */
export async function traceModule(body: string, only: readonly string[] = []): Promise<Trace> {
  const folder = mkdtempSync(join(tmpdir(), "flintap-trace-"));
  const output = join(folder, "trace");
  try {
    const { code, signal, stdout, stderr } = await runModule(
      `import { access, accessSync } from "node:fs";
       import * as flintap from "flintap";
       const mark = (name) => { try { accessSync("${markerFolder}" + name); } catch {} };
       // So that libuv's pool is there, and could do what it must not.
       await new Promise((done) => access("/", done));
       const namespace = flintap.NetworkNamespace.current();
       ${body}`,
      // Of a send it writes as many messages, too, and leaves out the others.
      { under: ["strace", ...followed(only), "--string-limit=4096", `--output=${output}`] },
    );
    if (code !== 0) throw new Error(`The traced child ended with ${signal ?? code}:\n${stderr}`);
    return { ...traceOf(parse(readFileSync(output, "utf8"))), stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What strace stops at: all calls, or some, where the others take no longer than they would anyhow. */
function followed(only: readonly string[]): string[] {
  const some = ["access", "prctl", ...only]; // the markers, and the names of threads
  return ["--follow-forks", ...(only.length > 0 ? ["--seccomp-bpf", `--trace=${some}`] : [])];
}

function traceOf(calls: SystemCall[]): Omit<Trace, "stdout"> {
  const place = (marker: string): number => {
    const found = calls.findIndex(({ text }) => text.includes(`"${markerFolder}${marker}"`));
    if (found < 0) throw new Error(`The trace has no marker "${marker}"`);
    return found;
  };
  const threads = (title: RegExp): number[] =>
    calls.filter(({ name, text }) => name === "prctl" && title.test(text)).map(({ tid }) => tid);
  return {
    javaScript: calls[0]?.tid ?? 0,
    operationThreads: threads(/"flintap(-delete|-watch)?"/),
    socketThreads: threads(/"flintap-socket"/),
    between: (name) => calls.slice(place(`begin ${name}`) + 1, place(`end ${name}`)),
  };
}
