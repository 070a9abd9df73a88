import { defineConfig } from "vitest/config";

// Of what `npm run site` has built: `npm run check:site` does both.
export default defineConfig({
  root: import.meta.dirname,
  test: { include: ["**/*.test.ts"], testTimeout: 120_000, hookTimeout: 30_000 },
});
