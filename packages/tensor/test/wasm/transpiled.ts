import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import ts from "typescript";

/** The package's sources as JavaScript in a new temporary folder: for programs that run in a process of their own. */
export function transpiledSources(): string {
  const source = join(import.meta.dirname, "../../src");
  const target = mkdtempSync(join(tmpdir(), "gpt2-ts-tensor-"));
  writeFileSync(join(target, "package.json"), `{ "type": "module" }`);
  for (const path of readdirSync(source, { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".ts") || /wasm[\\/]kernels[\\/]/.test(path)) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(source, path), "utf8"), {
      fileName: path,
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        rewriteRelativeImportExtensions: true,
      },
    });
    const file = join(target, path.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, outputText);
  }
  return target;
}
