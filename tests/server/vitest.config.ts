import { defineConfig } from "vitest/config";

// No "gpt2-ts:source" condition here: what is tested is what is published, the built command and packages.
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ["*.test.ts"],
    env: { GPT2_MODEL: "" },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
