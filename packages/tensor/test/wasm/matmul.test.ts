import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { View } from "../../src/backends/backend.ts";
import { wholeView } from "../../src/backends/dispatch.ts";
import { linearOp, matmulOp } from "../../src/ops/matmul.ts";
import { sizeOf } from "../../src/shape.ts";
import {
  float32,
  generator,
  type HostView,
  largestError,
  randomFloats,
  runOn,
  runReference,
  scattered,
  wasmBackends,
} from "../wasm-kernels/harness.ts";

const backends = wasmBackends();
const deterministic = backends.filter(({ backend }) => !backend.runtime.relaxedSimd);
const [{ backend: single }] = backends as [(typeof backends)[number]];

/** Room for rounding where numbers are near one: sums grow with √k, and each term rounds by up to 2^-24 of its sum. */
function tolerance(k: number): number {
  return 6e-6 * (1 + k) ** 0.5;
}

const size = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(1, 4, 5, 8, 9, 16, 33, 64, 130));
const depth = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(1, 64, 255, 256, 257, 511, 513, 700));

describe("matmul on wasm", () => {
  it("agrees with the reference on any sizes and strides, batches included", () => {
    fc.assert(
      fc.property(
        size,
        depth,
        size,
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
        fc.integer(),
        (m, k, n, batch, seed) => {
          const random = generator(seed);
          const a = scattered(randomFloats([...batch, m, k], random), random);
          const b = scattered(randomFloats([...batch, k, n], random), random);
          const specs = [{ dtype: "float32", shape: [...batch, m, n] }] as const;
          const [expected] = runReference(matmulOp, [a, b], undefined, specs);
          for (const { backend } of backends) {
            const [actual] = runOn(backend, matmulOp, [a, b], undefined, specs);
            expect(largestError(actual!, expected!)).toBeLessThan(tolerance(k));
          }
        },
      ),
      { numRuns: 150 },
    );
    expect(single.fallbacks.entries().filter(({ op }) => op === "matmul")).toEqual([]);
  });

  it("reads stretched batches without copying them", () => {
    const random = generator(5);
    const a = randomFloats([3, 2, 7, 20], random);
    const b = randomFloats([20, 11], random);
    const stretched: HostView = { ...b, shape: [3, 2, 20, 11], strides: [0, 0, 11, 1] };
    const specs = [{ dtype: "float32", shape: [3, 2, 7, 11] }] as const;
    const [expected] = runReference(matmulOp, [a, stretched], undefined, specs);
    for (const { backend } of backends) {
      expect(largestError(runOn(backend, matmulOp, [a, stretched], undefined, specs)[0]!, expected!)).toBeLessThan(
        1e-5,
      );
    }
  });
});

