import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { STORIES } from "../../benchmarks/src/paths.ts";
import { type Sent, useLibrary } from "./support/alone.ts";
import { useServer } from "./support/server.ts";

const FOLDER = join(import.meta.dirname, "examples");

/** Of docs/serving.md, which quotes them; and what each asks for. */
const EXAMPLES: readonly (readonly [name: string, asks: Sent])[] = [
  ["openai", { prompt: "Once upon a time", max_tokens: 40, temperature: 0.7, seed: 1 }],
  ["ai-sdk", { prompt: "Once upon a time", max_tokens: 40, temperature: 0.7, seed: 1 }],
];

describe("the examples of docs/serving.md", () => {
  const running = useServer([], {}, STORIES);
  const library = useLibrary(STORIES);

  /** What one prints, against the server of this file. */
  async function run(name: string): Promise<string> {
    const source = await readFile(join(FOLDER, `${name}.ts`), "utf8");
    const here = source.replace("http://localhost:8080", running.server.url);
    const { outputText } = ts.transpileModule(here, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 },
    });
    const file = join(FOLDER, `${name}.log.mjs`);
    await writeFile(file, outputText);
    try {
      return (await promisify(execFile)(process.execPath, [file])).stdout;
    } finally {
      await rm(file);
    }
  }

  it.each(EXAMPLES)("%s prints the library's text", async (name, asks) => {
    expect(await run(name)).toBe((await library.alone(asks)).text);
  });

  it("langchain prints what comes before the first full stop", async () => {
    expect(await run("langchain")).toMatch(/^[^.]*\n$/);
  });
});
