import { describe, expect, it } from "vitest";
import type { View } from "../../src/backends/backend.ts";
import { wholeView } from "../../src/backends/dispatch.ts";
import { ShapeMismatchError } from "../../src/errors.ts";
import { embedding, embeddingOp } from "../../src/ops/embedding.ts";
import { gatherOp, topKOp } from "../../src/ops/indexing.ts";
import { concatOp } from "../../src/ops/rearrange.ts";
import { transpose } from "../../src/ops/views.ts";
import { sizeOf } from "../../src/shape.ts";
import {
  firstDifference,
  float32,
  generator,
  type HostView,
  randomFloats,
  runOn,
  runReference,
  scattered,
  wasmBackends,
} from "./harness.ts";

const backends = wasmBackends("one thread", "two threads");

function ids(shape: readonly number[], below: number, random: () => number): HostView {
  const data = Int32Array.from({ length: sizeOf(shape) }, () => Math.floor(random() * below));
  return { ...float32(new Float32Array(0), shape), dtype: "int32", data };
}

describe("embedding on wasm", () => {
  it("picks rows of plain and strided tables", () => {
    const random = generator(1);
    for (const [V, C, shape] of [
      [1, 1, [1]],
      [10, 3, [4, 2]],
      [5, 8, [0]],
      [5, 0, [2]],
      [100, 64, []],
      [300, 96, [700]],
    ] as const) {
      const table = randomFloats([V, C], random);
      const output = [{ dtype: "float32", shape: [...shape, C] }] as const;
      for (const one of [table, scattered(table, random)]) {
        const inputs = [one, scattered(ids(shape, V, random), random)];
        const [expected] = runReference(embeddingOp, inputs, undefined, output);
        for (const { backend } of backends) {
          expect(firstDifference(runOn(backend, embeddingOp, inputs, undefined, output)[0]!, expected!)).toBe(-1);
          expect(backend.fallbacks.entries()).toEqual([]);
        }
      }
    }
  });

  it("reads the transpose of a packed matrix where it lies", () => {
    const random = generator(2);
    for (const [V, C] of [
      [1, 1],
      [7, 5],
      [8, 4],
      [61, 33],
    ] as const) {
      const table = randomFloats([V, C], random);
      const chosen = ids([40], V, random);
      const [expected] = runReference(embeddingOp, [table, chosen], undefined, [{ dtype: "float32", shape: [40, C] }]);
      for (const { backend } of backends) {
        const stored = wholeView(backend.upload("float32", table.data as Float32Array), [V, C]);
        const packed = transpose(backend.pack(transpose(stored, 0, 1) as View<"float32">), 0, 1);
        const out = embedding(packed, wholeView(backend.upload("int32", chosen.data as Int32Array), [40]));
        expect(firstDifference(backend.readSync(out.storage), expected!)).toBe(-1);
        expect(backend.fallbacks.entries()).toEqual([]);
      }
    }
  });

  it("refuses an id outside the table before it reads anything", () => {
    for (const { backend } of backends) {
      const table = wholeView(backend.upload("float32", new Float32Array(12)), [4, 3]);
      for (const id of [-1, 4, 2 ** 31 - 1]) {
        const view = wholeView(backend.upload("int32", Int32Array.of(0, id)), [2]);
        expect(() => embedding(table, view)).toThrow(ShapeMismatchError);
        expect(() => embedding(table, view)).toThrow(`id ${id}`);
      }
      backend.fallbacks.clear();
    }
  });
});

describe("gather and top-k on wasm", () => {
  it("gather picks elements of rows, of any strides", () => {
    const random = generator(3);
    for (const [lead, N, J] of [
      [[1], 1, 1],
      [[3], 5, 2],
      [[2, 3], 4, 9],
      [[0], 3, 2],
      [[600], 50, 3],
    ] as const) {
      const x = randomFloats([...lead, N], random);
      const inputs = [scattered(x, random), scattered(ids([...lead, J], N, random), random)];
      const output = [{ dtype: "float32", shape: [...lead, J] }] as const;
      const [expected] = runReference(gatherOp, inputs, undefined, output);
      for (const { backend } of backends) {
        expect(firstDifference(runOn(backend, gatherOp, inputs, undefined, output)[0]!, expected!)).toBe(-1);
        expect(backend.fallbacks.entries()).toEqual([]);
      }
    }
  });

  it("top-k equals a stable sort, with ties, NaN, both zeros and infinities", () => {
    const random = generator(4);
    const awkward = [0, -0, Number.NaN, 1, -1, Infinity, -Infinity, 2 ** -149, 5];
    for (const [rows, N, k] of [
      [1, 1, 1],
      [1, 7, 7],
      [3, 9, 4],
      [2, 1000, 64],
      [4, 5003, 40],
      [2, 5, 0],
    ] as const) {
      for (const kinds of [2, 9, 1000]) {
        const value = () => (random() * kinds < 9 ? awkward[Math.floor(random() * Math.min(kinds, 9))]! : random() * 9);
        const x = float32(Float32Array.from({ length: rows * N }, value), [rows, N]);
        const whole: HostView = { ...x, dtype: "int32", data: Int32Array.from(x.data as Float32Array, (v) => v * 3) };
        for (const view of [x, scattered(x, random), whole]) {
          const output = [
            { dtype: view.dtype, shape: [rows, k] },
            { dtype: "int32", shape: [rows, k] },
          ] as const;
          const [values, indices] = runReference(topKOp, [view], { k }, output);
          for (const { backend } of backends) {
            const [v, i] = runOn(backend, topKOp, [view], { k }, output);
            expect(firstDifference(v!, values!)).toBe(-1);
            expect(firstDifference(i!, indices!)).toBe(-1);
            expect(backend.fallbacks.entries()).toEqual([]);
          }
        }
      }
    }
  });

  it("top-k of ascending and of descending rows keeps the right ones", () => {
    const N = 3000;
    for (const sign of [1, -1]) {
      const x = float32(
        Float32Array.from({ length: N }, (_, j) => sign * j),
        [1, N],
      );
      const output = [
        { dtype: "float32", shape: [1, 3] },
        { dtype: "int32", shape: [1, 3] },
      ] as const;
      for (const { backend } of backends) {
        const [, indices] = runOn(backend, topKOp, [x], { k: 3 }, output);
        expect([...indices!]).toEqual(sign > 0 ? [N - 1, N - 2, N - 3] : [0, 1, 2]);
      }
    }
  });
});

describe("concat on wasm", () => {
  it("puts operands of any strides one after the other along any axis", () => {
    const random = generator(5);
    for (const shape of [[3], [2, 4], [3, 2, 5], [2, 0, 3]] as const) {
      for (let axis = 0; axis < shape.length; axis++) {
        for (const sizes of [[1], [2, 3], [0, 4, 1]]) {
          const parts = sizes.map((size) => {
            const part = randomFloats(
              shape.map((dim, other) => (other === axis ? size : dim)),
              random,
            );
            return random() < 0.5 ? part : scattered(part, random);
          });
          const total = sizes.reduce((sum, size) => sum + size, 0);
          const output = [
            { dtype: "float32", shape: shape.map((dim, other) => (other === axis ? total : dim)) },
          ] as const;
          const [expected] = runReference(concatOp, parts, { axis }, output);
          for (const { backend } of backends) {
            expect(firstDifference(runOn(backend, concatOp, parts, { axis }, output)[0]!, expected!)).toBe(-1);
            expect(backend.fallbacks.entries()).toEqual([]);
          }
        }
      }
    }
  });
});
