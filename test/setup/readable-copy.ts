/** What it takes to use the built package, for users who may not read the checkout. */
import { chmodSync, cpSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Copies it, with some more of the checkout, to where any user can read it. To be removed. */
export function readableCopy(...more: string[]): string {
  const copy = mkdtempSync(join(tmpdir(), "flintap-copy-"));
  chmodSync(copy, 0o755);
  const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  const modules = Object.keys(dependencies).map((name) => `node_modules/${name}`);
  for (const path of ["package.json", "dist", "build/Release/flintap.node", ...more, ...modules])
    cpSync(path, join(copy, path), { recursive: true });
  return copy;
}
