import { describe, expect, it } from "vitest";
import type { Op } from "../../src/backends/backend.ts";
import type { DType } from "../../src/dtype.ts";
import { layerNormOp } from "../../src/ops/normalize.ts";
import * as reduce from "../../src/ops/reduce.ts";
import { logSoftmaxOp, softmaxOp } from "../../src/ops/softmax.ts";
import { sizeOf } from "../../src/shape.ts";
import {
  firstDifference,
  float32,
  generator,
  type HostView,
  normals,
  randomFloats,
  runOn,
  runReference,
  scattered,
  wasmBackends,
} from "./harness.ts";

const backends = wasmBackends();

const V = 50_257;

/** Largest error in units of the last place of float32; those of numbers below `least` as of `least`. */
function ulps(actual: ArrayLike<number>, expected: ArrayLike<number>, least = 2 ** -126): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Object.is(a, e)) continue;
    const size = Math.max(least, Math.abs(e));
    const error = Math.abs(a - e) / 2 ** (Math.floor(Math.log2(size)) - 23);
    worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
  }
  return worst;
}

/** Runs on every backend; checks errors against the reference, and that threads do not change a bit. */
function check<Params>(
  op: Op<Params>,
  inputs: readonly HostView[],
  params: Params,
  output: { readonly dtype: DType; readonly shape: readonly number[] },
  most: number,
  least?: number,
): void {
  const [expected] = runReference(op, inputs, params, [output]);
  let first: ArrayLike<number> | undefined;
  for (const { name, backend } of backends) {
    const [actual] = runOn(backend, op, inputs, params, [output]);
    const context = `${op.name} of ${inputs.map(({ shape }) => `[${shape}]`)}, ${name}`;
    expect(ulps(actual!, expected!, least), context).toBeLessThanOrEqual(most);
    if (name === "relaxed") continue;
    first ??= actual!;
    expect(firstDifference(actual!, first), context).toBe(-1);
  }
}

const shapes = [[1], [5], [3, 0], [0, 3], [2, 1], [4, 3], [7, 8], [2, 3, 17], [1, 768], [40, 768], [3, V]];

describe("ops along rows on wasm", () => {
  it("softmax errs by at most 3 ulps, also over a vocabulary and of strided rows", () => {
    const random = generator(1);
    for (const shape of shapes) {
      const x = randomFloats(shape, random, 6);
      check(softmaxOp, [x], undefined, { dtype: "float32", shape }, 3);
      if (sizeOf(shape) < 10_000) check(softmaxOp, [scattered(x, random)], undefined, { dtype: "float32", shape }, 3);
    }
  });

  it("logSoftmax errs by at most 1 ulp of numbers from 1 on, and by 2⁻²³ of smaller ones", () => {
    const random = generator(2);
    for (const shape of shapes) {
      const x = randomFloats(shape, random, 6);
      check(logSoftmaxOp, [x], undefined, { dtype: "float32", shape }, 1, 1);
      if (sizeOf(shape) < 10_000)
        check(logSoftmaxOp, [scattered(x, random)], undefined, { dtype: "float32", shape }, 1, 1);
    }
  });

  it("layerNorm errs by at most 2 ulps of its terms, and of a row with a mean far from zero too", () => {
    const random = generator(3);
    for (const shape of shapes) {
      const C = shape.at(-1)!;
      const [weight, bias] = [randomFloats([C], random), randomFloats([C], random)];
      for (const centre of [0, 1000]) {
        const x = float32(
          normals(sizeOf(shape), random).map((value) => value + centre),
          shape,
        );
        check(layerNormOp, [x, weight, bias], { epsilon: 1e-5 }, { dtype: "float32", shape }, 2, 1);
        if (sizeOf(shape) < 10_000) {
          const views = [x, weight, bias].map((view) => scattered(view, random));
          check(layerNormOp, views, { epsilon: 1e-5 }, { dtype: "float32", shape }, 2, 1);
        }
      }
    }
  });

  it("keeps the bits of a row whatever rows stand around it", () => {
    const random = generator(4);
    const x = randomFloats([50, 771], random, 3);
    const [weight, bias] = [randomFloats([771], random), randomFloats([771], random)];
    const row: HostView = { ...x, shape: [1, 771], offset: 33 * 771 };
    const run = (view: HostView, rows: number): Float32Array[] =>
      backends.flatMap(({ backend }) => {
        const output = [{ dtype: "float32", shape: [rows, 771] }] as const;
        return [
          runOn(backend, softmaxOp, [view], undefined, output)[0] as Float32Array,
          runOn(backend, logSoftmaxOp, [view], undefined, output)[0] as Float32Array,
          runOn(backend, layerNormOp, [view, weight, bias], { epsilon: 1e-5 }, output)[0] as Float32Array,
        ];
      });
    const alone = run(row, 1);
    for (const [i, whole] of run(x, 50).entries()) {
      expect(firstDifference(whole.subarray(33 * 771, 34 * 771), alone[i]!)).toBe(-1);
    }
  });

  it("softmax and logSoftmax treat infinities and NaN as the reference does", () => {
    const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
    const x = float32(
      Float32Array.of(
        1,
        nan,
        3,
        0,
        0,
        inf,
        1,
        2,
        5,
        6,
        -inf,
        1,
        2,
        3,
        4,
        -inf,
        -inf,
        -inf,
        -inf,
        -inf,
        1e30,
        -1e30,
        3e38,
        3e38,
        0,
      ),
      [5, 5],
    );
    check(softmaxOp, [x], undefined, { dtype: "float32", shape: [5, 5] }, 1);
    check(logSoftmaxOp, [x], undefined, { dtype: "float32", shape: [5, 5] }, 1);
    check(reduce.logSumExpOp, [x], { axes: 1 }, { dtype: "float32", shape: [5] }, 1);
  });
});

