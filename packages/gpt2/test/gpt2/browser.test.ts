import { fileURLToPath } from "node:url";
import { build, type Rollup } from "vite";
import { describe, expect, it } from "vitest";

const ENTRY = fileURLToPath(new URL("../../src/index.ts", import.meta.url));

describe("a bundle for browsers", () => {
  it("needs no module of Node, and leaves the hub's download and the command line out", async () => {
    const missing: string[] = [];
    const output = (await build({
      configFile: false,
      logLevel: "silent",
      resolve: { conditions: ["gpt2-ts:source", "browser", "module"] },
      build: {
        write: false,
        minify: false,
        target: "es2022",
        lib: { entry: ENTRY, formats: ["es"] },
        rollupOptions: { onwarn: ({ message }) => missing.push(message) },
      },
    })) as Rollup.RollupOutput[];
    const chunks = output.flatMap(({ output: files }) => files).filter((file) => file.type === "chunk");
    const modules = chunks.flatMap((chunk) => Object.keys(chunk.modules));
    expect(modules.some((id) => id.endsWith("gpt2/src/gpt2.ts"))).toBe(true);
    expect(
      modules.filter((id) => /node:|browser-external|@huggingface|commander|\/cli\/|hub\/download/.test(id)),
    ).toEqual([]);
    for (const { code } of chunks)
      expect(code).not.toMatch(/(?:from|import\()\s*["'](?:node:)?(?:fs|os|path|crypto|stream)/);
    expect(missing).toEqual([]);
  });
});
