import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { referenceBackend } from "../../src/backends/reference/index.ts";
import { packAsync } from "../../src/functional/packing.ts";
import { embeddingOp } from "../../src/ops/embedding.ts";
import { linearOp, matmulOp } from "../../src/ops/matmul.ts";
import { Tensor } from "../../src/tensor.ts";
import {
  firstDifference,
  float32,
  generator,
  type HostView,
  randomFloats,
  scattered,
  wasmBackends,
} from "../wasm-kernels/harness.ts";
import { execute, pack } from "./packed-operands.ts";

const backends = wasmBackends();

const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(1, 7, 8, 9, 16, 33, 64, 130));
const depth = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(255, 256, 257, 700));
/** Bit patterns of float32, those where rounding is delicate among them. */
const bits = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.integer({ min: 0, max: 0xffff }).map((upper) => ((upper << 16) | 0x8000) >>> 0),
  fc.constantFrom(0, 0x80000000, 1, 0x7f7fffff, 0x7f7f8000, 0x7f800000, 0xff800000, 0x7f800001, 0x7fc00000, 0x0000ffff),
);

describe("bf16 matrices", () => {
  it("hold the nearest bfloat16 of each element, ties to even", () => {
    fc.assert(
      fc.property(
        fc.array(bits, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
        (patterns, columns) => {
          const rows = Math.ceil(patterns.length / columns);
          const data = new Float32Array(rows * columns);
          new Uint32Array(data.buffer).set(patterns);
          const expected = Float32Array.from(data, nearestBf16);
          for (const backend of [referenceBackend, ...backends.map(({ backend }) => backend)]) {
            const packed = pack(backend, float32(data, [rows, columns]), "bf16");
            expect(firstDifference(backend.readSync(packed.storage), expected)).toBe(-1);
            packed.storage.release();
          }
        },
      ),
    );
  });

  it("multiply to the very bits of the float32 matrix of their values", () => {
    fc.assert(
      fc.property(size, depth, size, fc.boolean(), fc.boolean(), fc.integer(), (m, k, n, gelu, hasBias, seed) => {
        const random = generator(seed);
        const x = scattered(randomFloats([m, k], random), random);
        const w = randomFloats([k, n], random);
        const rounded = float32(Float32Array.from(w.data, nearestBf16), [k, n]);
        const bias = hasBias ? [randomFloats([n], random)] : [];
        const activation = gelu ? "gelu" : "none";
        for (const { backend } of backends) {
          const run = (matrix: HostView, encoding: "f32" | "bf16") => {
            const weights = pack(backend, scattered(matrix, random), encoding);
            const results = [
              execute(backend, linearOp, [x, weights, ...bias], { activation }, [m, n]),
              execute(backend, matmulOp, [x, weights], undefined, [m, n]),
            ];
            weights.storage.release();
            return results;
          };
          const expected = run(rounded, "f32");
          run(w, "bf16").forEach((result, i) => {
            expect(firstDifference(result, expected[i]!)).toBe(-1);
          });
        }
      }),
      { numRuns: 100 },
    );
    for (const { backend } of backends) expect(backend.fallbacks.entries()).toEqual([]);
  });
});

describe.each(["bf16", "int8"] as const)("%s matrices", (encoding) => {
  it("give embeddings out of their transpose, the very elements they hold", () => {
    fc.assert(
      fc.property(size, size, fc.integer(), (C, V, seed) => {
        const random = generator(seed);
        const table = randomFloats([C, V], random);
        const ids = Int32Array.from({ length: 9 }, () => Math.floor(random() * V));
        for (const { backend } of backends) {
          const packed = pack(backend, table, encoding);
          const elements = backend.readSync(packed.storage).slice();
          const transposed = { ...packed, shape: [V, C], strides: [1, V] };
          const idView = { data: ids, dtype: "int32", shape: [9], strides: [1], offset: 0 } as const;
          const rows = execute(backend, embeddingOp, [transposed, idView], undefined, [9, C]);
          const expected = Float32Array.from(rows, (_, i) => elements[(i % C) * V + ids[Math.floor(i / C)]!]!);
          expect(firstDifference(rows, expected)).toBe(-1);
          packed.storage.release();
        }
      }),
      { numRuns: 50 },
    );
    for (const { backend } of backends) {
      expect(backend.fallbacks.entries().filter(({ op }) => op === "embedding")).toEqual([]);
    }
  });

  it("look like float32 to operations that do not know them", () => {
    for (const backend of [referenceBackend, ...backends.map(({ backend }) => backend)]) {
      const packed = new Tensor<[5, 11]>(pack(backend, randomFloats([5, 11], generator(3)), encoding));
      packed.storage.release(); // the tensor retains it
      const elements = packed.dataSync().slice();
      expect(packed.dtype).toBe("float32");
      using doubled = packed.transpose().mul(2);
      expect([...doubled.contiguous().dataSync()]).toEqual(
        Array.from({ length: 55 }, (_, i) => 2 * elements[(i % 5) * 11 + Math.floor(i / 5)]!),
      );
      using again = packed.pack("f32");
      expect(again.dataSync()).toEqual(elements);
      packed.dispose();
    }
  });

  it("are the same packed piece by piece as at once, and leave no memory behind", async () => {
    const [K, N] = [1500, 3107];
    const host = randomFloats([N, K], generator(8));
    const data = host.data as Float32Array;
    for (const backend of [referenceBackend, backends[1]!.backend]) {
      const before = backend === referenceBackend ? 0 : backends[1]!.backend.info().usedBytes;
      const pieces: number[] = [];
      using matrix = await packAsync(
        [K, N],
        async (target, first) => {
          pieces.push(target.length);
          target.set(data.subarray(first * K, first * K + target.length));
        },
        { encoding, device: backend },
      );
      expect(pieces.length).toBeGreaterThan(2);
      using whole = new Tensor<[number, number]>(pack(backend, { ...host, shape: [K, N], strides: [1, K] }, encoding));
      whole.storage.release();
      expect(firstDifference(matrix.dataSync(), whole.dataSync())).toBe(-1);
      whole.dispose();
      matrix.dispose();
      if (backend !== referenceBackend) expect(backends[1]!.backend.info().usedBytes).toBe(before);
    }
  });

  it("give their memory back when reading fails on the way", async () => {
    const { backend } = backends[1]!;
    const before = backend.info().usedBytes;
    const failing = packAsync(
      [1500, 3107],
      async (_, first) => {
        if (first > 0) throw new Error("the file ends here");
      },
      { encoding, device: backend },
    );
    await expect(failing).rejects.toThrow("the file ends here");
    expect(backend.info().usedBytes).toBe(before);
  });
});

/** The nearest bfloat16, found among its two neighbours by their distances, which float64 holds exactly. */
function nearestBf16(x: number): number {
  if (Number.isNaN(x)) return NaN;
  const scratch = new DataView(new ArrayBuffer(4));
  const float = (pattern: number): number => {
    scratch.setUint32(0, pattern);
    return scratch.getFloat32(0);
  };
  scratch.setFloat32(0, x);
  const pattern = scratch.getUint32(0);
  const towardsZero = (pattern & 0xffff0000) >>> 0;
  const near = float(towardsZero);
  if (!Number.isFinite(near) || near === x) return near;
  const away = (towardsZero + 0x10000) >>> 0;
  // Past the largest number lies what would be the next one, 2^128, for this purpose.
  const far = Number.isFinite(float(away)) ? float(away) : Math.sign(x) * 2 ** 128;
  const [toNear, toFar] = [Math.abs(x - near), Math.abs(far - x)];
  return toNear < toFar || (toNear === toFar && (towardsZero & 0x10000) === 0) ? near : float(away);
}
