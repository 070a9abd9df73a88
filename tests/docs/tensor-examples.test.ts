/** The examples in `examples/tensor` give what their twins in NumPy give (`in_numpy.py`), and are as short. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type DType, fromData, type Shape, type Tensor } from "@gpt2-ts/tensor";
import { describe, expect, it } from "vitest";
import { ROOT } from "./documents.ts";

interface Packed {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: readonly number[];
}

interface Example {
  readonly name: string;
  /** Of the function's body in Python. */
  readonly lines: number;
  readonly args: readonly (Packed | number)[];
  readonly expected: Packed;
}

const folder = join(ROOT, "examples/tensor");
const examples: Example[] = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8"));

describe("everyday snippets", () => {
  it("are all tested", () => {
    const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));
    expect(files.sort()).toEqual(examples.map(({ name }) => `${name}.ts`).sort());
    expect(files.length).toBe(16);
  });

  it.each(examples)("$name gives what NumPy gives", async ({ name, args, expected }) => {
    const module: object = await import(join(folder, `${name}.ts`));
    const [snippet] = Object.values(module) as [(...args: unknown[]) => Promise<Tensor<Shape, DType>>];
    const result = await snippet(
      ...args.map((arg) => (typeof arg === "number" ? arg : fromData([...arg.data], arg.shape, { dtype: arg.dtype }))),
    );
    expect({ dtype: result.dtype, shape: result.shape }).toEqual({ dtype: expected.dtype, shape: expected.shape });
    const far = [...(await result.data())].map((value, i) => Math.abs(value - expected.data[i]!));
    expect(Math.max(...far)).toBeLessThan(expected.dtype === "float32" ? 1e-5 : 1);
  });

  it.each(examples)("$name is as short as in NumPy, give or take a line", ({ name, lines }) => {
    const source = readFileSync(join(folder, `${name}.ts`), "utf8");
    const [, body = ""] = /\{\n((?: {2}[^\n]*\n)+)\}\n$/.exec(source) ?? [];
    const ours = body.slice(body.lastIndexOf(" {\n") + 1).split("\n").length - 1;
    expect(ours).toBeGreaterThan(0);
    expect(Math.abs(ours - lines)).toBeLessThanOrEqual(1);
  });
});
