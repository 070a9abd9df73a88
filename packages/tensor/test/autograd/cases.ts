/** A small call of every operation with a gradient, and of functions that are made of them. */
import type { Backend } from "../../src/backends/backend.ts";
import * as api from "../../src/index.ts";
import { attention, attentionWeights, fromData, type Tensor, targetLogProbs } from "../../src/index.ts";
import { normal, positive, vector } from "./differences.ts";

type Make = (device: Backend) => readonly Tensor[];
export type Case = readonly [title: string, make: Make, f: (...xs: Tensor[]) => Tensor];

const one =
  (...shape: number[]): Make =>
  (device) => [normal(shape, 1, device)];
const ofPositive =
  (...shape: number[]): Make =>
  (device) => [positive(shape, 1, device)];
const two =
  (a: number[], b: number[]): Make =>
  (device) => [normal(a, 1, device), normal(b, 2, device)];
const ints = (values: readonly number[], shape: readonly number[], device: Backend) =>
  fromData(values, shape, { dtype: "int32", device }) as Tensor<readonly number[], "int32">;
const loose = (x: unknown) => x as Tensor<never>;

export const cases: readonly Case[] = [
  ["add, broadcast both ways", two([3, 1, 2], [4, 1]), (a, b) => a.add(loose(b)) as Tensor],
  ["sub", two([2, 3], [3]), (a, b) => a.sub(loose(b)) as Tensor],
  ["mul", two([2, 3], [2, 1]), (a, b) => a.mul(loose(b)) as Tensor],
  ["div", (d) => [normal([2, 3], 1, d), positive([3], 2, d)], (a, b) => a.div(loose(b)) as Tensor],
  ["pow", (d) => [positive([2, 3], 1, d), normal([3], 2, d)], (a, b) => a.pow(loose(b)) as Tensor],
  ["mod", (d) => [vector([7.3, -4.2, 9.1], d), vector([2, 3, -4], d)], (a, b) => api.mod(a, loose(b)) as Tensor],
  ["maximum", two([3, 4], [4]), (a, b) => a.maximum(loose(b)) as Tensor],
  ["minimum", two([3, 4], [4]), (a, b) => a.minimum(loose(b)) as Tensor],
  ["where", two([3, 4], [4]), (a, b) => api.where(normal([3, 1], 5, a.device).gt(0), loose(a), loose(b)) as Tensor],
  ["neg", one(3), (x) => x.neg()],
  ["abs", one(3, 3), (x) => x.abs()],
  ["square", one(3), (x) => x.square()],
  ["sqrt", ofPositive(4), (x) => x.sqrt()],
  ["rsqrt", ofPositive(4), (x) => api.rsqrt(x)],
  ["reciprocal", ofPositive(4), (x) => api.reciprocal(x)],
  ["exp", one(4), (x) => x.exp()],
  ["expm1", one(4), (x) => api.expm1(x)],
  ["log", ofPositive(4), (x) => x.log()],
  ["log2", ofPositive(4), (x) => api.log2(x)],
  ["log1p", ofPositive(4), (x) => api.log1p(x)],
  ["sin", one(4), (x) => api.sin(x)],
  ["cos", one(4), (x) => api.cos(x)],
  ["tan", (d) => [vector([0.1, -0.4, 1], d)], (x) => api.tan(x)],
  ["tanh", one(4), (x) => x.tanh()],
  ["sigmoid", one(4), (x) => x.sigmoid()],
  ["erf", one(4), (x) => api.erf(x)],
  ["relu", one(9), (x) => x.relu()],
  ["gelu", one(9), (x) => x.gelu()],
  ["gelu, exact", one(9), (x) => x.gelu("none")],
  ["silu", one(9), (x) => x.silu()],
  ["quickGelu", one(9), (x) => x.quickGelu()],
  ["clamp", one(9), (x) => api.clamp(x, -0.5, 0.7)],
  ["cast between floats", one(3), (x) => x.cast("float32")],
  ["contiguous", one(3, 4), (x) => x.T.contiguous() as Tensor],
  ["reshape that copies", one(3, 4), (x) => x.T.reshape([2, 6]) as Tensor],
  ["concat", two([2, 3], [2, 2]), (a, b) => api.concat([a, b, a] as never, 1 as number) as Tensor],
  ["stack", two([2, 3], [2, 3]), (a, b) => api.stack([a, b] as never, 1 as number) as Tensor],
  ["tril", one(2, 3, 3), (x) => api.tril(x, 1)],
  ["triu", one(2, 3, 3), (x) => api.triu(x, -1)],
  [
    "pad",
    one(2, 3),
    (x) =>
      api.pad(x, [
        [1, 0],
        [2, 1],
      ] as never) as Tensor,
  ],
  ["diag", one(3), (x) => api.diag(x, 1) as Tensor],
  ["diagonal", one(3, 4), (x) => api.diagonal(x, 1) as Tensor],
  ["flip", one(3, 4), (x) => api.flip(x, 1)],
  ["roll", one(3, 4), (x) => api.roll(x, 3)],
  ["tile", one(2, 3), (x) => api.tile(x, [2, 3]) as Tensor],
  ["repeatInterleave", one(2, 3), (x) => api.repeatInterleave(x, 2, loose(1) as never) as Tensor],
  ["unfold", one(2, 7), (x) => api.unfold(x, 1 as number, 3, 2) as Tensor],
  ["sum over axes", one(2, 3, 4), (x) => x.sum([0, 2]) as Tensor],
  ["mean", one(2, 3, 4), (x) => x.mean(1 as number, true) as Tensor],
  ["prod", one(2, 3), (x) => x.prod(1 as number) as Tensor],
  ["max", one(3, 4), (x) => x.max(0 as number) as Tensor],
  ["min", one(3, 4), (x) => x.min() as Tensor],
  ["logSumExp", one(3, 4), (x) => api.logSumExp(x, 0 as number) as Tensor],
  ["cumsum", one(3, 4), (x) => api.cumsum(x, 0)],
  ["variance", one(3, 4), (x) => api.variance(x, 0 as number) as Tensor],
  ["std", one(3, 4), (x) => api.std(x) as Tensor],
  ["norm", one(3, 4), (x) => api.norm(x, 1 as number, false, { p: 3 }) as Tensor],
  ["median", one(3, 5), (x) => api.median(x, 1 as number) as Tensor],
  ["matmul of matrices", two([3, 4], [4, 2]), (a, b) => a.matmul(loose(b)) as Tensor],
  ["matmul of transposed matrices", two([4, 3], [2, 4]), (a, b) => a.T.matmul(loose(b.T)) as Tensor],
  ["matmul of batches", two([2, 1, 3, 4], [5, 4, 2]), (a, b) => a.matmul(loose(b)) as Tensor],
  ["matmul of a batch and one matrix", two([2, 5, 3, 4], [4, 2]), (a, b) => a.matmul(loose(b)) as Tensor],
  ["matmul of one matrix and a batch", two([3, 4], [5, 4, 2]), (a, b) => a.matmul(loose(b)) as Tensor],
  ["matmul of a vector and a matrix", two([4], [4, 2]), (a, b) => a.matmul(loose(b)) as Tensor],
  ["matmul of a matrix and a vector", two([3, 4], [4]), (a, b) => a.matmul(loose(b)) as Tensor],
  ["matmul of vectors", two([4], [4]), (a, b) => a.matmul(loose(b)) as Tensor],
  ["dot", two([4], [4]), (a, b) => api.dot(a as never, b as never) as never],
  ["outer", two([4], [3]), (a, b) => api.outer(a as never, b as never) as never],
  ["einsum", two([2, 3, 3], [3, 4]), (a, b) => api.einsum("bii,ij->jb", a, loose(b)) as Tensor],
  ...(["none", "gelu", "geluExact", "quickGelu", "relu", "sigmoid", "silu", "tanh"] as const).map(
    (activation): Case => [
      `linear, ${activation}`,
      (d) => [normal([2, 3, 4], 1, d), normal([4, 5], 2, d), normal([5], 3, d)],
      (x, w, b) => api.linear(x, loose(w), b as never, { activation }) as Tensor,
    ],
  ),
  ["linear without bias, of a view", two([4, 3], [5, 4]), (x, w) => api.linear(x.T, loose(w.T)) as Tensor],
  [
    "conv1d",
    two([2, 3, 9], [4, 3, 2]),
    (x, w) => api.conv1d(x, w as never, undefined, { padding: 1, stride: 2 }) as Tensor,
  ],
  ["softmax", one(3, 4), (x) => x.softmax(0 as number)],
  ["logSoftmax", one(3, 4), (x) => x.logSoftmax(-1 as number)],
  [
    "layerNorm",
    (d) => [normal([2, 3, 6], 1, d), normal([6], 2, d), normal([6], 3, d)],
    (x, w, b) => api.layerNorm(x, loose(w), loose(b)),
  ],
  ["embedding", one(5, 3), (table) => api.embedding(table as never, ints([4, 0, 4, 2], [2, 2], table.device)) as never],
  ["gather", one(3, 4), (x) => api.gather(x, 1, ints([0, 3, 0, 1, 1, 1], [3, 2], x.device))],
  [
    "indexSelect",
    one(3, 4),
    (x) => api.indexSelect(x, loose(1) as never, ints([3, 0, 3], [3], x.device) as never) as Tensor,
  ],
  ["scatter", two([2, 4], [2, 3]), (x, s) => api.scatter(x, 1, ints([0, 3, 0, 1, 1, 1], [2, 3], x.device), s)],
  ["scatterAdd", two([2, 4], [2, 3]), (x, s) => api.scatterAdd(x, 1, ints([0, 3, 0, 1, 1, 1], [2, 3], x.device), s)],
  ["maskedFill", one(3, 4), (x) => api.maskedFill(x, x.gt(0), 2)],
  ["sort", one(3, 4), (x) => api.sort(x, 0).values],
  ["topK", one(3, 4), (x) => api.topK(x, 2).values as Tensor],
  [
    "crossEntropy",
    one(2, 3, 5),
    (x) => api.crossEntropy(x as never, ints([0, 4, 1, 1, 2, 3], [2, 3], x.device), { reduction: "none" }),
  ],
  [
    "targetLogProbs",
    two([3, 4], [4, 6]),
    (x, w) => {
      const { logProbs, logSumExp } = targetLogProbs(x as never, w as never, ints([5, 0, 2], [3], x.device) as never);
      return (logProbs as Tensor).mul(2).add(loose((logSumExp as Tensor).square())) as Tensor;
    },
  ],
  [
    "targetLogProbs of a transposed table",
    two([3, 4], [6, 4]),
    (x, w) => targetLogProbs(x as never, w.T as never, ints([5, 0, 2], [3], x.device) as never).logProbs,
  ],
  [
    "attention over packed segments",
    (d) => [normal([6, 2, 3], 1, d), normal([6, 2, 3], 2, d), normal([6, 2, 3], 3, d)],
    (q, k, v) =>
      attention(q as never, k as never, v as never, {
        segments: [
          { start: 0, length: 2 },
          { start: 2, length: 4 },
        ],
      }),
  ],
  [
    "attention with a past that two segments share, not causal",
    (d) => [3, 3, 3, 2, 2].map((T, i) => normal([T, 2, 3], i + 1, d)),
    (q, k, v, key, value) => {
      const past = { key, value } as never;
      const segments = [
        { start: 0, length: 1, past },
        { start: 1, length: 2, past },
      ];
      return attention(q as never, k as never, v as never, { segments, causal: false, scale: 0.7 });
    },
  ],
  [
    "attentionWeights",
    (d) => [3, 3, 2].map((T, i) => normal([T, 2, 3], i + 1, d)),
    (q, k, key) => attentionWeights(q as never, k as never, { past: { key } as never }) as Tensor,
  ],
];
