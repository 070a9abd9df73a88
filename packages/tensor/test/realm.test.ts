import { runInNewContext } from "node:vm";
import { ones, type Tensor, tensor, tidy, zeros } from "@gpt2-ts/tensor";
import { describe, expect, test } from "vitest";

/** Evaluates in another realm, whose Array, Float32Array, Map and Object are not ours. */
const elsewhere = <T>(code: string, globals: object = {}): T => runInNewContext(code, globals) as T;

describe("values of another realm, such as Jest's", () => {
  test("are other objects to instanceof", () => {
    expect(elsewhere<unknown>("new Float32Array(1)") instanceof Float32Array).toBe(false);
  });

  test("are taken for what they are: arrays, typed arrays, options", () => {
    expect(tensor(elsewhere<number[][]>("[[1, 2], [3, 4]]")).toListSync()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(tensor(elsewhere<Float32Array>("Float32Array.of(1.5, 2)")).toListSync()).toEqual([1.5, 2]);
    expect(tensor([1], elsewhere<{ dtype: "int32" }>('({ dtype: "int32" })')).dtype).toBe("int32");
    expect(zeros(elsewhere<[number, number]>("[2, 3]")).reshape(elsewhere<[number]>("[6]")).shape).toEqual([6]);
  });

  test("can be read into", () => {
    const into = elsewhere<Float32Array>("new Float32Array(2)");
    expect(tensor([1, 2]).dataSync(into)).toBe(into);
    expect(Array.from(into)).toEqual([1, 2]);
  });

  test("carry tensors out of tidy, and are no promises unless they are", () => {
    const make = (): Tensor => ones([2]);
    for (const code of ["({ kept: make() })", "[make()]", "new Map([[1, make()]])", "new Set([make()])"]) {
      const result = tidy(() => elsewhere<object>(code, { make }));
      const kept = (Object.values(result)[0] ?? [...(result as Map<number, Tensor>).values()][0]) as Tensor;
      expect(kept.disposed, code).toBe(false);
      kept.dispose();
    }
    expect(() => tidy(() => elsewhere("Promise.resolve()"))).toThrow("tidy: the function must be synchronous");
  });
});
