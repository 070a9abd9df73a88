import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
const MODULES = fileURLToPath(new URL("../../../../node_modules/", import.meta.url));

/** The part of main.ts that matters here: one line on standard error and status 1 for a rejected command. */
const MAIN = `
import { Command } from "commander";
import { downloadCommand } from "./cli/download.js";
try {
  await new Command("gpt2").addCommand(downloadCommand()).parseAsync();
} catch (error) {
  process.stderr.write("gpt2: " + error.message + "\\n");
  process.exitCode = 1;
}
`;

/**
 * Compiles the download command and what it imports from the present sources, so that it can be spawned without a
 * build, below node_modules, where its dependencies resolve.
 *
 * @returns the script to run, and a function that removes it
 */
export async function buildDownloadCli(): Promise<{ script: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(MODULES, ".gpt2-hub-cli-"));
  const hubFiles = (await readdir(join(PACKAGE, "src/hub"))).map((name) => `hub/${name}`);
  for (const file of [...hubFiles, "cli/download.ts", "cli/progress.ts"]) {
    const source = await readFile(join(PACKAGE, "src", file), "utf8");
    const compilerOptions = {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    };
    const { outputText } = ts.transpileModule(source, { compilerOptions, fileName: file });
    const target = join(folder, file.replace(/\.ts$/, ".js"));
    await mkdir(join(target, ".."), { recursive: true });
    await writeFile(target, outputText);
  }
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  await writeFile(join(folder, "main.js"), MAIN);
  return { script: join(folder, "main.js"), remove: () => rm(folder, { recursive: true, force: true }) };
}
