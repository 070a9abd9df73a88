import { defineConfig } from "vitest/config";

// No "source" condition here: what is tested is what is published, the built dist/ of each package.
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ["*.test.ts"],
    // Each browser computes on all cores.
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
