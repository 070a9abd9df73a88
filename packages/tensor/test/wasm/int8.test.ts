import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { View } from "../../src/backends/backend.ts";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { INT8_GROUP } from "../../src/encodings/int8-scheme.ts";
import { gelu } from "../../src/functional/nn.ts";
import { linearOp, matmulOp } from "../../src/ops/matmul.ts";
import { contiguousStrides } from "../../src/shape.ts";
import { Tensor } from "../../src/tensor.ts";
import {
  firstDifference,
  float32,
  generator,
  type HostView,
  normals,
  randomFloats,
  scattered,
} from "../wasm-kernels/harness.ts";
import { byteBackends } from "./byte-kernels.ts";
import { execute, pack, upload } from "./packed-operands.ts";

/** Every kind of backend, and of how processors multiply bytes. */
const backends = await byteBackends();
const everyBackend = [referenceBackend, ...backends.map(({ backend }) => backend)];
afterAll(() => {
  for (const { backend } of backends) backend.dispose();
});

const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(1, 1, 4, 7, 8, 9, 16, 33));
const depth = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(63, 64, 65, 66, 127, 128, 130, 200, 321));
/** Numbers of every size that float32 has, zeros among them. */
const anySize = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1, -1, 0.5, 2 ** -100, -(2 ** -101), 2 ** -149, 3.4028234663852886e38),
);

