import { defineConfig } from "vitest/config";

// No "gpt2-ts:source" condition here: what is tested is what is published, the built dist/ of each package.
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ["*.test.ts"],
    // Each browser computes on all cores.
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
