import type { CpuView, Kernel } from "../backend.ts";
import { softmaxInPlace } from "./softmax.ts";
import { decodeVectors } from "./vectors.ts";

/** One of the sequences packed end to end: rows `start` to `start + length` of q, k and v. */
export interface AttentionSegment {
  readonly start: number;
  readonly length: number;
  /** Which input holds the keys of earlier tokens (their values are the next input), or -1 for none. */
  readonly past: number;
}

export interface AttentionParams {
  /** Multiplies the scores before the softmax: 1/√D in GPT-2. */
  readonly scale: number;
  /** Whether a token sees only the tokens up to itself. */
  readonly causal: boolean;
  readonly segments: readonly AttentionSegment[];
}

/**
 * out[t, h, :] = Σⱼ pⱼ·V[j, h, :], p = softmaxⱼ(scale·q[t, h, :]·K[j, h, :]), where K and V are the past rows of t's
 * segment followed by its new rows (up to t when causal). ("Attention Is All You Need", 2017, eq. 1.)
 * q, k, v, out [T, H, D]; pastK, pastV [P, H, D]. Keys and values may be encoded (vectors.ts).
 */
export const attentionKernel: Kernel<AttentionParams> = (operands, params, outputs) => {
  const inputs = decoded(operands);
  const v = inputs[2]!;
  const out = outputs[0]!;
  const D = out.shape[2]!;
  const sums = new Float64Array(D);
  forEachQuery(inputs, params, (t, h, probabilities, { past, start }) => {
    const pastV = past < 0 ? undefined : inputs[past + 1]!;
    const P = pastV?.shape[0] ?? 0;
    sums.fill(0);
    for (let j = 0; j < probabilities.length; j++) {
      const p = probabilities[j]!;
      const values = pastV && j < P ? pastV : v;
      const from = vectorAt(values, j < P ? j : start + j - P, h);
      for (let d = 0; d < D; d++) sums[d] = sums[d]! + p * values.data[from + d * values.strides[2]!]!;
    }
    const to = vectorAt(out, t, h);
    for (let d = 0; d < D; d++) out.data[to + d * out.strides[2]!] = sums[d]!;
  });
};

/**
 * out[h, t, j] = pⱼ of the same softmax, for exactly one segment that spans T; 0 for what t does not see.
 * q, k [T, H, D], past k [P, H, D]; out [H, T, P + T].
 */
export const attentionWeightsKernel: Kernel<AttentionParams> = (operands, params, outputs) => {
  const inputs = decoded(operands);
  const out = outputs[0]!;
  const [, rows, columns] = out.shape as readonly [number, number, number];
  forEachQuery(inputs, params, (t, h, probabilities) => {
    const to = out.offset + (h * rows + t) * columns;
    for (let j = 0; j < columns; j++) out.data[to + j] = probabilities[j] ?? 0;
  });
};

/** Operands with the numbers of those that are encoded. */
function decoded(operands: readonly CpuView[]): CpuView[] {
  const D = operands[0]!.shape[2]!;
  return operands.map((view) => (view.dtype === "uint8" ? decodeVectors(view, D) : view));
}

/** Visits every query (row t, head h) with its probabilities over the keys that it sees. */
function forEachQuery(
  inputs: readonly CpuView[],
  { scale, causal, segments }: AttentionParams,
  visit: (t: number, h: number, probabilities: Float64Array, segment: AttentionSegment) => void,
): void {
  const q = inputs[0]!;
  const k = inputs[1]!;
  const [, H, D] = q.shape as readonly [number, number, number];
  for (const segment of segments) {
    const pastK = segment.past < 0 ? undefined : inputs[segment.past]!;
    const P = pastK?.shape[0] ?? 0;
    const scores = new Float64Array(P + segment.length);
    for (let h = 0; h < H; h++) {
      for (let i = 0; i < segment.length; i++) {
        const query = vectorAt(q, segment.start + i, h);
        const seen = scores.subarray(0, P + (causal ? i + 1 : segment.length));
        for (let j = 0; j < seen.length; j++) {
          const keys = pastK && j < P ? pastK : k;
          const key = vectorAt(keys, j < P ? j : segment.start + j - P, h);
          let dot = 0;
          for (let d = 0; d < D; d++)
            dot += q.data[query + d * q.strides[2]!]! * keys.data[key + d * keys.strides[2]!]!;
          seen[j] = scale * dot;
        }
        softmaxInPlace(seen);
        visit(segment.start + i, h, seen, segment);
      }
    }
  }
}

/** Element number of `view[row, head, 0]`. */
function vectorAt({ offset, strides }: CpuView, row: number, head: number): number {
  return offset + row * strides[0]! + head * strides[1]!;
}