describe("linear on wasm", () => {
  const activation = fc.constantFrom("none" as const, "gelu" as const);

  it("agrees with the reference, with and without bias, GELU and packed weights", () => {
    fc.assert(
      fc.property(size, depth, size, activation, fc.boolean(), fc.integer(), (m, k, n, activation, hasBias, seed) => {
        const random = generator(seed);
        const x = scattered(randomFloats([m, k], random), random);
        const w = scattered(randomFloats([k, n], random), random);
        const bias = scattered(randomFloats([n], random), random);
        const inputs = hasBias ? [x, w, bias] : [x, w];
        const specs = [{ dtype: "float32", shape: [m, n] }] as const;
        const [expected] = runReference(linearOp, inputs, { activation }, specs);
        for (const { backend } of backends) {
          const [plain] = runOn(backend, linearOp, inputs, { activation }, specs);
          expect(largestError(plain!, expected!)).toBeLessThan(tolerance(k));
          expect(packedLinear(backend, inputs, activation, [m, n])).toEqual(plain);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("gives a row the same bits alone and among others, on one, two and three threads", () => {
    const random = generator(11);
    const [m, k, n] = [150, 1000, 333];
    const x = randomFloats([m, k], random);
    const inputs = [x, randomFloats([k, n], random), randomFloats([n], random)];
    const expected = packedLinear(single, inputs, "gelu", [m, n]);
    for (const { backend } of deterministic) {
      expect(firstDifference(packedLinear(backend, inputs, "gelu", [m, n]), expected)).toBeUndefined();
      for (const rows of [1, 2, 3, 4, 5, 7, 64]) {
        for (const first of [0, 17, m - rows]) {
          const part = float32(x.data as Float32Array, [rows, k], [k, 1], first * k);
          const actual = packedLinear(backend, [part, ...inputs.slice(1)], "gelu", [rows, n]);
          expect(firstDifference(actual, expected.subarray(first * n, (first + rows) * n))).toBeUndefined();
        }
      }
    }
  });

  it("gives a row the same bits alone and among others with fused multiply-adds too", ({ skip }) => {
    const relaxed = backends.find(({ backend }) => backend.runtime.relaxedSimd)?.backend;
    if (!relaxed) return skip("this engine has no relaxed SIMD");
    const random = generator(12);
    const [m, k, n] = [79, 700, 77];
    const x = randomFloats([m, k], random);
    const inputs = [x, randomFloats([k, n], random), randomFloats([n], random)];
    const expected = packedLinear(relaxed, inputs, "gelu", [m, n]);
    for (const rows of [1, 2, 3, 4, 9, 32, 33]) {
      for (let first = 0; first + rows <= m; first += rows) {
        const part = float32(x.data as Float32Array, [rows, k], [k, 1], first * k);
        const actual = packedLinear(relaxed, [part, ...inputs.slice(1)], "gelu", [rows, n]);
        expect(firstDifference(actual, expected.subarray(first * n, (first + rows) * n))).toBeUndefined();
      }
    }
  });

  it("sums in blocks of 256 terms, in order: the same bits on every engine", () => {
    const random = generator(13);
    const [k, n] = [600, 3];
    const x = randomFloats([2, k], random);
    const w = randomFloats([k, n], random);
    const actual = packedLinear(single, [x, w], "none", [2, n]);
    for (let i = 0; i < 2; i++) {
      for (let j = 0; j < n; j++) {
        let total = 0;
        for (let start = 0; start < k; start += 256) {
          let sum = 0;
          for (let l = start; l < Math.min(k, start + 256); l++) {
            sum = Math.fround(sum + Math.fround(x.data[i * k + l]! * w.data[l * n + j]!));
          }
          total = start === 0 ? sum : Math.fround(total + sum);
        }
        expect(actual[i * n + j]).toBe(total);
      }
    }
  });
});

describe("the deterministic build", () => {
  it("gives these very bits, whichever engine compiles it", () => {
    const random = generator(2026);
    const hash = createHash("sha256");
    for (const [m, k, n] of [
      [1, 768, 50],
      [7, 300, 41],
      [130, 515, 72],
    ] as const) {
      const inputs = [randomFloats([m, k], random), randomFloats([k, n], random, 0.05), randomFloats([n], random)];
      for (const activation of ["none", "gelu"] as const) hash.update(packedLinear(single, inputs, activation, [m, n]));
    }
    expect(hash.digest("hex")).toBe("046fd02ab5e8d15cf27959b10b7441bbe41cd0881804b9091ce1aa45984e0a8a");
  });
});

describe("packed matrices", () => {
  it("read back as the matrix they were packed from, whatever its strides", () => {
    fc.assert(
      fc.property(size, size, fc.integer(), (rows, columns, seed) => {
        const random = generator(seed);
        const host = randomFloats([rows, columns], random);
        const source = scattered(host, random);
        for (const { backend } of backends) {
          const view = upload(backend, source);
          const packed = backend.pack(view);
          if (rows * columns > 0) expect(backend.readSync(packed.storage)).toEqual(host.data);
          if (packed.storage !== view.storage) packed.storage.release();
          view.storage.release();
        }
      }),
      { numRuns: 100 },
    );
  });

  it("are unpacked, and recorded, for an op that does not know them", () => {
    const random = generator(21);
    const host = randomFloats([6, 10], random);
    const source = upload(single, host);
    const packed = single.pack(source);
    single.fallbacks.clear();
    const out = wholeView(single.allocate("float32", 40), [4, 10]);
    // Rows 2..5 of the packed matrix: a part of it is not in panels of its own.
    const part: View<"float32"> = { ...packed, shape: [4, 10], offset: 20 };
    const probe = { name: "matmul", reference: matmulOp.reference };
    const identity = upload(
      single,
      float32(
        Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0)),
        [4, 4],
      ),
    );
    single.execute(probe, [identity, part], undefined, [out]);
    expect(single.readSync(out.storage)).toEqual((host.data as Float32Array).slice(20));
    expect(single.fallbacks.entries()).toEqual([{ op: "matmul", reason: "part of a packed matrix", count: 1 }]);
  });
});

/** Where two results differ in their bits, if they do. */
function firstDifference(actual: Float32Array, expected: Float32Array): string | undefined {
  expect(actual.length).toBe(expected.length);
  const at = actual.findIndex((value, i) => !Object.is(value, expected[i]));
  return at < 0 ? undefined : `${actual[at]} is not ${expected[at]} at ${at}`;
}

function upload(backend: (typeof backends)[number]["backend"], host: HostView): View<"float32"> {
  const storage = backend.upload("float32", host.data as Float32Array);
  storage.retain();
  const { shape, strides, offset } = host;
  return { storage, dtype: "float32", shape, strides, offset };
}

/** linear with its weights packed. */
function packedLinear(
  backend: (typeof backends)[number]["backend"],
  inputs: readonly HostView[],
  activation: "none" | "gelu",
  shape: readonly [number, number],
): Float32Array {
  const [x, w, bias] = inputs.map((input) => upload(backend, input));
  const packed = backend.pack(w!);
  const out = wholeView(backend.allocate("float32", sizeOf(shape)), shape);
  out.storage.retain();
  backend.execute(linearOp, bias ? [x!, packed, bias] : [x!, packed], { activation }, [out]);
  // Its own copy: what readSync returns is the storage itself.
  const result = (backend.readSync(out.storage) as Float32Array).slice();
  for (const view of [x!, w!, out, ...(bias ? [bias] : []), ...(packed.storage === w!.storage ? [] : [packed])]) {
    view.storage.release();
  }
  return result;
}
