import { describe, expect, it } from "vitest";
import { defineOp } from "../../src/backends/backend.ts";
import { type AttentionParams, attentionKernel } from "../../src/backends/reference/attention.ts";
import { encodeVectorsKernel } from "../../src/backends/reference/vectors.ts";
import type { MatrixEncoding } from "../../src/encodings/index.ts";
import { vectorBytes } from "../../src/encodings/vectors.ts";
import { contiguousStrides } from "../../src/shape.ts";
import {
  firstDifference,
  generator,
  type HostView,
  largestError,
  randomFloats,
  runOn,
  runReference,
  scattered,
  wasmBackends,
} from "./harness.ts";

const attention = defineOp("attention", attentionKernel);
const encodeVectors = defineOp("encodeVectors", encodeVectorsKernel);
const backends = wasmBackends();

/** Columns `first` to `first + H·D` of rows [T, 3·H·D] as [T, H, D]: how a model hands q, k and v over. */
function third(rows: HostView, which: 0 | 1 | 2, H: number, D: number): HostView {
  return { ...rows, shape: [rows.shape[0]!, H, D], strides: [3 * H * D, D, 1], offset: which * H * D };
}

function slice(view: HostView, start: number, end: number): HostView {
  return { ...view, shape: [end - start, ...view.shape.slice(1)], offset: view.offset + start * view.strides[0]! };
}

/** Keys or values [T, H, D] as an encoding keeps them. */
function kept(view: HostView, encoding: MatrixEncoding): HostView {
  if (encoding === "f32") return view;
  const shape = [view.shape[0]!, view.shape[1]!, vectorBytes(encoding, view.shape[2]!)];
  const [data] = runReference(encodeVectors, [view], { encoding }, [{ dtype: "uint8", shape }]);
  return { data: data!, dtype: "uint8", shape, strides: contiguousStrides(shape), offset: 0 };
}

interface Case {
  readonly T: number;
  readonly H: number;
  readonly D: number;
  /** Rows of the pasts. */
  readonly pasts: readonly number[];
  readonly segments: readonly { length: number; past: number }[];
  readonly causal?: boolean;
}

const cases: readonly Case[] = [
  { T: 1, H: 1, D: 1, pasts: [], segments: [{ length: 1, past: -1 }] },
  { T: 5, H: 2, D: 3, pasts: [], segments: [{ length: 5, past: -1 }] },
  { T: 70, H: 3, D: 8, pasts: [], segments: [{ length: 70, past: -1 }] },
  { T: 70, H: 3, D: 8, pasts: [], segments: [{ length: 70, past: -1 }], causal: false },
  { T: 1, H: 5, D: 12, pasts: [261], segments: [{ length: 1, past: 0 }] },
  { T: 3, H: 2, D: 64, pasts: [127], segments: [{ length: 3, past: 0 }] },
  {
    T: 34,
    H: 2,
    D: 20,
    pasts: [1, 130],
    segments: [
      { length: 30, past: 0 },
      { length: 0, past: -1 },
      { length: 4, past: 1 },
    ],
  },
  {
    T: 9,
    H: 2,
    D: 6,
    pasts: [33],
    segments: [
      { length: 1, past: 0 },
      { length: 2, past: 0 },
      { length: 1, past: 0 },
      { length: 5, past: -1 },
    ],
  },
  { T: 2, H: 1, D: 5, pasts: [0], segments: [{ length: 2, past: 0 }] },
  { T: 160, H: 1, D: 4, pasts: [100], segments: [{ length: 160, past: 0 }], causal: false },
];

function build(
  { T, H, D, pasts, segments, causal = true }: Case,
  seed: number,
  encoding: MatrixEncoding,
): { inputs: HostView[]; params: AttentionParams } {
  const random = generator(seed);
  const rows = randomFloats([T, 3 * H * D], random);
  const inputs = [third(rows, 0, H, D), kept(third(rows, 1, H, D), encoding), kept(third(rows, 2, H, D), encoding)];
  for (const P of pasts) {
    const [key, value] = [
      kept(randomFloats([P, H, D], random), encoding),
      kept(randomFloats([P, H, D], random), encoding),
    ];
    inputs.push(key, scattered(value, random));
  }
  let start = 0;
  const placed = segments.map(({ length, past }) => {
    const segment = { start, length, past: past < 0 ? -1 : 3 + 2 * past };
    start += length;
    return segment;
  });
  return { inputs, params: { scale: 1 / Math.sqrt(D), causal, segments: placed } };
}

// Where keys and values are int8, kernels make 16-bit integers of queries and weights too.
const bounds = { f32: 1e-6, bf16: 1e-6, int8: 2e-4 } as const;

