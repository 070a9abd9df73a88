import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { colouredLines } from "../build/colour.ts";

const SOURCE = readFileSync(new URL("../../packages/gpt2/src/model/model.ts", import.meta.url), "utf8").replaceAll(
  "\r\n",
  "\n",
);

test("the coloured lines are model.ts, letter by letter", () => {
  expect(
    colouredLines(SOURCE)
      .map((line) => line.map(([text]) => text).join(""))
      .join("\n"),
  ).toBe(SOURCE);
});

test("letters of shapes have their colours in types, in code and in comments", () => {
  const [line] = colouredLines("const y: Tensor<[T, C]> = f(x, 4); // [T, C], out of [T, 3C] of C").map((pieces) =>
    pieces.filter(([, kind]) => kind !== ""),
  );
  expect(line).toEqual([
    ["const", "keyword"],
    ["Tensor", "type"],
    ["T", "T"],
    ["C", "C"],
    ["f", "function"],
    ["4", "literal"],
    ["// [", "comment"],
    ["T", "T"],
    [", ", "comment"],
    ["C", "C"],
    ["], out of [", "comment"],
    ["T", "T"],
    [", 3C] of C", "comment"],
  ]);
  const head = colouredLines("/**\n *   T  tokens of C\n *   H  heads      D  channels\n */").flat();
  expect(head.filter(([, kind]) => kind !== "comment").map(([, kind]) => kind)).toEqual(["T", "H", "D"]);
});
