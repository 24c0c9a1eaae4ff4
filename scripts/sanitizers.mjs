// How the sanitizers watch an addon inside Node: the environment they need, and what of their
// reports is ours. Node itself is not built with them, so some of what they see in it is false.
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { addonPath } from "./build-addon.mjs";
import { findTool, requireTool, root, runOrThrow } from "./toolchain.mjs";

const libraries = { asan: ["libasan.so", "libubsan.so"], tsan: ["libtsan.so"] };

const reportFolder = (variant) => join(root, "build/test", variant);

/** The environment for a run under a sanitizer; forgets the reports of the run before. */
export async function sanitizerEnvironment(variant) {
  requireTool("g++", "g++");
  const preload = [];
  for (const library of libraries[variant])
    preload.push((await runOrThrow("g++", [`-print-file-name=${library}`])).trim());
  rmSync(reportFolder(variant), { recursive: true, force: true });
  mkdirSync(reportFolder(variant), { recursive: true });
  // Some tests give up root's rights before they load the addon.
  chmodSync(reportFolder(variant), 0o1777);
  // The reports decide, not exit codes: at exit, those would also tell of Node's own leaks.
  const options = [`log_path=${join(reportFolder(variant), "report")}`, "exitcode=0"];
  return {
    FLINTAP_ADDON: addonPath(variant),
    // test/setup/namespace.ts preloads them into Node, and into nothing else.
    FLINTAP_PRELOAD: preload.join(" "),
    // What libasan guesses of the operation thread's storage in the addon is a wild address, on
    // which the leak checker crashes where process.exit() finds the thread alive.
    ASAN_OPTIONS: ["detect_leaks=1", "intercept_tls_get_addr=0", ...options].join(":"),
    UBSAN_OPTIONS: "print_stacktrace=1",
    TSAN_OPTIONS: options.join(":"),
  };
}

const isOurs = (text) => /flintap\.node|\/native\/(core|addon)\//.test(text);

/** Whether a stack comes to our code before it comes to Node's: whether our code did it itself. */
function isOurDeed(stack) {
  const frames = stack.split("\n").filter((line) => /^\s+#\d+ /.test(line));
  const ours = frames.findIndex(isOurs);
  const nodes = frames.findIndex((frame) => /\((\S*\/)?node\+0x/.test(frame));
  return ours >= 0 && (nodes < 0 || ours < nodes);
}

/** A data race's first two stacks are the accesses; other reports have one that matters. */
function isOurRace(part) {
  return part
    .split(/\n\s*\n/)
    .slice(0, 2)
    .some(isOurDeed);
}

/**
 * ThreadSanitizer takes a descriptor for memory, and does not see libuv close one, which is done by
 * a bare system call: when our code is given the number anew, it seems to race for it.
 */
function isReusedDescriptor(part) {
  const [, origin] = /Location is file descriptor \d+ created by (.*?\n)\n/s.exec(part) ?? [];
  return origin !== undefined && !isOurs(origin);
}

/** The process died of it, whosever deed it was. */
const isFatal = (part) => part.includes("ERROR: ThreadSanitizer");

/** The parts of one report that are about our code; a report of any other form is kept whole. */
function ourParts(report) {
  if (report.includes("ERROR: LeakSanitizer"))
    return report.split("\n\n").filter((part) => part.includes(" leak of ") && isOurDeed(part));
  if (report.includes("WARNING: ThreadSanitizer"))
    return report
      .split(/^={18}$/m)
      .filter((part) => isFatal(part) || (isOurRace(part) && !isReusedDescriptor(part)));
  return report.trim() === "" ? [] : [report];
}

/** ThreadSanitizer has no symbols of what was loaded late: names the frames in the addon. */
async function withSymbols(finding, addon) {
  const nameless = /<null> <null> \(flintap\.node\+(0x[0-9a-f]+)\)/g;
  const addresses = [...finding.matchAll(nameless)].map(([, address]) => address);
  if (addresses.length === 0 || !findTool("addr2line")) return finding;
  const args = ["--functions", "--demangle", "--pretty-print", "--exe", addon, ...addresses];
  const names = (await runOrThrow("addr2line", args)).split("\n");
  return finding.replace(nameless, () => names.shift());
}

/** What the last run under a sanitizer found in our code. */
export async function sanitizerFindings(variant) {
  const findings = readdirSync(reportFolder(variant))
    .map((name) => readFileSync(join(reportFolder(variant), name), "utf8"))
    .flatMap(ourParts);
  return Promise.all(findings.map((finding) => withSymbols(finding, addonPath(variant))));
}
