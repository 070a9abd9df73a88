import { defineConfig } from "vitest/config";

// Of what `npm run site` has built: `npm run check:site` does both.
export default defineConfig({
  root: import.meta.dirname,
  // Each browser computes on all cores.
  test: {
    include: ["**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 90_000,
    expect: { poll: { timeout: 50_000 } },
  },
});