describe.each(["f32", "bf16", "int8"] as const)("attention on wasm, keys and values in %s", (encoding) => {
  it("equals the reference for packed segments, pasts, strided operands and all sizes of D", () => {
    for (const [index, spec] of cases.entries()) {
      const { inputs, params } = build(spec, index + 1, encoding);
      const output = [{ dtype: "float32", shape: [spec.T, spec.H, spec.D] }] as const;
      const [expected] = runReference(attention, inputs, params, output);
      for (const { name, backend } of backends) {
        const [actual] = runOn(backend, attention, inputs, params, output);
        expect(largestError(actual!, expected!), `case ${index}, ${name}`).toBeLessThan(bounds[encoding]);
        expect(backend.fallbacks.entries()).toEqual([]);
      }
    }
  });

  it("gives the same bits on any number of threads", () => {
    for (const [index, spec] of cases.entries()) {
      const { inputs, params } = build(spec, index + 1, encoding);
      const output = [{ dtype: "float32", shape: [spec.T, spec.H, spec.D] }] as const;
      const [one, two, three] = backends.map(({ backend }) => runOn(backend, attention, inputs, params, output)[0]);
      expect(firstDifference(two!, one!), `case ${index}`).toBe(-1);
      expect(firstDifference(three!, one!), `case ${index}`).toBe(-1);
    }
  });

  it("gives a row the same bits in prefill, in decode with a cache, in pieces, and packed among others", () => {
    const [T, H, D] = [300, 3, 20];
    const random = generator(7);
    const q = randomFloats([T, H, D], random);
    const k = kept(randomFloats([T, H, D], random), encoding);
    const v = kept(randomFloats([T, H, D], random), encoding);
    const scale = 1 / Math.sqrt(D);
    for (const { name, backend } of backends) {
      const run = (inputs: HostView[], segments: AttentionParams["segments"], rows: number) =>
        runOn(backend, attention, inputs, { scale, causal: true, segments }, [
          { dtype: "float32", shape: [rows, H, D] },
        ])[0]!;
      const whole = run([q, k, v], [{ start: 0, length: T, past: -1 }], T);
      const rowsOf = (start: number, end: number) => whole.slice(start * H * D, end * H * D);
      for (const [past, end] of [
        [0, 1],
        [1, 2],
        [127, 128],
        [128, 129],
        [131, 132],
        [299, 300],
        [0, 7],
        [5, 90],
        [126, 131],
        [200, 300],
      ] as const) {
        const news = [q, k, v].map((view) => slice(view, past, end));
        const piece = run(
          [...news, slice(k, 0, past), slice(v, 0, past)],
          [{ start: 0, length: end - past, past: 3 }],
          end - past,
        );
        expect(firstDifference(piece, rowsOf(past, end)), `${name}: rows ${past} to ${end}`).toBe(-1);
      }
      // Rows 40 to 50 and 40 to 43 as two continuations of the same 40 rows, after an unrelated text.
      const packed = [q, k, v].map((view) => {
        const [row, last] = [view.strides[0]!, view.shape[2]!];
        const data = new (view.data.constructor as Float32ArrayConstructor)(33 * row);
        data.set(view.data.subarray(100 * row, 120 * row));
        data.set(view.data.subarray(40 * row, 50 * row), 20 * row);
        data.set(view.data.subarray(40 * row, 43 * row), 30 * row);
        return { ...view, data, shape: [33, H, last] };
      });
      const batch = run(
        [...packed, slice(k, 0, 40), slice(v, 0, 40)],
        [
          { start: 0, length: 20, past: -1 },
          { start: 20, length: 10, past: 3 },
          { start: 30, length: 3, past: 3 },
        ],
        33,
      );
      expect(firstDifference(batch.slice(20 * H * D, 30 * H * D), rowsOf(40, 50)), name).toBe(-1);
      expect(firstDifference(batch.slice(30 * H * D), rowsOf(40, 43)), name).toBe(-1);
    }
  });

  it("does not let NaN or infinity in a later row reach an earlier one", () => {
    const [T, H, D] = [40, 2, 8];
    const random = generator(3);
    const q = randomFloats([T, H, D], random);
    const k = randomFloats([T, H, D], random);
    const v = randomFloats([T, H, D], random);
    const output = [{ dtype: "float32", shape: [T, H, D] }] as const;
    const params = { scale: 0.3, causal: true, segments: [{ start: 0, length: T, past: -1 }] };
    for (const { backend } of backends) {
      const [clean] = runOn(backend, attention, [q, kept(k, encoding), kept(v, encoding)], params, output);
      const spoilt = [k, v].map((view, which) => {
        const data = view.data.slice() as Float32Array;
        data.fill(which === 0 ? Number.NaN : Number.POSITIVE_INFINITY, 30 * H * D);
        return kept({ ...view, data }, encoding);
      });
      const [result] = runOn(backend, attention, [q, ...spoilt], params, output);
      expect(firstDifference(result!.slice(0, 30 * H * D), clean!.slice(0, 30 * H * D))).toBe(-1);
      expect(result!.slice(30 * H * D).every(Number.isNaN)).toBe(true);
    }
  });
});
