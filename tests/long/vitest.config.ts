import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const root = join(import.meta.dirname, "..", "..");
const hour = 3_600_000;

/**
 * The tests of properties, over many more values than `npm test` draws (LONG_TIMES says how many times as many), and those that need
 * gigabytes or minutes.
 */
export default defineConfig({
  root,
  resolve: { conditions: ["gpt2-ts:source"] },
  ssr: { resolve: { conditions: ["gpt2-ts:source"] } },
  test: {
    include: [
      ...filesWithProperties(),
      "tests/long/*.test.ts",
      "tests/kill/*.test.ts",
      "tests/server/long/*.test.ts",
      "packages/gpt2/test/hub/{hostile,resume}.test.ts",
    ],
    setupFiles: [join(import.meta.dirname, "more-runs.ts")],
    env: { KILLS: process.env["KILLS"] ?? "200", GPT2_MODEL: join(root, "weights/shakespeare") },
    testTimeout: 2 * hour,
    hookTimeout: hour,
  },
});

function filesWithProperties(): string[] {
  const names = readdirSync(join(root, "packages"), { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => /^[^/\\]+[/\\]test[/\\].*\.test\.ts$/.test(name))
    .map((name) => join("packages", name).replaceAll("\\", "/"))
    .filter((name) => readFileSync(join(root, name), "utf8").includes('"fast-check"'));
}
