/** The test projects: unit (no privileges), kernel, container, faults and e2e (in namespaces), types. */
import { fileURLToPath } from "node:url";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { namespaceObstacle } from "./test/setup/namespace.js";
import { networkNamespacePool } from "./test/setup/pool.js";

const testingAddon = fileURLToPath(new URL("build/testing/flintap.node", import.meta.url));

/** Generous: a sanitizer's build is many times slower, and so is a machine that is busy otherwise. */
const milliseconds = Number(process.env.FLINTAP_PATIENCE ?? 60_000);
const retry = Number(process.env.FLINTAP_RETRIES ?? 0);
const patience = { testTimeout: milliseconds, hookTimeout: milliseconds, retry };

/** A project whose files each get a network namespace, or one skip with the reason. */
function inNamespaces(
  name: string,
  include: string[],
  { env = {}, ...more }: TestProjectInlineConfiguration["test"] & object = {},
): TestProjectInlineConfiguration {
  if (namespaceObstacle() !== undefined)
    return { test: { name, include: ["test/setup/no-namespaces.test.ts"] } };
  return {
    test: {
      name,
      include,
      env,
      pool: networkNamespacePool,
      setupFiles: ["test/setup/worker.ts"],
      ...patience,
      ...more,
    },
  };
}

export default defineConfig({
  test: {
    // More than CI's two processors: much of the time is the kernel's own, waiting.
    maxWorkers: 5,
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], ...patience } },
      inNamespaces("kernel", ["test/kernel/**/*.test.ts", "test/examples/**/*.test.ts"]),
      inNamespaces("container", ["test/container/**/*.test.ts"]),
      inNamespaces("faults", ["test/faults/**/*.test.ts"], {
        env: { FLINTAP_ADDON: process.env.FLINTAP_ADDON ?? testingAddon },
      }),
      inNamespaces("e2e", ["test/e2e/**/*.test.ts"], {
        // A guest that boots takes a processor.
        maxWorkers: 2,
        // Vitest refuses projects with different numbers of workers side by side.
        sequence: { groupOrder: 1 },
        testTimeout: 180_000,
        hookTimeout: 180_000,
      }),
      {
        test: {
          name: "types",
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ["test/types/**/*.test-d.ts"],
            // Those are for `tsc`, which looks at every file.
            ignoreSourceErrors: true,
          },
        },
      },
    ],
  },
});
