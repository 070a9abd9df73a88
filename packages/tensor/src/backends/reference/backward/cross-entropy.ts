import type { CpuView, Kernel } from "../../backend.ts";
import { checkedIndex } from "../indexing.ts";
import { exp } from "../math.ts";

export interface TargetLogProbsBackwardParams {
  /** Whether the gradient of w is added to what is there. */
  readonly accumulate: boolean;
}

/**
 * The gradients of log p(t) = z[t] − l and of l = log Σ e^z, where z = x·w are the logits of a row and t is its target:
 * dz[j] = (dLogProb if j = t) + (dLogSumExp − dLogProb)·e^(z[j] − l); dx = dz·wᵀ, dw (+)= xᵀ·dz.
 * x and dx [R, K]; w and dw [K, V]; targets, logSumExp (as targetLogProbs gave it), dLogProbs and dLogSumExp [R].
 */
export const targetLogProbsBackwardKernel: Kernel<TargetLogProbsBackwardParams> = (inputs, { accumulate }, outputs) => {
  const [x, w, targets, logSumExp, dLogProbs, dLogSumExp] = inputs as readonly [
    ...[CpuView, CpuView, CpuView, CpuView, CpuView, CpuView],
  ];
  const [dx, dw] = outputs as readonly [CpuView, CpuView];
  const [R, K] = x.shape as readonly [number, number];
  const V = w.shape[1]!;
  const sums = new Float64Array(K * V);
  const dz = new Float64Array(V);
  for (let i = 0; i < R; i++) {
    const target = checkedIndex("targetLogProbsBackward", vectorAt(targets, i), V);
    const share = vectorAt(dLogSumExp, i) - vectorAt(dLogProbs, i);
    dz.fill(0);
    for (let k = 0; k < K; k++) {
      for (let j = 0; j < V; j++) dz[j] = dz[j]! + x.data[place(x, i, k)]! * w.data[place(w, k, j)]!;
    }
    for (let j = 0; j < V; j++) dz[j] = share * exp(dz[j]! - vectorAt(logSumExp, i));
    dz[target] = dz[target]! + vectorAt(dLogProbs, i);
    for (let k = 0; k < K; k++) {
      let sum = 0;
      for (let j = 0; j < V; j++) {
        sum += dz[j]! * w.data[place(w, k, j)]!;
        sums[k * V + j] = sums[k * V + j]! + x.data[place(x, i, k)]! * dz[j]!;
      }
      dx.data[place(dx, i, k)] = sum;
    }
  }
  for (let k = 0; k < K; k++) {
    for (let j = 0; j < V; j++) {
      const at = place(dw, k, j);
      dw.data[at] = accumulate ? dw.data[at]! + sums[k * V + j]! : sums[k * V + j]!;
    }
  }
};

function vectorAt({ data, offset, strides }: CpuView, i: number): number {
  return data[offset + i * strides[0]!]!;
}

function place({ offset, strides }: CpuView, row: number, column: number): number {
  return offset + row * strides[0]! + column * strides[1]!;
}
