/**
 * What each op must compute and move at least, from its shapes and from how its operands are kept.
 *
 * Operations are multiplications, additions, comparisons and elementary functions, of floats or of integers, each counted
 * as one. Bytes are those of every operand read once and every result written once: what must pass if a cache keeps all
 * that is used again.
 */
import type { View } from "../backends/backend.ts";
import { byteSize } from "../dtype.ts";
import { type ArithmeticKind, encodings } from "../encodings/index.ts";
import { sizeOf } from "../shape.ts";

export interface Work {
  readonly operations: number;
  readonly bytes: number;
  /** The arithmetic that computes it: a product with a matrix of `int8` sums integers. */
  readonly arithmetic: ArithmeticKind;
}

/** An operation that ran. */
export interface RanOp {
  /** Its name. */
  readonly op: string;
  readonly inputs: readonly View[];
  readonly params: unknown;
  readonly outputs: readonly View[];
}

/** Of the bytes of all operands and results, unless it says otherwise. */
type Rule = (call: RanOp) => { readonly operations: number; readonly bytes?: number };

/** No operation of a device: its results are copied for JavaScript to read. */
export const TO_JAVASCRIPT = "to JavaScript";

/** Of GELU's tanh form: x³ (2), its factor, + x, its factor, tanh, + 1, two products. */
const GELU_OPERATIONS = 9;
/** Of softmax or its logarithm: maximum, difference, exp, sum, and a quotient or difference. */
const SOFTMAX_OPERATIONS = 5;
/** Of a layer normalization: sum, difference, square, sum of squares, and three for scale, weight and bias. */
const LAYER_NORM_OPERATIONS = 7;
/** Of its gradients: four for mean and variance, two for n, three for the two sums, five for dx, and three for weight and bias. */
const LAYER_NORM_BACKWARD_OPERATIONS = 17;
/** Of a step: one for the gradient, four for the first mean, five for the second, and seven for the weight. */
const ADAM_W_OPERATIONS = 17;

const rules: Readonly<Record<string, Rule>> = {
  // [M, K] × [K, N]: K multiplications and additions for each element of the result; then bias and activation.
  linear: ({ inputs, params, outputs: [out] }) => {
    const [x, , bias] = inputs;
    const { activation } = params as { readonly activation: "none" | "gelu" };
    const each = 2 * x!.shape.at(-1)! + (bias ? 1 : 0) + (activation === "gelu" ? GELU_OPERATIONS : 0);
    return { operations: each * size(out!) };
  },
  matmul: ({ inputs: [a], outputs: [out] }) => ({ operations: 2 * a!.shape.at(-1)! * size(out!) }),
  // Of the logits, too: maximum, difference, exp and sum.
  targetLogProbs: ({ inputs: [x, w] }) => ({
    operations: (2 * x!.shape[1]! + SOFTMAX_OPERATIONS - 1) * x!.shape[0]! * w!.shape[1]!,
  }),
  attention: (call) => ({ operations: attentionOperations(call) }),
  encodeVectors: ({ inputs: [x] }) => ({ operations: size(x!) }), // results are bytes
  layerNorm: ({ outputs: [out] }) => ({ operations: LAYER_NORM_OPERATIONS * size(out!) }),
  softmax: ({ outputs: [out] }) => ({ operations: SOFTMAX_OPERATIONS * size(out!) }),
  logSoftmax: ({ outputs: [out] }) => ({ operations: SOFTMAX_OPERATIONS * size(out!) }),
  // Only the rows, or elements, that are asked for.
  embedding: ({ inputs: [table, ids], outputs: [out] }) => {
    const rows = bytesOf(table!) / table!.shape[0]!;
    return { operations: 0, bytes: size(ids!) * rows + bytesOf(ids!) + bytesOf(out!) };
  },
  gather: ({ inputs: [, indices], outputs: [out] }) => ({
    operations: 0,
    bytes: bytesOf(indices!) + 2 * bytesOf(out!),
  }),
  matmulInto: ({ inputs: [a], outputs: [out] }) => ({ operations: (2 * a!.shape[1]! + 1) * size(out!) }),
  linearWithSums: ({ inputs: [x], outputs: [y] }) => ({
    operations: (2 * x!.shape[1]! + 1 + GELU_OPERATIONS) * size(y!),
  }),
  targetLogProbsWithLogits: ({ inputs: [x], outputs: [, , logits] }) => ({
    operations: (2 * x!.shape[1]! + SOFTMAX_OPERATIONS - 1) * size(logits!),
  }),
  // A product for dx, one for dw, and one for logits that were not kept; difference, exp and product of each logit.
  targetLogProbsBackward: ({ inputs: [x, w], params }) => {
    const { weight, logits } = params as { readonly weight: boolean; readonly logits: boolean };
    const products = 1 + Number(weight) + Number(!logits);
    return { operations: (products * 2 * x!.shape[1]! + 3) * x!.shape[0]! * w!.shape[1]! };
  },
  attentionBackward: (call) => ({ operations: attentionBackwardOperations(call) }),
  layerNormBackward: ({ inputs: [x] }) => ({ operations: LAYER_NORM_BACKWARD_OPERATIONS * size(x!) }),
  activationBackward: ({ outputs: [dx] }) => ({ operations: 2 * GELU_OPERATIONS * size(dx!) }),
  softmaxBackward: ({ outputs: [dx] }) => ({ operations: 4 * size(dx!) }),
  logSoftmaxBackward: ({ outputs: [dx] }) => ({ operations: 4 * size(dx!) }),
  squaredNorm: ({ inputs: [x] }) => ({ operations: 2 * size(x!) }),
  adamW: ({ inputs: [gradient] }) => ({ operations: ADAM_W_OPERATIONS * size(gradient!) }),
  copy: () => ({ operations: 0 }),
  concat: () => ({ operations: 0 }),
  pack: () => ({ operations: 0 }),
  [TO_JAVASCRIPT]: ({ inputs: [x] }) => ({ operations: 0, bytes: 2 * bytesOf(x!) }),
};