describe("reductions on wasm", () => {
  const floats = [reduce.sumOp, reduce.meanOp, reduce.prodOp, reduce.logSumExpOp];
  const exact = [reduce.maxOp, reduce.minOp, reduce.argMaxOp, reduce.argMinOp];
  const leads = [[], [1], [3], [2, 3], [0], [300]];
  const reduced = [[1], [4], [7, 3], [16], [33], [2, 2, 2], [1003]];

  it("sums err by at most 1 ulp; extremes and their places are exact; for one axis or several, any strides", () => {
    const random = generator(5);
    for (const lead of leads) {
      for (const last of reduced) {
        const shape = [...lead, ...last];
        const x = randomFloats(shape, random);
        for (const view of [x, scattered(x, random)]) {
          for (const op of floats) {
            // A sum that nearly cancels is compared with its terms.
            check(
              op,
              [view],
              { axes: last.length },
              { dtype: "float32", shape: lead },
              1,
              op === reduce.prodOp ? undefined : 1,
            );
          }
          for (const op of exact) {
            const dtype = op === reduce.argMaxOp || op === reduce.argMinOp ? "int32" : "float32";
            check(op, [view], { axes: last.length }, { dtype, shape: lead }, 0);
          }
        }
      }
    }
  });

  it("reduce int32 and bool exactly", () => {
    const random = generator(6);
    for (const shape of [
      [1, 1],
      [3, 7],
      [2, 100],
    ]) {
      const common = { shape, strides: [shape[1]!, 1], offset: 0 };
      const ints: HostView = {
        ...common,
        dtype: "int32",
        data: Int32Array.from({ length: sizeOf(shape) }, () => Math.floor((random() - 0.5) * 2 ** 32)),
      };
      for (const op of [reduce.sumOp, reduce.prodOp, ...exact])
        check(op, [ints], { axes: 1 }, { dtype: "int32", shape: [shape[0]!] }, 0);
      for (const share of [0, 0.02, 0.5, 0.98, 1]) {
        const data = Uint8Array.from({ length: sizeOf(shape) }, () => (random() < share ? 1 : 0));
        const bools: HostView = { ...common, dtype: "bool", data };
        for (const op of [reduce.anyOp, reduce.allOp])
          check(op, [bools], { axes: 1 }, { dtype: "bool", shape: [shape[0]!] }, 0);
      }
    }
  });

  it("have the reference's values for no elements, NaN, both zeros and ties", () => {
    for (const op of floats)
      check(op, [float32(new Float32Array(0), [2, 0])], { axes: 1 }, { dtype: "float32", shape: [2] }, 0);
    const awkward = [0, -0, Number.NaN, 1, -1, Infinity, -Infinity];
    const random = generator(7);
    for (const length of [2, 3, 5, 16, 21, 40]) {
      for (const kinds of [2, 3, 5, 7]) {
        const data = Float32Array.from({ length: 20 * length }, () => awkward[Math.floor(random() * kinds)]!);
        // NaN in every row would hide the rest.
        if (kinds > 2) for (let i = 0; i < 10 * length; i++) if (Number.isNaN(data[i]!)) data[i] = 1;
        for (const op of exact) {
          const dtype = op === reduce.argMaxOp || op === reduce.argMinOp ? "int32" : "float32";
          check(op, [float32(data, [20, length])], { axes: 1 }, { dtype, shape: [20] }, 0);
        }
      }
    }
  });

  it("find the largest of a vocabulary", () => {
    const x = randomFloats([5, V], generator(8));
    for (const op of [reduce.argMaxOp, reduce.argMinOp]) check(op, [x], { axes: 1 }, { dtype: "int32", shape: [5] }, 0);
    check(reduce.cumsumOp, [x], undefined, { dtype: "float32", shape: [5, V] }, 1, 1);
  });
});
