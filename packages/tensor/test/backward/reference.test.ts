import { describe, expect, it } from "vitest";
import type { Op } from "../../src/backends/backend.ts";
import type { ActivationName } from "../../src/backends/reference/backward/activation.ts";
import { fromData } from "../../src/index.ts";
import { attentionOp } from "../../src/ops/attention.ts";
import { activationBackwardOp } from "../../src/ops/backward/activation.ts";
import { adamWStep } from "../../src/ops/backward/adamw.ts";
import { attentionBackwardOp } from "../../src/ops/backward/attention.ts";
import { columnSumsOp } from "../../src/ops/backward/columns.ts";
import { targetLogProbsBackwardOp } from "../../src/ops/backward/cross-entropy.ts";
import { embeddingBackwardOp } from "../../src/ops/backward/embedding.ts";
import { matmulIntoOp } from "../../src/ops/backward/matmul.ts";
import { squaredNormOp } from "../../src/ops/backward/norm.ts";
import { layerNormBackwardOp } from "../../src/ops/backward/normalize.ts";
import { logSoftmaxBackwardOp, softmaxBackwardOp } from "../../src/ops/backward/softmax.ts";
import { embeddingOp } from "../../src/ops/embedding.ts";
import { matmulOp } from "../../src/ops/matmul.ts";
import { layerNormOp } from "../../src/ops/normalize.ts";
import { logSoftmaxOp, softmaxOp } from "../../src/ops/softmax.ts";
import { geluExactOp, geluOp, quickGeluOp, reluOp, sigmoidOp, siluOp, tanhOp } from "../../src/ops/unary.ts";
import { generator } from "../wasm-kernels/harness.ts";
import { type Doubles, dot, doubles, expectGradient, runDoubles } from "./harness.ts";

const random = generator(11);
const ids = { data: Int32Array.from([2, 0, 2, 4, 2]), dtype: "int32", shape: [5], strides: [1], offset: 0 } as const;

