import type { View } from "../../src/backends/backend.ts";
import type { DType } from "../../src/dtype.ts";
import type { Activation } from "../../src/ops/activation.ts";
import { attention, attentionWeights } from "../../src/ops/attention.ts";
import * as binaryOps from "../../src/ops/binary.ts";
import { targetLogProbs } from "../../src/ops/cross-entropy.ts";
import { embedding } from "../../src/ops/embedding.ts";
import * as indexing from "../../src/ops/indexing.ts";
import { linear, matmul } from "../../src/ops/matmul.ts";
import { layerNorm } from "../../src/ops/normalize.ts";
import * as rearrange from "../../src/ops/rearrange.ts";
import * as reduce from "../../src/ops/reduce.ts";
import { logSoftmax, softmax } from "../../src/ops/softmax.ts";
import * as unaryOps from "../../src/ops/unary.ts";
import type { JsonNumber } from "./operands.ts";

/** What an op is given besides its operands, as fixtures and generators write it. */
export interface Args {
  readonly axis?: number;
  readonly axes?: number | readonly number[];
  readonly keepDim?: boolean;
  readonly descending?: boolean;
  readonly k?: number;
  readonly dtype?: DType;
  readonly value?: JsonNumber;
  readonly activation?: Activation;
  readonly epsilon?: number;
  readonly scale?: number;
  readonly causal?: boolean;
  /** `past` is the number of a pair of operands behind q, k and v, or -1. */
  readonly segments?: readonly { readonly start: number; readonly length: number; readonly past: number }[];
  readonly diagonal?: number;
  readonly shape?: readonly number[];
  readonly sizes?: readonly number[];
  readonly a?: number;
  readonly b?: number;
  readonly start?: number;
  readonly end?: number;
  readonly step?: number;
  readonly index?: number;
}

type Call = (operands: readonly View[], args: Args) => View | readonly View[];

const binary =
  (op: (a: View, b: View) => View): Call =>
  ([a, b]) =>
    op(a!, b!);
const unary =
  (op: (x: View) => View): Call =>
  ([x]) =>
    op(x!);
const reduction =
  (op: (x: View, axes?: reduce.ReducedAxes, keepDim?: boolean) => View): Call =>
  ([x], { axes, keepDim }) =>
    op(x!, axes, keepDim);
const alongAxis =
  (op: (x: View, axis: number) => View): Call =>
  ([x], { axis }) =>
    op(x!, axis!);
const pair = ({ values, indices }: indexing.ValuesAndIndices): View[] => [values, indices];

