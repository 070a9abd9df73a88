import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

// Tests import the packages by name; the "gpt2-ts:source" condition resolves them to src/, so no stale dist/ is ever tested.
export default defineConfig({
  resolve: { conditions: ["gpt2-ts:source"] },
  ssr: { resolve: { conditions: ["gpt2-ts:source"] } },
  test: {
    include: [
      "packages/*/test/**/*.test.ts",
      "benchmarks/test/**/*.test.ts",
      "tests/docs/**/*.test.ts",
      "playground/test/**/*.test.ts",
      "tests/kill/**/*.test.ts",
    ],
    typecheck: {
      enabled: true,
      include: ["packages/*/test/**/*.test-d.ts"],
      tsconfig: "tsconfig.test.json",
      ignoreSourceErrors: true,
    },
    // Vitest leaves one core free, of two too; and many of these tests wait for servers and processes.
    maxWorkers: Math.max(2, availableParallelism()),
    // Reference values are of this model, so that commands use it in tests, whatever model the shell names.
    env: { GPT2_MODEL: join(import.meta.dirname, "weights/shakespeare") },
    // For what hangs. No test takes long on a machine that is at rest.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What a test waits for comes late on a busy machine: a second, which is the default, is no limit for it.
    expect: { poll: { timeout: 50_000 } },
  },
});