describe("the backward kernels that define the others are the gradients of the forward ones, by differences in float64", () => {
  /** Of Σ weights·op(x), in one of the operands. */
  const lossOf =
    <P>(op: Op<P>, inputs: readonly (Doubles | typeof ids)[], params: P, weights: Doubles) =>
    (): number =>
      dot(runDoubles(op, inputs, params, [weights.shape])[0]!, weights.data);

  it("layerNorm", () => {
    const [x, weight, bias, dy] = [[3, 7], [7], [7], [3, 7]].map((shape) => doubles(shape, random)) as [
      Doubles,
      Doubles,
      Doubles,
      Doubles,
    ];
    const params = { epsilon: 1e-5 };
    const gradients = runDoubles(layerNormBackwardOp, [x, weight, dy], params, [[3, 7], [7], [7]]);
    const loss = lossOf(layerNormOp, [x, weight, bias], params, dy);
    for (const [i, operand] of [x, weight, bias].entries()) expectGradient(operand, gradients[i]!, loss);
    expect(runDoubles(columnSumsOp, [dy], undefined, [[7]])[0]).toEqual(gradients[2]);
  });

  const activations: Readonly<Record<ActivationName, Op<undefined>>> = {
    ...{ gelu: geluOp, geluExact: geluExactOp, quickGelu: quickGeluOp, relu: reluOp, sigmoid: sigmoidOp },
    ...{ silu: siluOp, tanh: tanhOp },
  };
  it.for(Object.keys(activations) as ActivationName[])("%s", (activation) => {
    const [x, dy] = [doubles([4, 9], random, 3), doubles([4, 9], random)];
    const [dx] = runDoubles(activationBackwardOp, [x, dy], { activation }, [[4, 9]]);
    expectGradient(x, dx!, lossOf(activations[activation], [x], undefined, dy));
  });

  it.for([
    [softmaxOp, softmaxBackwardOp],
    [logSoftmaxOp, logSoftmaxBackwardOp],
  ] as const)("softmax and its logarithm", ([forward, backward]) => {
    const [x, dy] = [doubles([3, 6], random, 2), doubles([3, 6], random)];
    const y = { data: runDoubles(forward, [x], undefined, [[3, 6]])[0]!, shape: [3, 6] };
    expectGradient(x, runDoubles(backward, [y, dy], undefined, [[3, 6]])[0]!, lossOf(forward, [x], undefined, dy));
  });

  it.for([true, false])("attention, causal: %s", (causal) => {
    const shape = [7, 2, 3];
    const [q, k, v, dy] = Array.from({ length: 4 }, () => doubles(shape, random)) as [
      Doubles,
      Doubles,
      Doubles,
      Doubles,
    ];
    const segments = [
      { start: 0, length: 4, past: -1 },
      { start: 4, length: 3, past: -1 },
    ];
    const params = { scale: 0.7, causal, segments };
    const y = { data: runDoubles(attentionOp, [q, k, v], params, [shape])[0]!, shape };
    const gradients = runDoubles(attentionBackwardOp, [q, k, v, y, dy], params, [shape, shape, shape]);
    const loss = lossOf(attentionOp, [q, k, v], params, dy);
    for (const [i, operand] of [q, k, v].entries()) expectGradient(operand, gradients[i]!, loss);
  });

  it("embedding, where one row is chosen three times and others never", () => {
    const [table, dy, before] = [doubles([6, 3], random), doubles([5, 3], random), doubles([6, 3], random)];
    const [sum] = runDoubles(embeddingBackwardOp, [ids, dy], undefined, [before]);
    const added = sum!.map((x, i) => x - before.data[i]!);
    expectGradient(table, added, lossOf(embeddingOp, [table, ids], undefined, dy));
  });

  it("products", () => {
    const [a, b, dy] = [doubles([3, 4], random), doubles([4, 5], random), doubles([3, 5], random)];
    const flipped = ({ data, shape }: Doubles) => ({
      ...{ data, dtype: "float32", shape: shape.toReversed(), strides: [1, shape[1]!], offset: 0 },
    });
    const loss = lossOf(matmulOp, [a, b], undefined, dy);
    const [da] = runDoubles(matmulIntoOp, [dy, flipped(b) as never], { accumulate: false }, [doubles([3, 4], random)]);
    const before = doubles([4, 5], random);
    const [sum] = runDoubles(matmulIntoOp, [flipped(a) as never, dy], { accumulate: true }, [before]);
    expectGradient(a, da!, loss);
    expectGradient(
      b,
      sum!.map((x, i) => x - before.data[i]!),
      loss,
    );
  });

  it.for([true, false])("log-probabilities of targets, of logits that were kept: %s", (logits) => {
    const [R, K, V] = [5, 3, 6];
    const [x, w, dLogProbs, dLogSumExp] = [[R, K], [K, V], [R], [R]].map((shape) => doubles(shape, random)) as [
      Doubles,
      Doubles,
      Doubles,
      Doubles,
    ];
    const z = (): Doubles => ({ data: runDoubles(matmulOp, [x, w], undefined, [[R, V]])[0]!, shape: [R, V] });
    const sums = (): Float64Array => {
      const { data } = z();
      return Float64Array.from({ length: R }, (_, i) =>
        Math.log(data.subarray(i * V, (i + 1) * V).reduce((sum, e) => sum + Math.exp(e), 0)),
      );
    };
    const loss = (): number => {
      const [{ data }, l] = [z(), sums()];
      return l.reduce(
        (sum, each, i) => sum + dLogProbs.data[i]! * (data[i * V + ids.data[i]!]! - each) + dLogSumExp.data[i]! * each,
        0,
      );
    };
    const before = doubles([K, V], random);
    const inputs = [x, w, ids, { data: sums(), shape: [R] }, dLogProbs, dLogSumExp];
    const outputs = [doubles([R, K], random), ...(logits ? [z()] : []), before];
    const results = runDoubles(targetLogProbsBackwardOp, inputs, { weight: true, logits }, outputs);
    expectGradient(x, results[0]!, loss);
    expectGradient(
      w,
      results.at(-1)!.map((sum, i) => sum - before.data[i]!),
      loss,
    );
  });
});

describe("AdamW", () => {
  it("takes the steps that the paper's formulas take", () => {
    const [rate, beta1, beta2, epsilon, decay] = [0.01, 0.9, 0.95, 1e-8, 0.1];
    const n = 5;
    let [w, m, v] = [doubles([n], random).data, new Float64Array(n), new Float64Array(n)];
    const tensors = [w, m, v].map((data) => fromData(Float32Array.from(data), [n], { device: "reference" }));
    for (let step = 1; step <= 4; step++) {
      const g = doubles([n], random).data.map(Math.fround);
      const scaled = g.map((x) => 0.5 * x);
      m = m.map((x, i) => beta1 * x + (1 - beta1) * scaled[i]!);
      v = v.map((x, i) => beta2 * x + (1 - beta2) * scaled[i]! ** 2);
      w = w.map((x, i) => {
        const [mean, square] = [m[i]! / (1 - beta1 ** step), v[i]! / (1 - beta2 ** step)];
        return x - rate * decay * x - (rate * mean) / (Math.sqrt(square) + epsilon);
      });
      const gradient = fromData(Float32Array.from(g), [n], { device: "reference" });
      const [weight, first, second] = tensors as [typeof gradient, typeof gradient, typeof gradient];
      const options = { learningRate: rate, beta1, beta2, epsilon, weightDecay: decay, step, gradientScale: 0.5 };
      adamWStep(weight, gradient, first, second, options);
      for (const [i, x] of weight.dataSync().entries()) expect(Math.abs(x - w[i]!)).toBeLessThan(5e-7);
    }
  });
});

it("the squared norm is the sum of squares", () => {
  const x = doubles([3, 4], random);
  expect(runDoubles(squaredNormOp, [x], undefined, [[]])[0]![0]).toBeCloseTo(dot(x.data, x.data), 12);
});
