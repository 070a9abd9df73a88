import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ActivationName } from "../../src/backends/reference/backward/activation.ts";
import { attentionOp } from "../../src/ops/attention.ts";
import { activationBackwardOp } from "../../src/ops/backward/activation.ts";
import { adamWOp } from "../../src/ops/backward/adamw.ts";
import { attentionBackwardOp } from "../../src/ops/backward/attention.ts";
import { columnSumsOp } from "../../src/ops/backward/columns.ts";
import { targetLogProbsBackwardOp } from "../../src/ops/backward/cross-entropy.ts";
import { embeddingBackwardOp } from "../../src/ops/backward/embedding.ts";
import { matmulIntoOp } from "../../src/ops/backward/matmul.ts";
import { squaredNormOp } from "../../src/ops/backward/norm.ts";
import { layerNormBackwardOp } from "../../src/ops/backward/normalize.ts";
import { logSoftmaxBackwardOp, softmaxBackwardOp } from "../../src/ops/backward/softmax.ts";
import { matmulOp } from "../../src/ops/matmul.ts";
import { logSumExpOp } from "../../src/ops/reduce.ts";
import { logSoftmaxOp, softmaxOp } from "../../src/ops/softmax.ts";
import {
  firstDifference,
  float32,
  generator,
  type HostView,
  randomFloats,
  runReference,
  scattered,
  wasmBackends,
} from "../wasm-kernels/harness.ts";
import { type Call, call, elements, expectSameEverywhere, zeros } from "./harness.ts";

const backends = wasmBackends();

const activations: readonly ActivationName[] = ["gelu", "geluExact", "quickGelu", "relu", "sigmoid", "silu", "tanh"];

function ids(length: number, below: number, random: () => number): HostView {
  const data = Int32Array.from({ length }, () => Math.floor(random() * below));
  return { data, dtype: "int32", shape: [length], strides: [1], offset: 0 };
}

function positive(shape: readonly number[], random: () => number): HostView {
  const view = randomFloats(shape, random, 0.1);
  return { ...view, data: view.data.map((x: number) => x * x) };
}

/** Result of an op on the reference, as an operand. */
function made(op: typeof matmulOp, inputs: readonly HostView[], shape: readonly number[], params?: unknown): HostView {
  return float32(
    runReference(op, inputs, params as undefined, [{ dtype: "float32", shape }])[0] as Float32Array,
    shape,
  );
}

const sizes = fc.record({
  rows: fc.integer({ min: 0, max: 40 }),
  columns: fc.integer({ min: 1, max: 40 }),
  seed: fc.integer({ min: 0, max: 1e6 }),
});

/** Each subject with sizes of its own, then once with sizes that are split over threads. */
function property(
  title: string,
  large: readonly [number, number],
  check: (rows: number, columns: number, random: () => number) => void,
): void {
  it(title, () => {
    fc.assert(
      fc.property(sizes, ({ rows, columns, seed }) => check(rows, columns, generator(seed))),
      // One element near -1.28, where the slope of silu is nearly 0.
      { numRuns: 12, examples: [[{ rows: 1, columns: 1, seed: 999_992 }]] },
    );
    check(large[0], large[1], generator(1));
  });
}