describe("int8 matrices", () => {
  it("are multiplied here in each of the ways that there are", () => {
    for (const { name, backend } of backends) {
      if (/words|bytes/.test(name)) expect(name).toContain(backend.info().int8Products);
    }
    expect(new Set(backends.map(({ backend }) => backend.info().int8Products)).size).toBe(3);
  });

  it("hold integers from -127 to 127 times the scale of their column and group", () => {
    fc.assert(
      fc.property(depth, size, fc.array(anySize, { maxLength: 40 }), fc.integer(), (k, n, special, seed) => {
        const random = generator(seed);
        const data = normals(k * n, random);
        for (const value of special) data[Math.floor(random() * data.length)] = value;
        const { values } = quantizedMatrix(data, k, n);
        for (const backend of everyBackend) {
          const packed = pack(backend, scattered(float32(data, [k, n]), random), "int8");
          expect(firstDifference(backend.readSync(packed.storage), values)).toBe(-1);
          packed.storage.release();
        }
      }),
      { numRuns: 60 },
    );
  });

  it("multiply as exact integer sums, group by group: the same bits from every kernel, for any number of rows", () => {
    fc.assert(
      fc.property(size, depth, size, fc.boolean(), fc.integer(), (m, k, n, hasBias, seed) => {
        const random = generator(seed);
        const x = randomFloats([m, k], random, 10 ** (6 * random() - 3));
        const w = randomFloats([k, n], random, 0.05);
        const bias = hasBias ? [randomFloats([n], random)] : [];
        const expected = product(x.data as Float32Array, w.data as Float32Array, m, k, n);
        const biased = expected.map((sum, i) => (hasBias ? sum + bias[0]!.data[i % n]! : sum));
        for (const backend of everyBackend) {
          const weights = pack(backend, scattered(w, random), "int8");
          const inputs = [scattered(x, random), weights];
          const plain = execute(backend, matmulOp, inputs, undefined, [m, n]);
          expect(firstDifference(plain, expected)).toBe(-1);
          const linear = execute(backend, linearOp, [...inputs, ...bias], { activation: "none" }, [m, n]);
          expect(firstDifference(linear, biased)).toBe(-1);
          weights.storage.release();
        }
      }),
      { numRuns: 120 },
    );
    for (const { backend } of backends) expect(backend.fallbacks.entries()).toEqual([]);
  });

  it.each([1, 2, 3, 9, 17])("multiply %i rows of more terms than are worked on at once", (m) => {
    const random = generator(8);
    const [k, n] = [1601, 21];
    const [x, w] = [randomFloats([m, k], random), randomFloats([k, n], random, 0.05)];
    const expected = product(x.data as Float32Array, w.data as Float32Array, m, k, n);
    for (const backend of everyBackend) {
      const weights = pack(backend, w, "int8");
      expect(firstDifference(execute(backend, matmulOp, [x, weights], undefined, [m, n]), expected)).toBe(-1);
      weights.storage.release();
    }
  });

  it("multiply rows of every size, and extreme weights, without overflow", () => {
    fc.assert(
      fc.property(fc.array(anySize, { minLength: 1, maxLength: 300 }), fc.integer(), (row, seed) => {
        const k = row.length;
        const x = Float32Array.from(row);
        // Integers of ±127 against 0 and 255: the largest sums there are.
        const random = generator(seed);
        const w = Float32Array.from({ length: k * 9 }, (_, i) =>
          i % 9 === 0 ? Math.sign(x[Math.floor(i / 9)]!) : random() - 0.5,
        );
        const expected = product(x, w, 1, k, 9);
        for (const backend of everyBackend) {
          const weights = pack(backend, float32(w, [k, 9]), "int8");
          const result = execute(backend, matmulOp, [float32(x, [1, k]), weights], undefined, [1, 9]);
          expect(firstDifference(result, expected)).toBe(-1);
          weights.storage.release();
        }
      }),
      { numRuns: 100 },
    );
    const x = new Float32Array(4 * INT8_GROUP).map((_, i) => (i % 3 ? 5 : -5));
    for (const { backend } of backends) {
      const weights = pack(backend, float32(x.slice(), [x.length, 1]), "int8");
      const result = execute(backend, matmulOp, [float32(x, [1, x.length]), weights], undefined, [1, 1]);
      expect(firstDifference(result, product(x, x, 1, x.length, 1))).toBe(-1);
      weights.storage.release();
    }
  });

  it("make NaN of what is not finite, in the rows and columns it is in", () => {
    const [k, n] = [70, 11];
    const random = generator(5);
    for (const bad of [NaN, Infinity, -Infinity]) {
      const x = normals(5 * k, random);
      const w = normals(k * n, random);
      x[2 * k + 66] = bad;
      w[3 * n + 7] = bad;
      for (const backend of everyBackend) {
        const weights = pack(backend, float32(w, [k, n]), "int8");
        const result = execute(backend, matmulOp, [float32(x, [5, k]), weights], undefined, [5, n]);
        result.forEach((value, i) => {
          expect(Number.isFinite(value)).toBe(Math.floor(i / n) !== 2 && i % n !== 7);
        });
        weights.storage.release();
      }
    }
  });

  it("apply GELU to the sums", () => {
    const random = generator(6);
    const [m, k, n] = [6, 90, 21];
    const [x, w, bias] = [randomFloats([m, k], random), randomFloats([k, n], random, 0.2), randomFloats([n], random)];
    for (const { backend } of backends) {
      const weights = pack(backend, w, "int8");
      const plain = execute(backend, linearOp, [x, weights, bias], { activation: "none" }, [m, n]);
      using sums = new Tensor<[number, number]>(upload(backend, float32(plain, [m, n])) as View<"float32">);
      sums.storage.release(); // the tensor retains it
      using expected = gelu(sums);
      const actual = execute(backend, linearOp, [x, weights, bias], { activation: "gelu" }, [m, n]);
      expect(firstDifference(actual, expected.dataSync())).toBe(-1);
      weights.storage.release();
    }
  });

  it("use all threads for large products and give the bits of one", () => {
    const random = generator(7);
    const [m, k, n] = [150, 515, 333];
    const [x, w] = [randomFloats([m, k], random), randomFloats([k, n], random, 0.05)];
    const results = backends.map(({ backend }) => {
      const weights = pack(backend, w, "int8");
      const all = execute(backend, matmulOp, [x, weights], undefined, [m, n]);
      for (const rows of [1, 2, 4, 7, 16]) {
        const last = float32((x.data as Float32Array).slice((m - rows) * k), [rows, k]);
        const few = execute(backend, matmulOp, [last, weights], undefined, [rows, n]);
        expect(firstDifference(few, all.slice((m - rows) * n))).toBe(-1);
      }
      weights.storage.release();
      return all;
    });
    for (const result of results) expect(firstDifference(result, results[0]!)).toBe(-1);
  });

  it("are made of integers and scales as they are of the matrix these came from", () => {
    fc.assert(
      fc.property(depth, size, fc.boolean(), fc.integer(), (k, n, byColumns, seed) => {
        const random = generator(seed);
        const data = normals(k * n, random);
        const { integers, scales, values } = quantizedMatrix(data, k, n);
        const groups = scales.length / n;
        const bytes = new Uint8Array(integers.buffer);
        for (const backend of everyBackend) {
          const integerView = transposedIf(byColumns, { data: bytes, dtype: "uint8", ...shaped(k, n) });
          const scaleView = transposedIf(byColumns, float32(scales, [groups, n]));
          const [from, by] = [upload(backend, integerView), upload(backend, scaleView)];
          const { matrix, writeIntegers } = backend.packer!([k, n], "int8");
          matrix.storage.retain();
          writeIntegers(0, from as View<"uint8">, by as View<"float32">);
          expect(firstDifference(backend.readSync(matrix.storage), values)).toBe(-1);
          const x = randomFloats([3, k], random);
          const whole = pack(backend, float32(data, [k, n]), "int8");
          const expected = execute(backend, matmulOp, [x, whole], undefined, [3, n]);
          expect(firstDifference(execute(backend, matmulOp, [x, matrix], undefined, [3, n]), expected)).toBe(-1);
          whole.storage.release();
          for (const { storage } of [from, by, matrix]) storage.release();
        }
      }),
      { numRuns: 40 },
    );
  });

  it("take integers in no other encoding", () => {
    const [{ backend }] = backends as [(typeof backends)[number]];
    const { matrix, writeIntegers } = backend.packer([1, 1], "bf16");
    matrix.storage.retain();
    const integers = upload(backend, { data: new Uint8Array(1), dtype: "uint8", ...shaped(1, 1) }) as View<"uint8">;
    const scales = upload(backend, float32(new Float32Array(1), [1, 1])) as View<"float32">;
    expect(() => writeIntegers(0, integers, scales)).toThrow("wasm: a matrix of bf16 takes no integers");
    for (const { storage } of [matrix, integers, scales]) storage.release();
  });
});

