import type { CpuView, Kernel } from "../../backend.ts";
import { softmaxInPlace } from "../softmax.ts";

export interface AttentionBackwardParams {
  readonly scale: number;
  readonly causal: boolean;
  /** The sequences, one behind the other. */
  readonly segments: readonly { readonly start: number; readonly length: number }[];
}

/**
 * The gradients of attention without a past, y = p·V with p = softmax(scale·q·Kᵀ), for each head, row t and row j that it sees:
 * ds[j] = p[j]·(dy·V[j] − dy·y); dq = scale·Σⱼ ds[j]·K[j]; dK[j] += scale·ds[j]·q; dV[j] += p[j]·dy.
 * (dy·y is Σⱼ p[j]·(dy·V[j]): Dao, "FlashAttention-2", 2023, section 2.3.) q, k, v, y, dy and all results [T, H, D].
 */
export const attentionBackwardKernel: Kernel<AttentionBackwardParams> = (inputs, params, outputs) => {
  const [q, k, v, y, dy] = inputs as readonly [CpuView, CpuView, CpuView, CpuView, CpuView];
  const [dq, dk, dv] = outputs as readonly [CpuView, CpuView, CpuView];
  const { scale, causal, segments } = params;
  const [, H, D] = q.shape as readonly [number, number, number];
  for (const { start, length } of segments) {
    for (let h = 0; h < H; h++) {
      const keySums = new Float64Array(length * D);
      const valueSums = new Float64Array(length * D);
      const querySums = new Float64Array(D);
      for (let i = 0; i < length; i++) {
        const t = start + i;
        const p = new Float64Array(causal ? i + 1 : length);
        for (let j = 0; j < p.length; j++) p[j] = scale * dot(q, t, k, start + j, h);
        softmaxInPlace(p);
        const delta = dot(dy, t, y, t, h);
        querySums.fill(0);
        for (let j = 0; j < p.length; j++) {
          const ds = scale * p[j]! * (dot(dy, t, v, start + j, h) - delta);
          for (let d = 0; d < D; d++) {
            querySums[d] = querySums[d]! + ds * element(k, start + j, h, d);
            keySums[j * D + d] = keySums[j * D + d]! + ds * element(q, t, h, d);
            valueSums[j * D + d] = valueSums[j * D + d]! + p[j]! * element(dy, t, h, d);
          }
        }
        for (let d = 0; d < D; d++) dq.data[place(dq, t, h, d)] = querySums[d]!;
      }
      for (let j = 0; j < length; j++) {
        for (let d = 0; d < D; d++) {
          dk.data[place(dk, start + j, h, d)] = keySums[j * D + d]!;
          dv.data[place(dv, start + j, h, d)] = valueSums[j * D + d]!;
        }
      }
    }
  }
};

function place({ offset, strides }: CpuView, row: number, head: number, d: number): number {
  return offset + row * strides[0]! + head * strides[1]! + d * strides[2]!;
}

function element(view: CpuView, row: number, head: number, d: number): number {
  return view.data[place(view, row, head, d)]!;
}

/** The product of vectors of one head. */
function dot(a: CpuView, rowA: number, b: CpuView, rowB: number, head: number): number {
  let sum = 0;
  for (let d = 0; d < a.shape[2]!; d++) sum += element(a, rowA, head, d) * element(b, rowB, head, d);
  return sum;
}