describe("backward kernels on wasm are the reference's, with the same bits on any threads and of any strides", () => {
  property("columnSums", [777, 203], (rows, columns, random) => {
    const plain = { op: columnSumsOp, inputs: [randomFloats([rows, columns], random)], params: undefined };
    expectSameEverywhere(backends, { ...plain, outputs: [zeros([columns])] }, 1e-6, random);
  });

  property("squaredNorm", [900, 301], (rows, columns, random) => {
    const plain = { op: squaredNormOp, inputs: [randomFloats([rows, columns], random)], params: undefined };
    expectSameEverywhere(backends, { ...plain, outputs: [zeros([])] }, 2e-7, random);
  });

  property("layerNormBackward", [600, 131], (rows, columns, random) => {
    const shapes = [[rows, columns], [columns], [rows, columns]];
    const inputs = shapes.map((shape) => randomFloats(shape, random));
    const outputs = [[rows, columns], [columns], [columns]].map(zeros);
    expectSameEverywhere(
      backends,
      { op: layerNormBackwardOp, inputs, params: { epsilon: 1e-5 }, outputs },
      1e-6,
      random,
    );
  });

  for (const activation of activations) {
    property(`activationBackward: ${activation}`, [257, 65], (rows, columns, random) => {
      const inputs = [randomFloats([rows, columns], random, 4), randomFloats([rows, columns], random)];
      const outputs = [zeros([rows, columns])];
      expectSameEverywhere(
        backends,
        { op: activationBackwardOp, inputs, params: { activation }, outputs },
        5e-7,
        random,
      );
    });
  }

  it("activationBackward at the ends of the numbers", () => {
    const x = float32(Float32Array.from([0, -0, 40, -40, 1e30, -1e30, Infinity, -Infinity, NaN]), [9]);
    const dy = float32(new Float32Array(9).fill(1), [9]);
    for (const activation of activations) {
      const plain: Call<{ activation: ActivationName }> = {
        ...{ op: activationBackwardOp, inputs: [x, dy], params: { activation }, outputs: [zeros([9])] },
      };
      const [expected] = runReference(activationBackwardOp, plain.inputs, plain.params, [
        { dtype: "float32", shape: [9] },
      ]);
      for (const { backend } of backends) {
        const [actual] = call(backend, plain);
        for (let i = 0; i < 9; i++) {
          const [got, wanted] = [actual![i]!, expected![i]!];
          const close = Math.abs(got - wanted) < 1e-6 || (Number.isNaN(got) && Number.isNaN(wanted));
          expect(close, `${activation}(${x.data[i]}): ${got}, not ${wanted}`).toBe(true);
        }
      }
    }
  });

  for (const [op, forward] of [
    [softmaxBackwardOp, softmaxOp],
    [logSoftmaxBackwardOp, logSoftmaxOp],
  ] as const) {
    property(op.name, [300, 131], (rows, columns, random) => {
      const y = made(forward, [randomFloats([rows, columns], random)], [rows, columns]);
      const inputs = [y, randomFloats([rows, columns], random)];
      expectSameEverywhere(
        backends,
        { op, inputs, params: undefined, outputs: [zeros([rows, columns])] },
        1e-6,
        random,
      );
    });
  }

  property("embeddingBackward", [900, 203], (rows, columns, random) => {
    const inputs = [ids(rows, 7, random), randomFloats([rows, columns], random)];
    const plain = { op: embeddingBackwardOp, inputs, params: undefined, outputs: [randomFloats([7, columns], random)] };
    expectSameEverywhere(backends, plain, 2e-6, random, true);
  });

  property("matmulInto", [170, 200], (rows, columns, random) => {
    const terms = Math.floor(random() * 600);
    const inputs = [randomFloats([rows, terms], random), randomFloats([terms, columns], random)];
    for (const accumulate of [false, true]) {
      const outputs = [randomFloats([rows, columns], random)];
      expectSameEverywhere(backends, { op: matmulIntoOp, inputs, params: { accumulate }, outputs }, 2e-6, random, true);
    }
  });

  property("targetLogProbsBackward", [300, 5], (rows, terms, random) => {
    const V = rows === 300 ? 7500 : 1 + Math.floor(random() * 300);
    const [x, w] = [randomFloats([rows, terms], random), randomFloats([terms, V], random)];
    const logits = made(matmulOp, [x, w], [rows, V]);
    const lse = made(logSumExpOp as never, [logits], [rows], { axes: 1 });
    const inputs = [x, w, ids(rows, V, random), lse, randomFloats([rows], random), randomFloats([rows], random)];
    const dx = zeros([rows, terms]);
    const dw = randomFloats([terms, V], random);
    const op = targetLogProbsBackwardOp;
    const again = { op, inputs, params: { weight: true, logits: false }, outputs: [dx, dw] };
    expectSameEverywhere(backends, again, 1e-5, random, true);
    // Logits that were kept give the same bits.
    for (const { name, backend } of backends) {
      const z = float32(
        call(backend, { op: matmulOp, inputs: [x, w], params: undefined, outputs: [logits] })[0] as Float32Array,
        [rows, V],
      );
      const kept = { op, inputs, params: { weight: true, logits: true }, outputs: [dx, z, dw] };
      const [ofX, , ofW] = call(backend, kept);
      const [x2, w2] = call(backend, again);
      expect(firstDifference(ofX!, x2!), name).toBe(-1);
      expect(firstDifference(ofW!, w2!), name).toBe(-1);
      const frozen = { op, inputs, params: { weight: false, logits: true }, outputs: [dx, z] };
      expect(firstDifference(call(backend, frozen)[0]!, x2!), name).toBe(-1);
    }
  });

  property("adamW", [400, 301], (rows, columns, random) => {
    const shape = [rows, columns];
    const params = {
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      gradientScale: 0.7,
      keep: 0.999,
      rate: 0.01,
      correction: 1.3,
    };
    const outputs = [randomFloats(shape, random), randomFloats(shape, random, 0.1), positive(shape, random)];
    const plain = { op: adamWOp, inputs: [randomFloats(shape, random, 0.1)], params, outputs };
    expectSameEverywhere(backends, plain, 1e-6, random, true);
    // All of them transposed alike: as they lie.
    const flipped = (view: HostView): HostView => ({ ...view, shape: [columns, rows], strides: [1, columns] });
    const inPlace = { ...plain, inputs: plain.inputs.map(flipped), outputs: outputs.map(flipped) };
    for (const { backend } of backends) {
      const expected = call(backend, plain);
      for (const [i, result] of call(backend, inPlace).entries())
        expect(firstDifference(result, expected[i]!)).toBe(-1);
    }
  });

  it("attentionBackward, of packed sequences as of each alone", () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 80 }), { minLength: 1, maxLength: 3 });
    const shape = fc.record({
      H: fc.integer({ min: 1, max: 3 }),
      D: fc.integer({ min: 1, max: 20 }),
      causal: fc.boolean(),
    });
    const check = (
      all: readonly number[],
      { H, D, causal }: { H: number; D: number; causal: boolean },
      seed: number,
    ) => {
      const random = generator(seed);
      const T = all.reduce((sum, length) => sum + length, 0);
      const segments = all.map((length, i) => ({
        start: all.slice(0, i).reduce((sum, other) => sum + other, 0),
        length,
      }));
      const [q, k, v, dy] = Array.from({ length: 4 }, () => randomFloats([T, H, D], random)) as [
        HostView,
        HostView,
        HostView,
        HostView,
      ];
      const params = { scale: 0.3, causal, segments };
      const withPast = { ...params, segments: segments.map((segment) => ({ ...segment, past: -1 })) };
      const y = made(attentionOp as never, [q, k, v], [T, H, D], withPast);
      const outputs = Array.from({ length: 3 }, () => zeros([T, H, D]));
      const plain = { op: attentionBackwardOp, inputs: [q, k, v, y, dy], params, outputs };
      expectSameEverywhere(backends, plain, 3e-6, random);
      for (const { backend } of backends) {
        const packed = call(backend, plain);
        for (const { start, length } of segments) {
          const rows = (view: HostView): HostView => ({ ...view, shape: [length, H, D], offset: start * H * D });
          const alone = call(backend, {
            ...{
              op: attentionBackwardOp,
              inputs: plain.inputs.map(rows),
              outputs: outputs.map(() => zeros([length, H, D])),
            },
            params: { scale: 0.3, causal, segments: [{ start: 0, length }] },
          });
          for (const [i, part] of alone.entries()) {
            const whole = packed[i]!.subarray(start * H * D, (start + length) * H * D);
            expect(firstDifference(part, whole)).toBe(-1);
          }
        }
      }
    };
    fc.assert(fc.property(lengths, shape, fc.integer({ min: 0, max: 1e6 }), check), { numRuns: 20 });
    check([130, 33], { H: 4, D: 64, causal: true }, 5);
  });
});

