import { defineOp, type View } from "../backends/backend.ts";
import { dispatch } from "../backends/dispatch.ts";
import {
  type AttentionParams,
  type AttentionSegment,
  attentionKernel,
  attentionWeightsKernel,
} from "../backends/reference/attention.ts";
import { vectorBytes, vectorEncodingOf } from "../encodings/vectors.ts";
import { ShapeMismatchError } from "../errors.ts";
import { showShape } from "../shape.ts";
import { expectDType, expectRank, expectShape } from "./checks.ts";

/** Keys and values of the positions before a segment, [P, H, D] each, or encoded. */
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
 * its segment, then the segment's rows up to t (all of them if not causal). Keys and values, all of them, may be what
 * encodeVectors made of [T, H, D].
 */
export function attention(q: View, k: View, v: View, options: AttentionOptions = {}): View {
  const [T, H, D] = expectQueries("attention", q);
  expectVectors("attention", "k", k, [T, H, D]);
  expectLike("attention", "v", v, k, T);
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
      expectPast("attention", "a past key", past.key, k);
      expectLike("attention", "a past value", past.value, k, past.key.shape[0]!);
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
  expectVectors("attentionWeights", "k", k, [T, H, D]);
  const inputs = [q, k];
  let P = 0;
  if (options.past) {
    const { key } = options.past;
    expectPast("attentionWeights", "the past key", key, k);
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

/** Keys or values [T, H, D], or what an encoding makes of them. */
function expectVectors(op: string, what: string, view: View, [T, H, D]: readonly [number, number, number]): void {
  expectDType(op, what, view, "float32", "uint8");
  if (view.dtype === "float32") {
    expectShape(op, what, view, [T, H, D]);
    return;
  }
  expectRank(op, what, view, 3, "[T, H, bytes]");
  if (vectorEncodingOf(view.shape[2]!, D) === undefined) {
    const sizes = (["bf16", "int8"] as const).map((encoding) => `${vectorBytes(encoding, D)} (${encoding})`);
    const got = `got ${showShape(view.shape)}`;
    throw new ShapeMismatchError(op, `vectors of ${D} numbers take ${sizes.join(" or ")} bytes in ${what}, ${got}`);
  }
  expectShape(op, what, view, [T, H, view.shape[2]!]);
}

/** The same number of vectors, kept in the same way. */
function expectLike(op: string, what: string, view: View, { dtype, shape }: View, rows: number): void {
  expectDType(op, what, view, dtype);
  expectShape(op, what, view, [rows, ...shape.slice(1)]);
}

function expectPast(op: string, what: string, key: View, k: View): void {
  expectDType(op, what, key, k.dtype);
  expectRank(op, what, key, 3, "[P, H, D]");
  expectLike(op, what, key, k, key.shape[0]!);
}
