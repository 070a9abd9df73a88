import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CpuView, defineOp } from "../../src/backends/backend.ts";
import { attentionKernel } from "../../src/backends/reference/attention.ts";
import { decodeVectors, encodeVectorsKernel } from "../../src/backends/reference/vectors.ts";
import { type VectorEncoding, vectorBytes, vectorEncodingOf } from "../../src/encodings/vectors.ts";
import { contiguousStrides } from "../../src/shape.ts";
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

const encodeVectors = defineOp("encodeVectors", encodeVectorsKernel);
const attention = defineOp("attention", attentionKernel);
const encodings: readonly VectorEncoding[] = ["bf16", "int8"];
const backends = wasmBackends();

function outputOf({ shape }: HostView, encoding: VectorEncoding) {
  return [{ dtype: "uint8", shape: [shape[0]!, shape[1]!, vectorBytes(encoding, shape[2]!)] }] as const;
}

/** A vector's numbers after a round trip through its bytes. */
function roundTrip(numbers: readonly number[], encoding: VectorEncoding): Float32Array {
  const view = float32(Float32Array.from(numbers), [1, 1, numbers.length]);
  const spec = outputOf(view, encoding);
  const [data] = runReference(encodeVectors, [view], { encoding }, spec);
  const { shape, dtype } = spec[0];
  const encoded = { data: data!, shape, dtype, strides: contiguousStrides(shape), offset: 0 };
  return decodeVectors(encoded as unknown as CpuView, numbers.length).data;
}

const vectors = fc.array(fc.float({ noNaN: true, min: -1e4, max: 1e4 }), { minLength: 1, maxLength: 70 });

describe("vectors in fewer bits", () => {
  it("take 2 bytes a number in bf16, 1 and a scale in int8, in whole 16 bytes", () => {
    expect([1, 8, 9, 64].map((length) => vectorBytes("bf16", length))).toEqual([16, 16, 32, 128]);
    expect([1, 16, 17, 64].map((length) => vectorBytes("int8", length))).toEqual([20, 20, 36, 68]);
    expect(vectorBytes("f32", 64)).toBe(256);
    for (const encoding of encodings) {
      for (let length = 1; length < 200; length++) {
        expect(vectorEncodingOf(vectorBytes(encoding, length), length)).toBe(encoding);
      }
    }
    expect(vectorEncodingOf(64, 64)).toBeUndefined();
  });

  it("become, on every backend, the bytes that the reference makes of them", () => {
    const special = [Number.NaN, Infinity, -Infinity, 0, -0, 1e-31, 2 ** -149, 3.4e38, 0.5, 1.5, 2.5, -127, 126.5];
    for (let D = 1; D <= 40; D++) {
      const random = generator(D);
      const [T, H] = [5, 3];
      const plain = randomFloats([T, H, D], random);
      for (let d = 0; d < D; d++) plain.data[2 * H * D + d] = special[(d + D) % special.length]!;
      for (let d = 0; d < D; d++) plain.data[3 * H * D + d] = special[3 + ((d + D) % 3)]!; // 0, −0 and what counts as 0
      for (const view of [plain, scattered(plain, random)]) {
        for (const encoding of encodings) {
          const [expected] = runReference(encodeVectors, [view], { encoding }, outputOf(view, encoding));
          for (const { name, backend } of backends) {
            const [actual] = runOn(backend, encodeVectors, [view], { encoding }, outputOf(view, encoding));
            expect(firstDifference(actual!, expected!), `${encoding}, D ${D}, ${name}`).toBe(-1);
            expect(backend.fallbacks.entries()).toEqual([]);
          }
        }
      }
    }
  });

  it("lose at most half a step: 2^-8 of a number in bf16, 1/254 of the largest in int8", () => {
    fc.assert(
      fc.property(vectors, (numbers) => {
        const most = Math.max(...numbers.map(Math.abs));
        for (const [d, kept] of roundTrip(numbers, "bf16").entries()) {
          expect(Math.abs(kept - numbers[d]!)).toBeLessThanOrEqual(Math.abs(numbers[d]!) * 2 ** -8 + 2 ** -134);
        }
        for (const [d, kept] of roundTrip(numbers, "int8").entries()) {
          expect(Math.abs(kept - numbers[d]!)).toBeLessThanOrEqual((most / 254) * (1 + 1e-5) + 2 ** -100);
        }
      }),
    );
  });

  it("of integers 127 or fewer times a power of two come back as they were", () => {
    const exact = fc.tuple(
      fc.array(fc.integer({ min: -127, max: 127 }), { maxLength: 40 }),
      fc.integer({ min: -20, max: 20 }),
    );
    fc.assert(
      fc.property(exact, ([integers, power]) => {
        const numbers = [...integers, 127].map((integer) => integer * 2 ** power);
        expect(Array.from(roundTrip(numbers, "int8"), (x) => x + 0)).toEqual(numbers.map((x) => x + 0));
        expect(Array.from(roundTrip(numbers, "bf16"), (x) => x + 0)).toEqual(numbers.map((x) => x + 0));
      }),
    );
  });

  it("in bf16 give attention the bits that the rounded float32 vectors give it", () => {
    const random = generator(11);
    const [T, H] = [40, 2];
    for (const D of [64, 20]) {
      const [q, k, v] = [0, 1, 2].map(() => randomFloats([T, H, D], random)) as [HostView, HostView, HostView];
      const rounded = [k, v].map((view) => {
        const data = new Float32Array(view.data.length);
        for (let at = 0; at < data.length; at += D) {
          data.set(roundTrip(Array.from(view.data.subarray(at, at + D)), "bf16"), at);
        }
        return { ...view, data };
      });
      const encoded = [k, v].map((view): HostView => {
        const spec = outputOf(view, "bf16");
        const [data] = runReference(encodeVectors, [view], { encoding: "bf16" as const }, spec);
        return { data: data!, ...spec[0], strides: contiguousStrides(spec[0].shape), offset: 0 };
      });
      const output = [{ dtype: "float32", shape: [T, H, D] }] as const;
      for (const length of [T, 1]) {
        const segments = Array.from({ length: T / length }, (_, i) => ({ start: i * length, length, past: -1 }));
        const params = { scale: 1 / Math.sqrt(D), causal: true, segments };
        for (const { name, backend } of backends) {
          const [expected] = runOn(backend, attention, [q, ...rounded], params, output);
          const [actual] = runOn(backend, attention, [q, ...encoded], params, output);
          expect(firstDifference(actual!, expected!), `${name}, D ${D}`).toBe(-1);
        }
      }
    }
  });
});
