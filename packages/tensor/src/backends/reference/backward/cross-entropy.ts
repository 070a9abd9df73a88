import type { CpuView, Kernel } from "../../backend.ts";
import { targetLogProbsKernel } from "../cross-entropy.ts";
import { checkedIndex } from "../indexing.ts";
import { exp } from "../math.ts";
import { matmulKernel } from "../matmul.ts";

/** As targetLogProbs, and the logits [R, V]. */
export const targetLogProbsWithLogitsKernel: Kernel<undefined> = (inputs, params, [logProbs, logSumExp, logits]) => {
  targetLogProbsKernel(inputs, params, [logProbs!, logSumExp!]);
  matmulKernel([inputs[0]!, inputs[1]!], undefined, [logits!]);
};

export interface TargetLogProbsBackwardParams {
  /** Whether the gradient of w is computed, and added to what is there. */
  readonly weight: boolean;
  /** Whether there are logits, which may be overwritten. */
  readonly logits: boolean;
}

/**
 * The gradients of log p(t) = z[t] − l and of l = log Σ e^z, where z = x·w are the logits of a row and t is its target:
 * dz[j] = (dLogProb if j = t) + (dLogSumExp − dLogProb)·e^(z[j] − l); dx = dz·wᵀ, dw += xᵀ·dz.
 * x and dx [R, K]; w and dw [K, V]; targets, logSumExp (as targetLogProbs gave it), dLogProbs and dLogSumExp [R]. Outputs: dx; the
 * logits [R, V], if they are there; dw, if it is wanted.
 */
export const targetLogProbsBackwardKernel: Kernel<TargetLogProbsBackwardParams> = (
  inputs,
  { weight, logits },
  outputs,
) => {
  const [x, w, targets, logSumExp, dLogProbs, dLogSumExp] = inputs as readonly [
    ...[CpuView, CpuView, CpuView, CpuView, CpuView, CpuView],
  ];
  const [dx] = outputs as readonly [CpuView];
  const z = logits ? outputs[1] : undefined;
  const [R, K] = x.shape as readonly [number, number];
  const V = w.shape[1]!;
  const sums = new Float64Array(K * V);
  const dz = new Float64Array(V);
  for (let i = 0; i < R; i++) {
    const target = checkedIndex("targetLogProbsBackward", vectorAt(targets, i), V);
    const share = vectorAt(dLogSumExp, i) - vectorAt(dLogProbs, i);
    dz.fill(0);
    if (z) for (let j = 0; j < V; j++) dz[j] = z.data[place(z, i, j)]!;
    for (let k = 0; k < K && !z; k++) {
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
  if (!weight) return;
  const dw = outputs.at(-1)!;
  for (let k = 0; k < K; k++) {
    for (let j = 0; j < V; j++) dw.data[place(dw, k, j)] = dw.data[place(dw, k, j)]! + sums[k * V + j]!;
  }
};

function vectorAt({ data, offset, strides }: CpuView, i: number): number {
  return data[offset + i * strides[0]!]!;
}

function place({ offset, strides }: CpuView, row: number, column: number): number {
  return offset + row * strides[0]! + column * strides[1]!;
}