/** How each op is called with operands and arguments from a table. */
export const calls: Readonly<Record<string, Call>> = {
  ...map(binary, {
    add: binaryOps.add,
    sub: binaryOps.sub,
    mul: binaryOps.mul,
    div: binaryOps.div,
    truncDiv: binaryOps.truncDiv,
    mod: binaryOps.mod,
    pow: binaryOps.pow,
    maximum: binaryOps.maximum,
    minimum: binaryOps.minimum,
    eq: binaryOps.eq,
    ne: binaryOps.ne,
    lt: binaryOps.lt,
    le: binaryOps.le,
    gt: binaryOps.gt,
    ge: binaryOps.ge,
    logicalAnd: binaryOps.logicalAnd,
    logicalOr: binaryOps.logicalOr,
    matmul,
    embedding,
  }),
  ...map(unary, {
    neg: unaryOps.neg,
    abs: unaryOps.abs,
    sign: unaryOps.sign,
    square: unaryOps.square,
    sqrt: unaryOps.sqrt,
    rsqrt: unaryOps.rsqrt,
    reciprocal: unaryOps.reciprocal,
    exp: unaryOps.exp,
    expm1: unaryOps.expm1,
    log: unaryOps.log,
    log2: unaryOps.log2,
    log1p: unaryOps.log1p,
    sin: unaryOps.sin,
    cos: unaryOps.cos,
    tanh: unaryOps.tanh,
    sigmoid: unaryOps.sigmoid,
    erf: unaryOps.erf,
    relu: unaryOps.relu,
    gelu: unaryOps.gelu,
    geluExact: unaryOps.geluExact,
    silu: unaryOps.silu,
    quickGelu: unaryOps.quickGelu,
    floor: unaryOps.floor,
    ceil: unaryOps.ceil,
    round: unaryOps.round,
    logicalNot: unaryOps.logicalNot,
    isNaN: unaryOps.isNaN,
    copy: rearrange.copy,
  }),
  ...map(reduction, {
    sum: reduce.sum,
    mean: reduce.mean,
    prod: reduce.prod,
    max: reduce.max,
    min: reduce.min,
    any: reduce.any,
    all: reduce.all,
    logSumExp: reduce.logSumExp,
    argMax: reduce.argMax,
    argMin: reduce.argMin,
  }),
  ...map(alongAxis, {
    softmax,
    logSoftmax,
    cumsum: reduce.cumsum,
    squeeze: rearrange.squeeze,
    unsqueeze: rearrange.unsqueeze,
  }),
  cast: ([x], { dtype }) => unaryOps.cast(x!, dtype!),
  where: ([condition, a, b]) => binaryOps.where(condition!, a!, b!),
  maskedFill: ([x, mask], { value }) => indexing.maskedFill(x!, mask!, Number(value)),
  sort: ([x], { axis, descending }) => pair(indexing.sort(x!, axis!, descending)),
  topK: ([x], { axis, k }) => pair(indexing.topK(x!, k!, axis!)),
  gather: ([x, indices], { axis }) => indexing.gather(x!, axis!, indices!),
  scatter: ([x, indices, source], { axis }) => indexing.scatter(x!, axis!, indices!, source!),
  scatterAdd: ([x, indices, source], { axis }) => indexing.scatterAdd(x!, axis!, indices!, source!),
  linear: ([x, w, bias], { activation }) => linear(x!, w!, bias, activation),
  targetLogProbs: ([x, w, targets]) => {
    const { logProbs, logSumExp } = targetLogProbs(x!, w!, targets!);
    return [logProbs, logSumExp];
  },
  layerNorm: ([x, weight, bias], { epsilon }) => layerNorm(x!, weight!, bias!, epsilon),
  attention: ([q, k, v, ...past], { segments, ...options }) => {
    const pasts = past.flatMap((key, i) => (i % 2 === 0 ? [{ key, value: past[i + 1]! }] : []));
    const packed = segments?.map((segment) => ({ ...segment, past: pasts[segment.past] }));
    return attention(q!, k!, v!, { ...options, segments: packed });
  },
  attentionWeights: ([q, k, key], options) => attentionWeights(q!, k!, { ...options, past: key && { key } }),
  concat: (xs, { axis }) => rearrange.concat(xs, axis!),
  tril: ([x], { diagonal }) => rearrange.tril(x!, diagonal),
  triu: ([x], { diagonal }) => rearrange.triu(x!, diagonal),
  reshape: ([x], { shape }) => rearrange.reshape(x!, shape!),
  transpose: ([x], { a, b }) => rearrange.transpose(x!, a!, b!),
  permute: ([x], { axes }) => rearrange.permute(x!, axes as readonly number[]),
  slice: ([x], { axis, start, end, step }) => rearrange.slice(x!, axis!, start, end, step),
  select: ([x], { axis, index }) => rearrange.select(x!, axis!, index!),
  expand: ([x], { shape }) => rearrange.expand(x!, shape!),
  split: ([x], { sizes, axis }) => rearrange.split(x!, sizes!, axis!),
};

function map<F>(call: (op: F) => Call, ops: Readonly<Record<string, F>>): Record<string, Call> {
  return Object.fromEntries(Object.entries(ops).map(([name, op]) => [name, call(op)]));
}