describe("products", () => {
  it("of transposed operands have the bits of the same operands in order", () => {
    const random = generator(4);
    const [a, b] = [randomFloats([70, 300], random), randomFloats([300, 90], random)];
    const flip = ({ data, shape: [m, n] }: HostView): HostView => {
      const flipped = new Float32Array(data.length);
      for (let i = 0; i < m!; i++) for (let j = 0; j < n!; j++) flipped[j * m! + i] = data[i * n! + j]!;
      return float32(flipped, [m!, n!], [1, m!]);
    };
    for (const { backend } of backends) {
      const [expected] = call(backend, { op: matmulOp, inputs: [a, b], params: undefined, outputs: [zeros([70, 90])] });
      for (const inputs of [
        [flip(a), b],
        [a, flip(b)],
        [flip(a), flip(b)],
      ]) {
        for (const outputs of [[zeros([70, 90])], [flip(zeros([70, 90]))], [scattered(zeros([70, 90]), random)]]) {
          const [actual] = call(backend, { op: matmulIntoOp, inputs, params: { accumulate: false }, outputs });
          expect(firstDifference(elements(outputs[0]!, actual!), expected!)).toBe(-1);
        }
      }
    }
  });

  it("of 768 rows have the bits of three of 256 rows, added", () => {
    const random = generator(6);
    const [x, dy] = [randomFloats([768, 50], random), randomFloats([768, 60], random)];
    const transposed = (first: number, rows: number): HostView => ({
      ...{ ...x, shape: [50, rows], strides: [1, 50], offset: first * 50 },
    });
    const rows = (first: number, count: number): HostView => ({ ...dy, shape: [count, 60], offset: first * 60 });
    for (const { backend } of backends) {
      const product = (first: number, count: number, into: HostView, accumulate: boolean) =>
        call(backend, {
          ...{ op: matmulIntoOp, inputs: [transposed(first, count), rows(first, count)], params: { accumulate } },
          outputs: [into],
        })[0] as Float32Array;
      const all = product(0, 768, zeros([50, 60]), false);
      let sum = product(0, 256, zeros([50, 60]), false);
      for (const first of [256, 512]) sum = product(first, 256, float32(sum, [50, 60]), true);
      expect(firstDifference(sum, all)).toBe(-1);
    }
  });
});
