/** Code that a document quotes is the code that runs: a fence which names a file holds lines of that file, in their order. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadTokenizer, modelSource } from "@gpt2-ts/gpt2";
import { describe, expect, it } from "vitest";
import { documents, fences, ROOT } from "./documents.ts";

const quotes = documents().flatMap(({ name, text }) =>
  fences(text).flatMap(({ info, code, line }) => {
    const file = /^ts (\S+\/\S+)$/.exec(info)?.[1];
    return file === undefined ? [] : [{ where: `${name}:${line}`, file, lines: meaningful(code) }];
  }),
);

describe("quoted code", () => {
  it("is what docs/reading.md shows of the model", () => {
    const model = quotes.filter(({ file }) => file.endsWith("/model/model.ts"));
    expect(model.length).toBeGreaterThanOrEqual(8);
    const unmarked = documents().flatMap(({ name, text }) =>
      name === "docs/reading.md" ? fences(text).filter(({ info }) => /^(ts|js)\b(?!.*\/)/.test(info)) : [],
    );
    expect(unmarked, "every block of code in docs/reading.md names its file").toEqual([]);
  });

  it.each(quotes)("of $where stands in $file", ({ file, lines }) => {
    expect(missingLine(lines, readFileSync(join(ROOT, file), "utf8"))).toBeUndefined();
  });

  it("goes with token ids of the stories model", async () => {
    const tokenizer = await loadTokenizer(await modelSource(join(ROOT, "weights/stories")));
    const ids = tokenizer.encode("I do not know");
    expect(readFileSync(join(ROOT, "docs/reading.md"), "utf8")).toContain(
      `"I do not know" ── tokenizer ──▶ [${ids.join(", ")}]`,
    );
    expect(readFileSync(join(ROOT, "docs/figures/pass.svg"), "utf8")).toContain(`>${ids.join(" ")}<`);
  });

  it("and its length are as told: model.ts has fewer than 200 lines", () => {
    expect(readFileSync(join(ROOT, "packages/gpt2/src/model/model.ts"), "utf8").split("\n").length).toBeLessThan(200);
  });

  it("is noticed when it differs: another name, another order", () => {
    const source = "const a = 1;\n  const b = a;\nreturn b;\n";
    expect(missingLine(["const a = 1;", "return b;"], source)).toBeUndefined();
    expect(missingLine(["const c = 1;"], source)).toBe("const c = 1;");
    expect(missingLine(["const b = a;", "const a = 1;"], source)).toBe("const a = 1;");
  });
});

/** Lines without indentation; blank ones and `…`, which stands for lines left out, are no lines. */
function meaningful(code: string): string[] {
  return code
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && line !== "…");
}

/** The first of `lines` that does not follow the ones before it in `source`. */
function missingLine(lines: readonly string[], source: string): string | undefined {
  const all = source.split("\n").map((line) => line.trim());
  let position = 0;
  return lines.find((line) => {
    const found = all.indexOf(line, position);
    position = found + 1;
    return found < 0;
  });
}
