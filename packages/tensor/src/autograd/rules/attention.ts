import type { View } from "../../backends/backend.ts";
import type { AttentionParams } from "../../backends/reference/attention.ts";
import { GradientError } from "../../errors.ts";
import { ones } from "../../functional/creation.ts";
import { where } from "../../functional/elementwise.ts";
import { concat, tril } from "../../functional/rows.ts";
import { attentionOp, attentionWeightsOp } from "../../ops/attention.ts";
import { attentionBackward } from "../../ops/backward/attention.ts";
import { type Tensor, wrap } from "../../tensor.ts";
import { type RuleEntry, rule, type Taped } from "../rule.ts";
import { softmaxGradient } from "./normalization.ts";

export const attentionRules: readonly RuleEntry[] = [
  // p·V, p = softmax(scale·Q·Kᵀ), for each head and segment: pᵀ·dy for V; ds = scale·∂softmax(dy·Vᵀ), then ds·K for Q and dsᵀ·Q for K
  rule(attentionOp, {
    saves: (needs, params) => ({ inputs: needs.map(() => true), outputs: [isFused(params)] }),
    gradients: (taped) => {
      const { dy, input, output, params } = taped;
      expectFloats(taped);
      if (isFused(params)) {
        const [query, key, value] = [input(0), input(1), input(2)];
        return attentionBackward(query, key, value, output(), dy, params).map((gradient) => wrap(gradient) as Tensor);
      }
      const pieces: (readonly [Tensor, Tensor, Tensor])[] = [];
      const ofPast = new Map<number, Tensor>();
      for (const { start, length, past } of params.segments) {
        const rows = (x: Tensor): Tensor => x.slice(0 as number, start, start + length) as Tensor;
        const [query, key, value] = [0, 1, 2].map((i) => rows(input(i))) as [Tensor, Tensor, Tensor];
        const keys = past < 0 ? key : join(input(past), key);
        const values = past < 0 ? value : join(input(past + 1), value);
        const p = probabilities(query, keys, params);
        const dRows = byHead(rows(dy));
        const dValues = byRow(multiply(p.transpose() as Tensor, dRows));
        const dp = multiply(dRows, byHead(values).transpose() as Tensor);
        const [dQuery, dKeys] = throughScores(softmaxGradient(dp, p), query, keys, params.scale);
        const P = keys.shape[0]! - length;
        pieces.push([dQuery, after(dKeys, P), after(dValues, P)]);
        if (past < 0) continue;
        add(ofPast, past, dKeys.slice(0 as number, 0, P) as Tensor);
        add(ofPast, past + 1, dValues.slice(0 as number, 0, P) as Tensor);
      }
      const joined = [0, 1, 2].map((i) =>
        pieces.length > 0 ? (concat(pieces.map((piece) => piece[i]!)) as Tensor) : undefined,
      );
      return taped.needs.map((_, i) => joined[i] ?? ofPast.get(i));
    },
  }),
  // p alone, of one segment
  rule(attentionWeightsOp, {
    saves: (needs) => ({ inputs: needs.map(() => true), outputs: [true] }),
    gradients: (taped) => {
      const { dy, input, output, params } = taped;
      expectFloats(taped);
      const [query, key] = [input(0), input(1)];
      const past = params.segments[0]!.past;
      const keys = past < 0 ? key : join(input(past), key);
      const P = keys.shape[0]! - key.shape[0]!;
      const [dQuery, dKeys] = throughScores(softmaxGradient(dy, output()), query, keys, params.scale);
      return [dQuery, after(dKeys, P), past < 0 ? undefined : (dKeys.slice(0 as number, 0, P) as Tensor)];
    },
  }),
];

/** Whether no segment has a past, as in training: then there is an operation for it. */
function isFused({ segments }: AttentionParams): boolean {
  return segments.every(({ past }) => past < 0);
}

/** [rows, H, D] as [H, rows, D], and back. */
const byHead = (x: Tensor): Tensor => x.permute([1, 0, 2]) as Tensor;
const byRow = byHead;

const multiply = (a: Tensor, b: Tensor): Tensor => a.matmul(b as Tensor<never>) as Tensor;

const join = (past: Tensor, rows: Tensor): Tensor => concat([past, rows]) as Tensor;

const after = (x: Tensor, rows: number): Tensor => x.slice(0 as number, rows) as Tensor;

/** The probabilities [H, T, P + T] of queries [T, H, D] over keys [P + T, H, D], computed again. */
function probabilities(query: Tensor, keys: Tensor, { scale, causal }: AttentionParams): Tensor {
  const scores = multiply(byHead(query), byHead(keys).transpose() as Tensor).mul(scale) as Tensor;
  if (!causal) return scores.softmax(-1 as number);
  const [, T, all] = scores.shape as readonly [number, number, number];
  const seen = tril(ones([T, all], { device: query.device }), all - T);
  return where(seen.eq(0), Number.NEGATIVE_INFINITY, scores).softmax(-1 as number) as Tensor;
}

/** The gradients by queries and keys, from those by the scores [H, T, P + T]. */
function throughScores(ds: Tensor, query: Tensor, keys: Tensor, scale: number): readonly [Tensor, Tensor] {
  const scaled = ds.mul(scale) as Tensor;
  const dQuery = byRow(multiply(scaled, byHead(keys)));
  return [dQuery, byRow(multiply(scaled.transpose() as Tensor, byHead(query)))];
}

function add(sums: Map<number, Tensor>, i: number, gradient: Tensor): void {
  const sum = sums.get(i);
  sums.set(i, sum ? (sum.add(gradient) as Tensor) : gradient);
}

/** Encoded keys and values cannot be computed with. */
function expectFloats({ operands }: Taped): void {
  const encoded = operands.find(({ dtype }: View) => dtype !== "float32");
  if (encoded === undefined) return;
  throw new GradientError("attention", "has no gradient by queries where keys and values are encoded (encodeVectors)");
}
