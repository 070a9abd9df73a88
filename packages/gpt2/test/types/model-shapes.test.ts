import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";

// The claim is that a wrong shape in model.ts does not compile. So: change one line at a time, and compile.
const packageFolder = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const modelFile = resolve(packageFolder, "src/model/model.ts");
const source = ts.sys.readFile(modelFile)!;
const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(resolve(packageFolder, "tsconfig.json"), ts.sys.readFile).config,
  ts.sys,
  packageFolder,
  { noEmit: true, composite: false, incremental: false },
);
let previous: ts.Program | undefined;

/** The compiler's complaints about a version of model.ts. */
function errorsIn(text: string): string[] {
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (fileName, ...rest) => {
    if (resolve(fileName) === modelFile) return ts.createSourceFile(fileName, text, ts.ScriptTarget.ES2022, true);
    return previous?.getSourceFile(fileName) ?? getSourceFile.call(host, fileName, ...rest);
  };
  previous = ts.createProgram({ rootNames: [modelFile], options, host, ...(previous && { oldProgram: previous }) });
  return previous
    .getSemanticDiagnostics(previous.getSourceFile(modelFile))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

function replaceOnce(before: string, after: string): string {
  expect(source.split(before).length, `"${before}" stands once in model.ts`).toBe(2);
  return source.replace(before, after);
}

describe("model.ts", () => {
  test("compiles as it is", () => {
    expect(errorsIn(source)).toEqual([]);
  });

  test.each([
    [
      "the attention's projection has the MLP's size",
      "readonly cProj: Linear<C, C> }",
      "readonly cProj: Linear<C, F> }",
    ],
    ["q, k and v are cut into two pieces", "split([C, C, C], -1)", "split([C, C], -1)"],
    ["queries are reshaped to heads of one size, keys to another", "k.reshape([T, H, D])", "k.reshape([T, D, H])"],
    ["the transpose before the logits is forgotten", "lmHead.transpose()", "lmHead"],
    ["the MLP runs backwards", "linear(x, cFc.weight, cFc.bias, {", "linear(x, cProj.weight, cProj.bias, {"],
    ["the wrong bias is added", "linear(hidden, cProj.weight, cProj.bias)", "linear(hidden, cProj.weight, cFc.bias)"],
    ["positions are embedded as tokens' scores", "embedding(wpe, batch.positions)", "batch.positions"],
    ["the block returns what is inside its MLP", "return linear(hidden, cProj.weight, cProj.bias);", "return hidden;"],
  ])("does not compile when %s", (_, before, after) => {
    expect(errorsIn(replaceOnce(before, after))).not.toEqual([]);
  });

  test("names both sizes in the message", () => {
    const errors = errorsIn(replaceOnce("lmHead.transpose()", "lmHead"));
    expect(errors.join("\n")).toContain("matmul: inner sizes C and V differ");
  });
});