// ---- the scheme once more, as simply as it can be said: float64 rounded to float32 after each operation ---------------

const round = Math.fround;

/** Weights as integers up to 127 times a scale. */
function quantize(values: readonly number[]): { integers: number[]; scale: number } {
  const largest = Math.max(...values.map(Math.abs));
  if (largest < 2 ** -100) return { integers: values.map(() => 0), scale: 0 };
  const factor = round(127 / largest);
  return { integers: values.map((value) => roundHalfEven(round(value * factor))), scale: round(largest / 127) };
}

/** A row's values as integers from 0 to 255, less the one that stands for zero, times a scale. */
function quantizeRow(values: readonly number[]): { integers: number[]; scale: number } {
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const scale = round(round(most / 255) - round(least / 255));
  if (scale < 2 ** -100) return { integers: values.map(() => 0), scale: 0 };
  const factor = round(1 / scale);
  const zero = roundHalfEven(round(-least * factor));
  const integers = values.map((value) => Math.min(255, roundHalfEven(round(value * factor)) + zero) - zero);
  return { integers, scale };
}

function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const up = x - below > 0.5 || (x - below === 0.5 && below % 2 !== 0);
  return up ? below + 1 : below;
}

function quantizedMatrix(w: Float32Array, k: number, n: number) {
  const groups = Math.ceil(k / INT8_GROUP);
  const [integers, scales, values] = [new Int8Array(k * n), new Float32Array(groups * n), new Float32Array(k * n)];
  for (let group = 0; group < groups; group++) {
    const first = group * INT8_GROUP;
    const rows = Math.min(INT8_GROUP, k - first);
    for (let j = 0; j < n; j++) {
      const column = Array.from({ length: rows }, (_, i) => w[(first + i) * n + j]!);
      const quantized = quantize(column);
      scales[group * n + j] = quantized.scale;
      quantized.integers.forEach((integer, i) => {
        integers[(first + i) * n + j] = integer;
        values[(first + i) * n + j] = integer * quantized.scale + 0; // no negative zero
      });
    }
  }
  return { integers, scales, values };
}

function product(x: Float32Array, w: Float32Array, m: number, k: number, n: number): Float32Array {
  const { integers, scales } = quantizedMatrix(w, k, n);
  const result = new Float32Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let first = 0; first < k; first += INT8_GROUP) {
      const rows = Math.min(INT8_GROUP, k - first);
      const row = quantizeRow([...x.subarray(i * k + first, i * k + first + rows)]);
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let r = 0; r < rows; r++) sum += row.integers[r]! * integers[(first + r) * n + j]!;
        const scale = round(scales[Math.floor(first / INT8_GROUP) * n + j]! * row.scale);
        result[i * n + j] = round(result[i * n + j]! + round(round(sum) * scale));
      }
    }
  }
  return result;
}

function shaped(rows: number, columns: number) {
  return { shape: [rows, columns], strides: [columns, 1], offset: 0 };
}

/** The same matrix lying column by column, if asked for. */
function transposedIf(yes: boolean, view: HostView): HostView {
  if (!yes) return view;
  const [rows, columns] = view.shape as readonly [number, number];
  const data = view.data.map((_, i) => view.data[(i % rows) * columns + Math.floor(i / rows)]!);
  return { ...view, data, strides: contiguousStrides([columns, rows]).toReversed() };
}
