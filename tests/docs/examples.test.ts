/** The documents' examples compile, and print what they say, on the built packages and this Node. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readmeExamples } from "../../scripts/readme-examples.mjs";
import { documents, ROOT } from "./documents.ts";

const examples = documents()
  .flatMap(({ name }) => readmeExamples(join(ROOT, name), name))
  .map((example, i) => ({ ...example, stem: `example-${i}` }));
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.Node16,
  lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"],
  types: ["node"],
  strict: true,
  allowJs: true,
  checkJs: true,
};

let folder: string;
beforeAll(async () => {
  // Inside the repository, whose packages they import by name.
  await mkdir(join(ROOT, ".cache"), { recursive: true });
  folder = await mkdtemp(join(ROOT, ".cache", "examples-"));
  for (const { code, language, stem } of examples) {
    await writeFile(join(folder, `${stem}.${language === "js" ? "mjs" : "mts"}`), code);
  }
});
afterAll(() => rm(folder, { recursive: true }));

describe("examples in documents", () => {
  it("compile", { timeout: 300_000 }, () => {
    const files = examples.map(({ stem, language }) => join(folder, `${stem}.${language === "js" ? "mjs" : "mts"}`));
    files.push(join(ROOT, "tests/browser/page/optional-peers.d.ts")); // one example imports GPU.js, which need not be installed
    const program = ts.createProgram(files, { ...OPTIONS, outDir: join(folder, "compiled") });
    program.emit();
    const complaints = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
      const example = examples.find(({ stem }) => file?.fileName.includes(`${stem}.`));
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
      const text = ts.flattenDiagnosticMessageText(messageText, "\n");
      return `${example?.where ?? file?.fileName}, line ${line} of it: ${text}`;
    });
    expect(complaints).toEqual([]);
  });

  it.each(examples.filter(({ runs }) => runs))("$where prints what it says", async ({ language, stem, prints }) => {
    const program = language === "js" ? join(folder, `${stem}.mjs`) : join(folder, "compiled", `${stem}.mjs`);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program], { cwd: ROOT });
    expect(stderr).toBe("");
    expect(stdout.trim().split("\n")).toEqual(prints);
  });

  it("begin in the README with JavaScript that Node 20 runs as it stands", () => {
    const [first] = examples;
    expect(first).toMatchObject({ language: "js", runs: true });
    expect(first?.where).toMatch(/^README\.md:/);
  });
});
