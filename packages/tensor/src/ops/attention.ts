import { defineOp, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import {
  type AttentionParams,
  type AttentionSegment,
  attentionKernel,
  attentionWeightsKernel,
} from "../backends/reference/attention.ts";
import { ShapeMismatchError } from "../errors.ts";
import { expectDType, expectRank, expectShape } from "./checks.ts";

/** Keys and values of the positions before a segment, [P, H, D] each. */
export interface AttentionPast {
  readonly key: View;
  readonly value: View;
}

/** One of the sequences packed end to end in the T rows of an attention. */
export interface PackedSegment {
  /** Its first row. */
  readonly start: number;
  /** Its number of rows. */
  readonly length: number;
  /** What came before it; segments may share it. */
  readonly past?: AttentionPast | undefined;
}

export interface AttentionOptions {
  /** Multiplies the scores. Default: 1/√D. */
  readonly scale?: number | undefined;
  /** Whether a row sees only itself and what came before (default), or its whole segment. */
  readonly causal?: boolean | undefined;
  /** The sequences, which must tile the T rows in order. Default: one over all rows. */
  readonly segments?: readonly PackedSegment[] | undefined;
}

export const attentionOp = /* @__PURE__ */ defineOp("attention", attentionKernel);
/**
 * softmax(scale·q·kᵀ)·v for each head: q, k, v [T, H, D] → [T, H, D], float32. Row t of a segment sees the whole past of
 * its segment, then the segment's rows up to t (all of them if not causal).
 */
export function attention(q: View, k: View, v: View, options: AttentionOptions = {}): View {
  const [T, H, D] = expectQueries("attention", q);
  expectOperand("attention", "k", k, q.shape);
  expectOperand("attention", "v", v, q.shape);
  const { segments: packed = [{ start: 0, length: T }] } = options;
  const inputs = [q, k, v];
  const inputOf = new Map<AttentionPast, number>();
  const segments: AttentionSegment[] = [];
  let rows = 0;
  for (const { start, length, past } of packed) {
    if (start !== rows || !Number.isInteger(length) || length < 0) {
      const got = `start ${start} and length ${length}`;
      throw new ShapeMismatchError("attention", `segments must follow each other: expected start ${rows}, got ${got}`);
    }
    rows += length;
    if (past && !inputOf.has(past)) {
      expectPast("attention", "a past key", past.key, H, D);
      expectOperand("attention", "a past value", past.value, past.key.shape);
      inputOf.set(past, inputs.length);
      inputs.push(past.key, past.value);
    }
    segments.push({ start, length, past: past ? inputOf.get(past)! : -1 });
  }
  if (rows !== T) throw new ShapeMismatchError("attention", `segments of ${rows} rows do not fill q's ${T} rows`);
  const params = { ...scaleAndMask(options, D), segments };
  return dispatch(attentionOp, inputs, params, [{ dtype: "float32", shape: q.shape }])[0];
}

export const attentionWeightsOp = /* @__PURE__ */ defineOp("attentionWeights", attentionWeightsKernel);
/**
 * The probabilities by which {@link attention} weighs the values of one sequence with P past positions, q and k
 * [T, H, D], → [H, T, P + T]; 0 for what a row does not see.
 */
export function attentionWeights(
  q: View,
  k: View,
  options: Omit<AttentionOptions, "segments"> & { readonly past?: Pick<AttentionPast, "key"> | undefined } = {},
): View {
  const [T, H, D] = expectQueries("attentionWeights", q);
  expectOperand("attentionWeights", "k", k, q.shape);
  const inputs = [q, k];
  let P = 0;
  if (options.past) {
    const { key } = options.past;
    expectPast("attentionWeights", "the past key", key, H, D);
    P = key.shape[0]!;
    inputs.push(key);
  }
  const segments = [{ start: 0, length: T, past: options.past ? 2 : -1 }];
  const params = { ...scaleAndMask(options, D), segments };
  return dispatch(attentionWeightsOp, inputs, params, [{ dtype: "float32", shape: [H, T, P + T] }])[0];
}

function scaleAndMask({ scale, causal }: AttentionOptions, D: number): Omit<AttentionParams, "segments"> {
  return { scale: scale ?? 1 / Math.sqrt(D), causal: causal ?? true };
}

function expectQueries(op: string, q: View): readonly [number, number, number] {
  expectDType(op, "q", q, "float32");
  expectRank(op, "q", q, 3, "[T, H, D]");
  return q.shape as readonly number[] as readonly [number, number, number];
}

function expectOperand(op: string, what: string, view: View, shape: readonly number[]): void {
  expectDType(op, what, view, "float32");
  expectShape(op, what, view, shape);
}

function expectPast(op: string, what: string, key: View, H: number, D: number): void {
  expectRank(op, what, key, 3, "[P, H, D]");
  expectOperand(op, what, key, [key.shape[0]!, H, D]);
}
