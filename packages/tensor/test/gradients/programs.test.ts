import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  attention,
  concat,
  embedding,
  fromData,
  gather,
  layerNorm,
  linear,
  type Tensor,
  targetLogProbs,
  tidy,
  valueAndGrad,
} from "../../src/index.ts";
import { largestErrorOf } from "./finite-differences.ts";
import { Float64Backend } from "./float64-backend.ts";

type Matrix = Tensor<[number, number]>;
type Vector = Tensor<[number]>;
type Ids = Tensor<[number], "int32">;

const N = 3;

/** A line of a program: a function of three of the matrices `[N, N]` that are there, which makes another. `ids` are 2, 0, 2. */
const lines: Readonly<Record<string, (a: Matrix, b: Matrix, c: Matrix, ids: Ids) => Matrix>> = {
  add: (a, b) => a.add(b) as Matrix,
  subFromItself: (a) => a.sub(a) as Matrix,
  mul: (a, b) => a.mul(b) as Matrix,
  square: (a) => a.mul(a) as Matrix,
  matmul: (a, b) => a.matmul(b),
  matmulTransposed: (a, b) => a.T.matmul(b.T) as Matrix,
  tanh: (a) => a.tanh(),
  softmax: (a) => a.softmax(0),
  logSoftmax: (a) => a.T.logSoftmax(-1) as Matrix,
  transpose: (a) => a.T as Matrix,
  same: (a) => a,
  rowAdded: (a, b) => a.add(b.slice(0, 1, 2)) as Matrix,
  columnTimes: (a, b) => a.mul(b.slice(1, 2, 3)) as Matrix,
  rowStretched: (a) => a.slice(0, 0, 1).expand([N, N]) as Matrix,
  sumsStretched: (a) => a.sum(1).unsqueeze(1).expand([N, N]) as Matrix,
  otherOrder: (a) => a.T.reshape([N * N]).reshape([N, N]) as Matrix,
  everyOther: (a, b) => concat([a.slice(0, 0, N, 2), b.slice(0, 1, 2)], 0) as Matrix,
  swapped: (a) => concat([...a.split([1, 2], 1)].reverse() as [Matrix, Matrix], 1) as Matrix,
  written: (a, b) => {
    const copy = a.add(0) as Matrix;
    copy.slice(1, 0, 2).copy_(b.slice(1, 1, 3) as never);
    return copy;
  },
  writtenTwice: (a, b, c) => {
    const copy = a.mul(2) as Matrix;
    copy.select(0, 1).copy_(b.select(1, 0) as never);
    const before = copy.tanh();
    copy.slice(0, 1, 3).copy_(c.slice(0, 0, 2) as never);
    return copy.mul(before) as Matrix;
  },
  linear: (a, b, c) => linear(a, b, c.select(0, 2) as Vector, { activation: "gelu" }),
  layerNorm: (a, b, c) => layerNorm(a, b.select(0, 0) as Vector, c.select(1, 1) as Vector, 0.1),
  attention: (a, b, c) => {
    const [q, k, v] = [a, b, c].map((x) => x.reshape([N, 1, N]) as Tensor<[number, number, number]>);
    const segments = [
      { start: 0, length: 2 },
      { start: 2, length: 1 },
    ];
    return attention(q!, k!, v!, { segments }).reshape([N, N]) as Matrix;
  },
  attentionOfParts: (a, b) => {
    const [q, k, v] = concat([a, b, a], 1).split([N, N, N], 1) as unknown as [Matrix, Matrix, Matrix];
    const heads = (x: Matrix) => x.reshape([N, N, 1]) as Tensor<[number, number, number]>;
    return attention(heads(q), heads(k), heads(v)).reshape([N, N]) as Matrix;
  },
  embedding: (a, _b, _c, ids) => embedding(a, ids) as Matrix,
  gather: (a, _b, _c, ids) => gather(a, 0, ids.unsqueeze(0).expand([N, N]) as never) as unknown as Matrix,
  targetLogProbs: (a, b, c, ids) => c.add(targetLogProbs(a, b.T as Matrix, ids).logProbs) as Matrix,
  disposed: (a, b) => {
    const sum = a.add(b);
    const result = sum.mul(sum);
    sum.dispose();
    return result as Matrix;
  },
};

const program = fc.array(
  fc.record({ line: fc.constantFrom(...Object.keys(lines)), of: fc.tuple(fc.nat(), fc.nat(), fc.nat()) }),
  { minLength: 1, maxLength: 6 },
);
type Program = typeof program extends fc.Arbitrary<infer P> ? P : never;

/** Runs a program on some matrices; the loss is the sum of the last results, each element weighted. */
function run(program: Program, parameters: readonly Matrix[], ids: Ids, weight: Matrix): Tensor<[]> {
  return tidy(() => {
    const there = [...parameters];
    for (const { line, of } of program) {
      const [a, b, c] = of.map((n) => there[there.length - 1 - (n % there.length)]!);
      there.push(lines[line]!(a!, b!, c!, ids));
    }
    const [last, before] = [there.at(-1)!, there.at(-2)!];
    const untouched = parameters.map((x) => x.sum()).reduce((sum, x) => sum.add(x));
    return last.add(before.mul(0.5)).mul(weight).sum().add(untouched.mul(0.125)) as Tensor<[]>;
  });
}

/** Three parameters: a whole memory, a transposed one, and a window onto a larger one. */
function setting(device: Float64Backend) {
  const values = (length: number, seed: number) => Array.from({ length }, (_, i) => Math.sin(1.7 * i + seed) * 0.8);
  const whole = fromData(values(N * N, 1), [N, N], { device }) as Matrix;
  const base = fromData(values(N * N, 2), [N, N], { device }) as Matrix;
  const larger = fromData(values(5 * 7, 3), [5, 7], { device }) as Matrix;
  const parameters = [whole, base.T as Matrix, larger.slice(0, 1, 4).slice(1, 0, 6, 2) as Matrix];
  const ids = fromData([2, 0, 2], [N], { device, dtype: "int32" }) as Ids;
  const weight = fromData(values(N * N, 4), [N, N], { device }) as Matrix;
  return { parameters, ids, weight };
}

describe("programs of operations, views and writes in place", () => {
  it("have gradients that are their slopes, and leave no memory behind", () => {
    fc.assert(
      fc.property(program, (program) => {
        const device = new Float64Backend();
        const { parameters, ids, weight } = setting(device);
        expect(largestErrorOf(device, parameters, () => run(program, parameters, ids, weight))).toBeLessThan(1e-6);
      }),
      { numRuns: 100, seed: 15 },
    );
  });

  it("have twice the gradients when these are added to what there is", () => {
    fc.assert(
      fc.property(program, (program) => {
        const device = new Float64Backend();
        const { parameters, ids, weight } = setting(device);
        const loss = () => run(program, parameters, ids, weight);
        const { gradients } = valueAndGrad(parameters, loss);
        const once = gradients.map((gradient) => gradient.dataSync().map((x) => 2 * x));
        const { gradients: twice } = valueAndGrad(parameters, loss, { into: gradients });
        for (const [n, gradient] of twice.entries()) {
          expect(gradient.storage).toBe(gradients[n]!.storage);
          for (const [i, x] of gradient.dataSync().entries()) expect(x).toBeCloseTo(once[n]![i]!, 9);
        }
      }),
      { numRuns: 30, seed: 15 },
    );
  });
});
