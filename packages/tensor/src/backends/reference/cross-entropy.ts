import type { CpuView, Kernel } from "../backend.ts";
import { checkedIndex } from "./indexing.ts";
import { matmulKernel } from "./matmul.ts";
import { roomLike } from "./room.ts";
import { logNormalizer } from "./softmax.ts";

/** Rows whose logits exist at once. */
const ROWS = 64;

/**
 * logProbs[i] = z[t] − m − log Σⱼ e^(z[j] − m) and logSumExp[i] = m + log Σⱼ e^(z[j] − m), where z [V] are the logits of row i, as matmul
 * rounds them, m the largest of them and t = targets[i]: x [R, K], w [K, V], targets, logProbs and logSumExp [R].
 */
export const targetLogProbsKernel: Kernel<undefined> = (inputs, _, outputs) => {
  const x = inputs[0]!;
  const w = inputs[1]!;
  const targets = inputs[2]!;
  const logProbs = outputs[0]!;
  const logSumExp = outputs[1]!;
  const [R, V] = [x.shape[0]!, w.shape[1]!];
  const row = new Float64Array(V);
  for (let start = 0; start < R; start += ROWS) {
    const { logits, shape } = logitsOf(x, w, start, Math.min(ROWS, R - start));
    for (let i = 0; i < shape[0]!; i++) {
      row.set(logits.subarray(i * V, (i + 1) * V));
      const target = checkedIndex(
        "targetLogProbs",
        targets.data[targets.offset + (start + i) * targets.strides[0]!]!,
        V,
      );
      const { largest, logSum } = logNormalizer(row);
      logProbs.data[logProbs.offset + start + i] = row[target]! - largest - logSum;
      logSumExp.data[logSumExp.offset + start + i] = Number.isFinite(largest) ? largest + logSum : largest;
    }
  }
};

/** x·w for `count` rows of x from row `start` on. */
function logitsOf(x: CpuView, w: CpuView, start: number, count: number) {
  const shape = [count, w.shape[1]!];
  const logits = roomLike(x, shape[0]! * shape[1]!);
  const rows = { ...x, shape: [count, x.shape[1]!], offset: x.offset + start * x.strides[0]! };
  const out = { ...x, data: logits, shape, strides: [shape[1]!, 1], offset: 0 };
  matmulKernel([rows, w], undefined, [out]);
  return { logits, shape };
}