/**
 * What an operation must compute and move at least. One that has no rule of its own counts an operation for each element of its
 * largest operand or result: right for sums, differences and comparisons, less than is computed for functions such as exp.
 */
export function workOf(call: RanOp): Work {
  const rule = Object.hasOwn(rules, call.op) ? rules[call.op]! : everyElement;
  const { operations, bytes = [...call.inputs, ...call.outputs].reduce((sum, view) => sum + bytesOf(view), 0) } =
    rule(call);
  const encoding = isProduct(call.op) ? call.inputs[1]!.storage.packed?.encoding : undefined;
  return { operations, bytes, arithmetic: (encoding ?? encodings.f32).arithmetic };
}

const everyElement: Rule = ({ inputs, outputs }) => ({
  operations: Math.max(...[...inputs, ...outputs].map(size)),
});

/** Whether an op multiplies its first operand [..., M, K] by its second one [K, N]. */
export function isProduct(op: string): boolean {
  return op === "linear" || op === "matmul" || op === "targetLogProbs";
}

/**
 * Bytes of the elements that a view shows, each counted once: those of a packed matrix as a checkpoint holds them,
 * without the padding and sums that a device adds.
 */
export function bytesOf(view: View): number {
  const { storage, dtype, shape, strides } = view;
  const { packed } = storage;
  if (packed === undefined) {
    const elements = shape.reduce((product, dim, axis) => (strides[axis] === 0 ? product : product * dim), 1);
    return elements * byteSize(dtype);
  }
  // Of a table, which is the transpose of a packed matrix, too: groups of int8 run down the columns of that.
  const { rows, columns, encoding } = packed;
  return encoding.fileBytes(rows, columns);
}

/** Two products of D terms for each query and key, for its score and for its value, with the scale and softmax between. */
function attentionOperations(call: RanOp): number {
  const [, H, D] = call.inputs[0]!.shape as readonly [number, number, number];
  return pairsOf(call) * H * (4 * D + 1 + SOFTMAX_OPERATIONS);
}

/** Five products of D terms for each query and key, for its score, that of its gradient, dq, dk and dv; softmax and its gradient. */
function attentionBackwardOperations(call: RanOp): number {
  const [, H, D] = call.inputs[0]!.shape as readonly [number, number, number];
  return pairsOf(call) * H * (10 * D + 3 + SOFTMAX_OPERATIONS);
}

/** The pairs of a query and a key that it sees, of one head. */
function pairsOf({ inputs, params }: RanOp): number {
  const { causal, segments } = params as AttentionParams;
  let pairs = 0;
  for (const { length, past = -1 } of segments) {
    const before = past < 0 ? 0 : inputs[past]!.shape[0]!;
    pairs += length * before + (causal ? (length * (length + 1)) / 2 : length * length);
  }
  return pairs;
}

interface AttentionParams {
  readonly causal: boolean;
  readonly segments: readonly { readonly length: number; readonly past?: number }[];
}

function size({ shape }: View): number {
  return sizeOf(shape);
}
