import { defineConfig } from "vitest/config";

// Tests import the packages by name; the "source" condition resolves them to src/, so no stale dist/ is ever tested.
export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "benchmarks/test/**/*.test.ts"],
    typecheck: {
      enabled: true,
      include: ["packages/*/test/**/*.test-d.ts"],
      tsconfig: "tsconfig.test.json",
      ignoreSourceErrors: true,
    },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
